package engine

// readNetBIOS is the helper netbios-ns, and readSNMP the helper snmp: each host of
// a network may answer a broadcast that this machine sends.
func readNetBIOS(t *Table, p *packet, x *extension) bool { return t.expectAnswers(p, x.helper, 137) }
func readSNMP(t *Table, p *packet, x *extension) bool    { return t.expectAnswers(p, x.helper, 161) }

// expectAnswers makes the expectation of answers to a broadcast, from a port of
// any host of the network. Every answer is an entry of its own. Linux sends the
// packet to itself first, so that its entry is confirmed before.
func (t *Table) expectAnswers(p *packet, h *helper, port uint16) bool {
	if p.where != Output || p.dir != original {
		return true
	}
	mask, ok := t.o.Host.broadcastMask(p.out, p.dst)
	if !ok {
		return true
	}
	if !t.confirm(p) {
		return false
	}
	answer := &p.e.tuples[reply]
	x := p.expect(0, p.proto, answer.src, answer.dst, answer.dport)
	x.tuple.sport, x.mask.port = port, 0xffff
	x.mask.src = mask
	x.flags = expectPermanent
	t.announce(x)
	t.extendTimeout(p.e, uint32(h.limit(0).timeout.Seconds()))
	return true
}

// broadcastMask returns the mask of a network whose broadcast address dst is, on
// an interface or, if its name is not known, on any. The mask is of IPv4.
func (h *Host) broadcastMask(iface string, dst [16]byte) (mask [16]byte, ok bool) {
	for i := range h.Addrs {
		a := &h.Addrs[i]
		if bits := a.Prefix.Bits(); !a.Prefix.Addr().Is4() || bits > 30 || iface != "" && a.Interface != iface {
			continue
		}
		last := a.Prefix.Masked().Addr().As4()
		for j := range last {
			host := byte(0xff)
			if n := a.Prefix.Bits() - 8*j; n > 0 {
				host >>= min(n, 8)
			}
			last[j] |= host
			mask[j] = ^host
		}
		if last == [4]byte(dst[:4]) {
			return mask, true
		}
	}
	return mask, false
}
