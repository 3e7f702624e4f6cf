package format

import (
	"math/bits"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The accessors below append the texts of fields, nothing if they are absent, and
// several words separated by listSeparator.

// listSeparator is in no word, and in no name that a label map can contain.
const listSeparator = '|'

// eventWords are the names of events in records.
var eventWords = [...]string{
	EventNone:    "",
	EventNew:     "new",
	EventUpdate:  "update",
	EventDestroy: "destroy",
	EventResync:  "resync",
}

// unknownWord is the name of protocols and families without one.
const unknownWord = "unknown"

func familyWord(family ctnetlink.Family) string {
	switch family {
	case ctnetlink.FamilyIPv4:
		return "ipv4"
	case ctnetlink.FamilyIPv6:
		return "ipv6"
	}
	return unknownWord
}

func protoWord(proto ctnetlink.Protocol) string {
	if name := proto.Name(); name != "" {
		return name
	}
	return unknownWord
}

// stateWord returns the name of a state, or UNKNOWN if it has none.
func stateWord(names []string, state ctnetlink.State) string {
	if n := int(state.Number()); n < len(names) {
		return names[n]
	}
	return "UNKNOWN"
}

// statusWords are the names of status flags by bit (enum ip_conntrack_status in
// nf_conntrack_common.h, without IPS_).
var statusWords = [...]string{
	"EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT", "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
	"DST_NAT_DONE", "DYING", "FIXED_TIMEOUT", "TEMPLATE", "UNTRACKED", "HELPER", "OFFLOAD", "HW_OFFLOAD",
}

// roleWords are the names of DCCP roles by number.
var roleWords = [...]string{"client", "server"}

func eventText(b []byte, c *Context) []byte   { return append(b, eventWords[c.Event]...) }
func netnsText(b []byte, c *Context) []byte   { return append(b, c.NetNS...) }
func programText(b []byte, c *Context) []byte { return append(b, c.Program...) }

func familyText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	return append(b, familyWord(f.Family())...)
}

func stateText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	if names := f.Orig().Proto.StateNames(); names != nil {
		if v, ok := f.State(); ok {
			return append(b, stateWord(names, v)...)
		}
	}
	return b
}

func statusText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	v, _ := f.Status()
	first := len(b)
	for set := uint32(v); set != 0; set &= set - 1 {
		if len(b) > first {
			b = append(b, listSeparator)
		}
		b = appendStatusWord(b, bits.TrailingZeros32(set))
	}
	return b
}

// appendStatusWord appends the name of a status bit, or BIT and its number if it has
// none.
func appendStatusWord(b []byte, bit int) []byte {
	if bit < len(statusWords) {
		return append(b, statusWords[bit]...)
	}
	return appendUint(append(b, "BIT"...), uint64(bit))
}

func labelsText(p *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	set, _ := f.Labels()
	first := len(b)
	for bit := range set.All() {
		if len(b) > first {
			b = append(b, listSeparator)
		}
		b = p.appendLabel(b, bit)
	}
	return b
}

// appendLabel appends the name of a label bit in the form of the style, or # and its
// number if it has none.
func (p *Printer) appendLabel(b []byte, bit int) []byte {
	if bit < len(p.labels) && p.labels[bit] != "" {
		return append(b, p.labels[bit]...)
	}
	return appendUint(append(b, '#'), uint64(bit))
}

func helperText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	v, _ := f.Helper()
	return append(b, v...)
}

func secCtxText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	v, _ := f.SecCtx()
	return append(b, v...)
}

func roleText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	info, _ := f.ProtoInfo()
	if info.Has&ctnetlink.InfoRole == 0 || int(info.Role) >= len(roleWords) {
		return b
	}
	return append(b, roleWords[info.Role]...)
}

func expectFamilyText(b []byte, x *ctnetlink.Expect) []byte {
	return append(b, familyWord(x.Family())...)
}

func expectFlagsText(b []byte, x *ctnetlink.Expect) []byte {
	flags, _ := x.Flags()
	first := len(b)
	for _, f := range expectFlags {
		if flags&f.bit == 0 {
			continue
		}
		if len(b) > first {
			b = append(b, listSeparator)
		}
		b = append(b, f.name...)
	}
	return b
}

func expectHelperText(b []byte, x *ctnetlink.Expect) []byte {
	v, _ := x.Helper()
	return append(b, v...)
}

func expectFnText(b []byte, x *ctnetlink.Expect) []byte {
	v, _ := x.Fn()
	return append(b, v...)
}
