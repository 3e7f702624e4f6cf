package tablefile

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Types of the messages that list entries and expectations.
const (
	typeEntry  = wire.SubsysConntrack<<8 | wire.MsgNew
	typeExpect = wire.SubsysExpect<<8 | wire.MsgNew
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// timeout returns the part of an entry's or expectation's message that holds the
// time left: seconds, big endian, 4 bytes. It is nil if the message has none.
func timeout(m wire.Message) []byte {
	attr := uint16(ctnetlink.AttrTimeout)
	if m.Type()>>8 == wire.SubsysExpect {
		attr = wire.ExpectTimeout
	}
	val, _ := wire.Find(m.Payload(), attr)
	if len(val) < 4 {
		return nil
	}
	return val[:4]
}

// countMessages returns the number of messages in a datagram.
func countMessages(b []byte) (n uint32) {
	m := wire.Messages{B: b}
	for m.Next() {
		n++
	}
	return n
}
