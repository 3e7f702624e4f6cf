package ctnetlink

import (
	"net/netip"
	"strconv"
)

// String returns the tuple in the form "tcp 10.0.0.1:40000 -> 192.0.2.1:443".
// Fields that are not in Has are left out.
func (t *Tuple) String() string {
	var b []byte
	if t.Has&FieldProto != 0 {
		b = append(append(b, t.Proto.String()...), ' ')
	}
	b = appendEnd(b, t.Src, t.SrcPort, t.Has&FieldSrc != 0, t.Has&FieldSrcPort != 0)
	b = append(b, " -> "...)
	b = appendEnd(b, t.Dst, t.DstPort, t.Has&FieldDst != 0, t.Has&FieldDstPort != 0)
	for _, f := range [...]struct {
		field Fields
		name  string
		value uint16
	}{
		{FieldICMPType, " type ", uint16(t.ICMPType)}, {FieldICMPCode, " code ", uint16(t.ICMPCode)},
		{FieldICMPID, " id ", t.ICMPID}, {FieldZone, " zone ", t.Zone},
	} {
		if t.Has&f.field != 0 {
			b = strconv.AppendUint(append(b, f.name...), uint64(f.value), 10)
		}
	}
	return string(b)
}

// appendEnd appends an address and a port, "*" for those that are not there.
func appendEnd(b []byte, a netip.Addr, port uint16, hasAddr, hasPort bool) []byte {
	switch {
	case hasAddr && hasPort:
		return netip.AddrPortFrom(a, port).AppendTo(b)
	case hasAddr:
		return a.AppendTo(b)
	}
	b = append(b, '*')
	if hasPort {
		b = strconv.AppendUint(append(b, ':'), uint64(port), 10)
	}
	return b
}

// String returns the entry in one line: its original tuple, the reply tuple where
// that is not the reverse, the state, the flags and the remaining time.
func (f *Flow) String() string {
	s := f.orig.String()
	if r := f.orig.Reverse(); f.reply.Has != 0 && f.reply != r {
		s += ", reply " + f.reply.String()
	}
	if state, ok := f.State(); ok {
		s += " " + state.String()
	}
	if status, ok := f.Status(); ok {
		s += " [" + status.String() + "]"
	}
	if left, ok := f.Timeout(); ok {
		s += " " + left.String()
	}
	return s
}

// String returns the expected tuple and the master's.
func (e *Expect) String() string { return e.tuple.String() + ", master " + e.master.String() }

// String returns what happened and to what, in the form "NEW tcp …".
func (e *Event) String() string {
	if e.Expect != nil {
		return e.Type.String() + " expectation " + e.Expect.String()
	}
	return e.Type.String() + " " + e.Flow.String()
}

var fieldNames = []string{"SRC", "DST", "ZONE", "PROTO", "SRC_PORT", "DST_PORT", "ICMP_TYPE", "ICMP_CODE", "ICMP_ID"}

// String returns the names of the fields with "|" between them.
func (f Fields) String() string {
	return bitNames(uint32(f), func(bit int) string { return nameIn(fieldNames, bit) })
}

// String returns the names of the flags with "|" between them.
func (f ExpectFlags) String() string {
	return bitNames(uint32(f), func(bit int) string {
		return nameIn([]string{"PERMANENT", "INACTIVE", "USERSPACE"}, bit)
	})
}
