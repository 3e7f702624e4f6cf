package ctnetlink

import (
	"github.com/gonntrack/gonntrack/internal/wire"
)

// header is the header of a netlink message and of the nfnetlink message in it.
type header struct {
	Type    uint16 // subsystem in the high byte, message in the low one
	Flags   uint16
	Seq     uint32 // of the request it answers; 0 on events
	PortID  uint32 // on events: the port id of the process that caused it, 0 for packets
	Family  Family // FamilyIPv4, FamilyIPv6
	Version uint8
	ResID   uint16 // the CPU's number in statistics
}

// outcome returns what an NLMSG_ERROR or NLMSG_DONE message reports: nil for an
// acknowledgement and for the end of a dump, an [Errno], or ErrMalformed.
func outcome(m wire.Message) error {
	switch errno, ok := m.Errno(); {
	case !ok:
		return ErrMalformed
	case errno != 0:
		return Errno(errno)
	}
	return nil
}

// decodeHeader reads both headers and returns the attributes behind them.
func decodeHeader(msg []byte) (h header, attributes []byte, err error) {
	walk := wire.Messages{B: msg}
	if !walk.Next() || len(walk.Msg) < wire.HeadLen {
		return h, nil, ErrMalformed
	}
	m := walk.Msg
	h = header{
		Type:    m.Type(),
		Flags:   m.Flags(),
		Seq:     m.Seq(),
		PortID:  m.PortID(),
		Family:  Family(m.Family()),
		Version: m[wire.HeaderLen+1],
		ResID:   be16(m[wire.HeaderLen+2:]),
	}
	return h, m.Payload(), nil
}
