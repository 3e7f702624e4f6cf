package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Control bits of a TCP header (RFC 9293, section 3.1).
const (
	tcpFIN = 1 << iota
	tcpSYN
	tcpRST
	tcpPSH
	tcpACK
	tcpURG
	tcpECE
	tcpCWR
)

// segment is what the header of a TCP packet says.
type segment struct {
	seq, ack uint32
	end      uint32 // seq plus the data, and one each for SYN and FIN
	length   uint32 // of the data
	window   uint16 // as in the header, not scaled
	flags    uint8
	header   uint8 // length of the header with the options

	scale    uint8 // of the option window scale, at most maxScale
	hasScale bool
	sackOK   bool // option SACK permitted
	// sacked is the highest number that the packet acknowledges: ack, or the
	// highest right edge of its SACK blocks if it is above that.
	sacked uint32
	// optionsCut reports that the options were not captured whole. The four
	// fields above then have what there is.
	optionsCut bool
}

// before and after compare sequence numbers (RFC 9293, section 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }
func after(a, b uint32) bool  { return before(b, a) }

// maxScale is the largest shift of windows (RFC 7323, section 2.3).
const maxScale = 14

// Kinds of TCP options.
const (
	tcpOptEnd    = 0
	tcpOptNop    = 1
	tcpOptScale  = 3
	tcpOptSACKOK = 4
	tcpOptSACK   = 5
)

// tcpCombinations are the control bits that a packet may have together; PSH, ECE
// and CWR may be there or not.
var tcpCombinations = [64]bool{
	tcpSYN:                   true,
	tcpSYN | tcpURG:          true,
	tcpSYN | tcpACK:          true,
	tcpACK:                   true,
	tcpACK | tcpURG:          true,
	tcpRST:                   true,
	tcpRST | tcpACK:          true,
	tcpFIN | tcpACK:          true,
	tcpFIN | tcpACK | tcpURG: true,
}

// checkTCP checks the header of a TCP packet and reads it into p.tcp.
func checkTCP(t *Table, p *packet) Reason {
	b := p.payload()
	if len(b) < 20 {
		return p.short(TCPShort, 20)
	}
	n, have := int(b[12]>>4)*4, p.transportLen()
	if n < 20 || n > have {
		return Reason{Code: BadDataOffset, N: [3]int64{int64(n), int64(have)}}
	}
	if r := t.verify(p, ctnetlink.ProtoTCP); r.Code != 0 {
		return r
	}
	s := &p.tcp
	s.flags = b[13]
	if !tcpCombinations[s.flags&(tcpFIN|tcpSYN|tcpRST|tcpACK|tcpURG)] {
		return Reason{Code: BadFlags, N: [3]int64{int64(s.flags)}}
	}
	s.seq, s.ack, s.window = be32(b[4:]), be32(b[8:]), be16(b[14:])
	s.header, s.length = uint8(n), uint32(have-n)
	s.end = s.seq + s.length + uint32(s.flags>>1&1) + uint32(s.flags&1)
	s.sacked = s.ack
	if n > 20 {
		s.optionsCut = n > len(b)
		s.options(b[20:min(n, len(b))])
	}
	return Reason{}
}

// options reads the options that matter to tracking.
func (s *segment) options(b []byte) {
	for len(b) > 0 {
		switch b[0] {
		case tcpOptEnd:
			return
		case tcpOptNop:
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return
		}
		o := b[:b[1]]
		b = b[len(o):]
		switch o[0] {
		case tcpOptScale:
			if len(o) == 3 {
				s.scale, s.hasScale = min(o[2], maxScale), true
			}
		case tcpOptSACKOK:
			if len(o) == 2 {
				s.sackOK = true
			}
		case tcpOptSACK:
			if len(o) < 10 || len(o)%8 != 2 {
				break
			}
			for o = o[2:]; len(o) > 0; o = o[8:] {
				if edge := be32(o[4:]); after(edge, s.sacked) {
					s.sacked = edge
				}
			}
			return // Linux reads the first one only
		}
	}
}
