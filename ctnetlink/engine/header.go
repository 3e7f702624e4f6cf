package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// header is what the IP headers of a packet say.
type header struct {
	family    ctnetlink.Family
	proto     ctnetlink.Protocol // behind the extension headers
	src, dst  [16]byte           // an IPv4 address is in the first four bytes
	transport int                // offset of the transport header
	total     int                // length of the packet as its header says, with the header
	ttl       uint8

	fragHeader int // IPv6: offset of the first fragment header, 0: there is none
	nextAt     int // IPv6: offset of the field that announces it
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// payload returns the transport header and what follows, as far as it was
// captured.
func (p *packet) payload() []byte {
	end := min(p.total, len(p.data))
	return p.data[min(p.transport, end):end]
}

// transportLen returns the length of the transport header and what follows, as
// the IP header says.
func (p *packet) transportLen() int { return max(p.total-p.transport, 0) }

// short returns the reason for a packet whose transport header has fewer than n
// bytes: that is so, or the capture has only a part of it.
func (p *packet) short(code ReasonCode, n int64) Reason {
	if int64(p.transportLen()) >= n {
		return Reason{Code: CutShort}
	}
	return Reason{Code: code, N: [3]int64{int64(p.transportLen()), n}}
}
