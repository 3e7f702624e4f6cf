package ruleset

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// field is something of a packet that a rule can test.
type field uint8

const (
	fieldSrc field = iota
	fieldDst
	fieldProtocol
	fieldNextHeader
	fieldFamily
	fieldSrcPort
	fieldDstPort
	fieldTCPFlags
	fieldICMPType
	fieldICMPCode
	fieldIn
	fieldOut
	fieldState
	fieldStatus
	fieldDirection
	fieldMark
)

// comparison is how a field is compared with the values.
type comparison uint8

const (
	among  comparison = iota // the field is one of the values
	anyBit                   // the field and the values have a bit in common
	masked                   // the field under a mask is one of the values
)

// match compares a field of a packet. A packet that does not have the field does
// not match, whatever the comparison.
type match struct {
	field  field
	how    comparison
	not    bool
	mask   uint32
	family ctnetlink.Family      // the packet must be of it; 0: any
	protos [4]ctnetlink.Protocol // its protocol must be one of these; 0: none
	values *values
}

func (x *match) eval(c *ctx) step {
	if x.family != 0 && c.family != x.family {
		return mismatch
	}
	if x.protos[0] != 0 && !x.covers(c.m.Protocol()) {
		return mismatch
	}
	var found bool
	switch x.field {
	case fieldIn:
		found = x.values.inNames(c.m.In())
	case fieldOut:
		found = x.values.inNames(c.m.Out())
	case fieldSrc, fieldDst:
		b, at, n := c.m.Data(), 12, 4
		if c.family == ctnetlink.FamilyIPv6 {
			at, n = 8, 16
		}
		if x.field == fieldDst {
			at += n
		}
		if len(b) < at+n {
			return mismatch
		}
		found = x.values.inAddrs(b[at : at+n])
	default:
		v, ok := x.number(c)
		if !ok {
			return mismatch
		}
		switch x.how {
		case anyBit:
			for _, s := range x.values.numbers {
				found = found || v&s.min != 0
			}
		case masked:
			found = x.values.inNumbers(v & x.mask)
		default:
			found = x.values.inNumbers(v)
		}
	}
	if found == x.not {
		return mismatch
	}
	return next
}

func (x *match) covers(p ctnetlink.Protocol) bool {
	for _, q := range x.protos {
		if q != 0 && p == q {
			return true
		}
	}
	return false
}

// number returns a field that is a number; ok is false if the packet does not
// have it.
func (x *match) number(c *ctx) (v uint32, ok bool) {
	switch x.field {
	case fieldProtocol:
		return uint32(c.m.Protocol()), true
	case fieldNextHeader:
		b := c.m.Data()
		return uint32(b[6]), true
	case fieldFamily:
		return uint32(c.family), true
	case fieldState:
		return stateBit(c.m.State()), true
	case fieldStatus:
		return uint32(c.m.Status()), c.m.HasEntry()
	case fieldMark:
		return c.m.Mark(), c.m.HasEntry()
	case fieldDirection:
		if c.m.Reply() {
			return 1, c.m.HasEntry()
		}
		return 0, c.m.HasEntry()
	}
	b, at, size := c.m.Transport(), 0, 1
	switch x.field {
	case fieldSrcPort:
		size = 2
	case fieldDstPort:
		at, size = 2, 2
	case fieldTCPFlags:
		at = 13
	case fieldICMPCode:
		at = 1
	}
	if len(b) < at+size {
		return 0, false
	}
	if size == 2 {
		return uint32(binary.BigEndian.Uint16(b[at:])), true
	}
	return uint32(b[at]), true
}

// The bits of ct state (NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h).
const (
	bitInvalid     = 1
	bitEstablished = 2
	bitRelated     = 4
	bitNew         = 8
	bitUntracked   = 64
)

// stateBit returns the bit of a state. A packet that was not tracked yet is
// invalid, as in nft.
func stateBit(s engine.State) uint32 {
	switch s {
	case engine.StateNew:
		return bitNew
	case engine.StateEstablished:
		return bitEstablished
	case engine.StateRelated:
		return bitRelated
	case engine.StateUntracked:
		return bitUntracked
	}
	return bitInvalid
}
