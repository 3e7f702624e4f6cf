package engine

// Hop-by-hop options (linux/ipv6.h, in6.h).
const (
	hopPad1    = 0
	hopPadN    = 1
	hopAlert   = 5 // router alert
	hopCALIPSO = 7
	hopIOAM    = 0x31
	hopJumbo   = 0xc2
	hopAction  = 0xc0 // bits: what to do with an option that is not known
)

// Limits on options (net.ipv6.max_hbh_opts_number and RFC 8504, section 5.3).
const (
	hopMaxOptions = 8
	hopMaxPadding = 7 // bytes in a row
)

// checkHopByHop judges hop-by-hop options right behind the IPv6 header: a packet
// with bad ones is dropped before it is tracked.
func (p *packet) checkHopByHop() ReasonCode {
	b := p.data[ipv6Header:]
	if p.total < ipv6Header+8 {
		return BadHopByHop
	}
	if len(b) < 2 {
		return CutShort
	}
	n := (int(b[1]) + 1) * 8
	if ipv6Header+n > p.total {
		return BadHopByHop
	}
	if n > len(b) {
		return CutShort
	}
	o := b[2:n]
	for padding, options := 0, 0; len(o) > 0; {
		if o[0] == hopPad1 {
			if padding++; padding > hopMaxPadding {
				return BadHopByHop
			}
			o = o[1:]
			continue
		}
		if len(o) < 2 || int(o[1])+2 > len(o) {
			return BadHopByHop
		}
		value := o[2 : 2+int(o[1])]
		if o[0] == hopPadN {
			if padding += 2 + len(value); padding > hopMaxPadding || !zero(value) {
				return BadHopByHop
			}
		} else {
			padding = 0
			if options++; options > hopMaxOptions || !p.takesHopByHop(o[0], value, n-len(o)) {
				return BadHopByHop
			}
		}
		o = o[2+len(value):]
	}
	return NoReason
}

// takesHopByHop reports whether a packet with an option passes. The option is at
// an offset in its header.
func (p *packet) takesHopByHop(typ uint8, value []byte, at int) bool {
	switch typ {
	case hopAlert:
		return len(value) == 2
	case hopJumbo:
		if len(value) != 4 || at&3 != 2 {
			return false
		}
		length := be32(value)
		return be16(p.data[4:]) == 0 && length > 0xffff && uint64(length) <= uint64(p.wireLen-ipv6Header)
	case hopCALIPSO:
		return false // there is no label that Linux would know
	case hopIOAM:
		return at&3 == 0
	}
	return typ&hopAction == 0
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
