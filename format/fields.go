package format

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Kind is the kind of a field's values, which decides how they are sorted, aligned
// and written.
type Kind uint8

const (
	// KindNumber is a plain number: a port, a mark, a count of packets.
	KindNumber Kind = iota
	// KindBytes is a number of bytes.
	KindBytes
	// KindSeconds is a duration in whole seconds.
	KindSeconds
	// KindTime is a time: as a number nanoseconds since 1970, as text RFC 3339 in
	// UTC with nanoseconds.
	KindTime
	// KindRate is a number per second, which may have a fraction.
	KindRate
	// KindAddr is an IP address.
	KindAddr
	// KindWord is a word from a fixed list, or several separated by |: a protocol,
	// a state, status flags.
	KindWord
	// KindName is a name from outside, or several separated by |: of a helper, of
	// labels, of a program.
	KindName
)

// Numeric reports whether values of the kind are numbers.
func (k Kind) Numeric() bool { return k <= KindRate }

// Field is a value of entries, of expectations, or of both. Its name is the same as
// a column of CSV and of tables, as a key to sort by and as a key of summaries. The
// plain names of addresses and ports (src, dport) mean the original direction of an
// entry, and the expected tuple of an expectation.
//
// A value is absent if the kernel did not send its attribute.
type Field struct {
	Name string
	Kind Kind
	// Help describes the field in a few words.
	Help string

	// For a member of a tuple.
	side   side
	member member
	// For a value of the Context.
	context       func([]byte, *Context) []byte
	contextNumber func(*Context) (uint64, bool)
	rate          func(*Rates) float64
	// For everything else of an entry or expectation.
	number       func(*ctnetlink.Flow, *Context) (uint64, bool)
	addr         func(*ctnetlink.Flow) (netip.Addr, bool)
	text         func(*Printer, []byte, *ctnetlink.Flow, *Context) []byte
	expectNumber func(*ctnetlink.Expect, *Context) (uint64, bool)
	expectText   func([]byte, *ctnetlink.Expect) []byte
}

// side selects a tuple of an entry or expectation.
type side uint8

const (
	noSide     side = iota
	sideOrig        // the original direction; of an expectation, the expected tuple
	sideReply       // entries only
	sideMask        // expectations only
	sideMaster      // of the master connection
)

// member selects a part of a tuple.
type member uint8

const (
	memberSrc member = iota
	memberDst
	memberSPort
	memberDPort
	memberType
	memberCode
	memberICMPID
	memberSrcKey
	memberDstKey
	memberZone
	memberProto
	// Texts.
	memberProtoName
	memberSource      // with the port
	memberDestination // with the port
	memberEnds        // both
)

// IsProcess reports whether the field names processes, for which a Context must have
// the function Process.
func (d *Field) IsProcess() bool { return d.Kind == KindName && strings.HasSuffix(d.Name, "process") }

// FieldByName returns the field with a name, nil if there is none. A - in the
// name counts as _.
func FieldByName(name string) *Field {
	name = strings.ReplaceAll(name, "-", "_")
	for d := range Fields() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Fields returns all fields: first those of records in the order of their columns,
// then those that combine several values for tables.
func Fields() iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		for _, list := range [][]Field{fields, tableFields} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// OfFlows reports whether entries have the field.
func (d *Field) OfFlows() bool {
	return d.side == sideOrig || d.side == sideReply || d.side == sideMaster ||
		d.ofBoth() || d.rate != nil || d.number != nil || d.addr != nil || d.text != nil
}

// OfExpects reports whether expectations have the field.
func (d *Field) OfExpects() bool {
	return d.side == sideOrig && d.member != memberZone || d.side == sideMask || d.side == sideMaster ||
		d.ofBoth() || d.expectNumber != nil || d.expectText != nil
}

func (d *Field) ofBoth() bool { return d.context != nil || d.contextNumber != nil }

// Number returns the value of a numeric field, of a rate rounded, and reports whether
// the entry has it. A nil c is an empty Context.
func (d *Field) Number(f *ctnetlink.Flow, c *Context) (uint64, bool) {
	var spare ctnetlink.Tuple
	switch {
	case d.side != noSide:
		return d.member.number(flowSide(f, d.side, &spare))
	case c == nil:
		c = &noContext
	}
	switch {
	case d.contextNumber != nil:
		return d.contextNumber(c)
	case d.number != nil:
		return d.number(f, c)
	case d.rate != nil:
		return d.rateNumber(c)
	}
	return 0, false
}

// Addr returns the value of a field of KindAddr, and reports whether the entry has
// it.
func (d *Field) Addr(f *ctnetlink.Flow) (netip.Addr, bool) {
	var spare ctnetlink.Tuple
	switch {
	case d.side != noSide:
		return d.member.addr(flowSide(f, d.side, &spare))
	case d.addr == nil:
		return netip.Addr{}, false
	}
	return d.addr(f)
}

// AppendField appends the text of an entry's field, and nothing if it is absent.
// Names from outside are not escaped. A label without a name is # and its bit. A nil
// c is an empty Context.
func (p *Printer) AppendField(dst []byte, d *Field, f *ctnetlink.Flow, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch {
	case d.Kind == KindAddr:
		if a, ok := d.Addr(f); ok {
			return appendAddr(dst, a, 0)
		}
	case d.Kind == KindTime:
		if ns, ok := d.Number(f, c); ok {
			return appendTime(dst, ns)
		}
	case d.Kind == KindRate:
		if v, ok := d.Rate(c); ok {
			return appendRate(dst, v)
		}
	case d.Kind.Numeric():
		if v, ok := d.Number(f, c); ok {
			return appendUint(dst, v)
		}
	case d.side != noSide:
		var spare ctnetlink.Tuple
		return d.member.appendText(dst, flowSide(f, d.side, &spare))
	case d.context != nil:
		return d.context(dst, c)
	case d.text != nil:
		return d.text(p, dst, f, c)
	}
	return dst
}

// AppendExpectField is AppendField for an expectation.
func (p *Printer) AppendExpectField(dst []byte, d *Field, x *ctnetlink.Expect, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch {
	case d.expectText != nil:
		return d.expectText(dst, x)
	case d.context != nil:
		return d.context(dst, c)
	case d.Kind == KindAddr:
		if a, ok := d.member.addr(expectSide(x, d.side)); ok {
			return appendAddr(dst, a, 0)
		}
	case !d.Kind.Numeric():
		return d.member.appendText(dst, expectSide(x, d.side))
	default:
		switch v, ok := d.numberOfExpect(x, c); {
		case ok && d.Kind == KindTime:
			return appendTime(dst, v)
		case ok:
			return appendUint(dst, v)
		}
	}
	return dst
}

// numberOfExpect is Number for an expectation.
func (d *Field) numberOfExpect(x *ctnetlink.Expect, c *Context) (uint64, bool) {
	switch {
	case d.side != noSide:
		return d.member.number(expectSide(x, d.side))
	case d.contextNumber != nil:
		return d.contextNumber(c)
	case d.expectNumber != nil:
		return d.expectNumber(x, c)
	}
	return 0, false
}

// flowSide returns a tuple of an entry, an empty one if it has none. It decodes the
// tuple of the master into spare.
func flowSide(f *ctnetlink.Flow, s side, spare *ctnetlink.Tuple) *ctnetlink.Tuple {
	switch s {
	case sideOrig:
		return f.Orig()
	case sideReply:
		return f.Reply()
	case sideMaster:
		*spare, _ = f.Master()
	}
	return spare
}

// expectSide returns a tuple of an expectation, an empty one if it has none.
func expectSide(x *ctnetlink.Expect, s side) *ctnetlink.Tuple {
	switch s {
	case sideOrig:
		return x.Tuple()
	case sideMask:
		return x.Mask()
	case sideMaster:
		return x.Master()
	}
	return &noTuple
}

var noTuple ctnetlink.Tuple

// addr returns an address of a tuple.
func (m member) addr(t *ctnetlink.Tuple) (netip.Addr, bool) {
	switch m {
	case memberSrc:
		return t.Src, t.Has&ctnetlink.FieldSrc != 0
	case memberDst:
		return t.Dst, t.Has&ctnetlink.FieldDst != 0
	}
	return netip.Addr{}, false
}

// number returns a number of a tuple. The keys of GRE are in place of the ports.
func (m member) number(t *ctnetlink.Tuple) (uint64, bool) {
	gre := t.Proto == ctnetlink.ProtoGRE
	switch m {
	case memberSPort:
		return uint64(t.SrcPort), t.Has&ctnetlink.FieldSrcPort != 0 && !gre
	case memberDPort:
		return uint64(t.DstPort), t.Has&ctnetlink.FieldDstPort != 0 && !gre
	case memberSrcKey:
		return uint64(t.SrcPort), t.Has&ctnetlink.FieldSrcPort != 0 && gre
	case memberDstKey:
		return uint64(t.DstPort), t.Has&ctnetlink.FieldDstPort != 0 && gre
	case memberType:
		return uint64(t.ICMPType), t.Has&ctnetlink.FieldICMPType != 0
	case memberCode:
		return uint64(t.ICMPCode), t.Has&ctnetlink.FieldICMPCode != 0
	case memberICMPID:
		return uint64(t.ICMPID), t.Has&ctnetlink.FieldICMPID != 0
	case memberZone:
		return uint64(t.Zone), t.Has&ctnetlink.FieldZone != 0
	case memberProto:
		return uint64(t.Proto), t.Has&ctnetlink.FieldProto != 0
	}
	return 0, false
}

// appendText appends a text of a tuple.
func (m member) appendText(b []byte, t *ctnetlink.Tuple) []byte {
	switch m {
	case memberProtoName:
		if t.Has&ctnetlink.FieldProto != 0 {
			return append(b, protoWord(t.Proto)...)
		}
	case memberSource:
		return appendSource(b, t)
	case memberDestination:
		return appendDestination(b, t)
	case memberEnds:
		if t.Has&ctnetlink.FieldAddrs != 0 {
			return appendDestination(append(appendSource(b, t), " > "...), t)
		}
	}
	return b
}
