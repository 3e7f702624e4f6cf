package engine_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// replaceAttr returns a message with another payload of an attribute, which is
// appended if there is none. nil removes it.
func replaceAttr(msg []byte, typ uint16, val []byte) []byte {
	w := wire.Builder{B: slices.Clone(msg[:wire.HeadLen])}
	a := wire.Attrs{B: msg[wire.HeadLen:]}
	found := false
	for rest := a.B; a.Next(); rest = a.B {
		switch {
		case a.Type != typ&wire.AttrTypeMask:
			w.B = append(w.B, rest[:len(rest)-len(a.B)]...)
		case val != nil:
			w.Bytes(typ, val)
			found = true
		}
	}
	if !found && val != nil {
		w.Bytes(typ, val)
	}
	binary.NativeEndian.PutUint32(w.B, uint32(len(w.B)))
	return w.B
}

// payload returns the payload of an attribute with others inside.
func payload(add func(w *wire.Builder)) []byte {
	var w wire.Builder
	add(&w)
	return w.B
}

// TestRestoreUnknown: what the engine does not know of an entry in a dump, as of
// other versions of the kernel, is kept as it was.
func TestRestoreUnknown(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now})
	c := client(t, tab)
	create(t, c, rich())
	tcp := dumped(tab)[0]
	sctp := connection(2)
	sctp.Orig.Proto, sctp.Reply.Proto = ctnetlink.ProtoSCTP, ctnetlink.ProtoSCTP
	create(t, c, sctp)
	other := connection(3)
	for _, tuple := range []*ctnetlink.Tuple{&other.Orig, &other.Reply} {
		tuple.Proto, tuple.SrcPort, tuple.DstPort = 99, 0, 0
		tuple.Has &^= ctnetlink.FieldPorts
	}
	create(t, c, other)
	all := dumped(tab)
	const (
		nested = wire.AttrNested
		info   = uint16(ctnetlink.AttrProtoInfo) | nested
	)
	state := func(proto, attr uint16, state uint8) []byte {
		return payload(func(w *wire.Builder) {
			in := w.Nest(proto)
			w.U8(attr, state)
			if proto == wire.InfoTCP {
				w.U8(wire.InfoTCPWScaleOrig, 20)
				w.U8(wire.InfoTCPWScaleReply, 3)
				w.Bytes(wire.InfoTCPFlagsOrig, []byte{10, 0})
				w.Bytes(wire.InfoTCPFlagsReply, []byte{0, 0})
			} else {
				w.U32(wire.InfoSCTPVTagOrig, 1)
				w.U32(wire.InfoSCTPVTagReply, 2)
			}
			w.Close(in)
		})
	}
	for name, m := range map[string][]byte{
		"a helper in user space": bytes.Replace(tcp, []byte("ftp\x00"), []byte("tns\x00"), 1),
		"a helper of another protocol": replaceAttr(all[1], uint16(ctnetlink.AttrHelp)|nested, payload(func(w *wire.Builder) {
			w.Str(wire.HelpName, "ftp")
		})),
		"a helper's data": replaceAttr(tcp, uint16(ctnetlink.AttrHelp)|nested, payload(func(w *wire.Builder) {
			w.Str(wire.HelpName, "mdns")
			w.Bytes(2, []byte("CTA_HELP_INFO"))
		})),
		"a state of TCP":          replaceAttr(tcp, info, state(wire.InfoTCP, wire.InfoTCPState, 77)),
		"a state of SCTP":         replaceAttr(all[1], info, state(wire.InfoSCTP, wire.InfoSCTPState, 9)),
		"a protocol with a state": replaceAttr(all[2], info, []byte{5, 0, 9, 0, 1, 0, 0, 0}),
		"more labels":             replaceAttr(tcp, uint16(ctnetlink.AttrLabels), bytes.Repeat([]byte{3}, 32)),
		"a security mark":         replaceAttr(tcp, uint16(ctnetlink.AttrSecMark), []byte{0, 0, 0, 9}),
		"new attributes": replaceAttr(replaceAttr(tcp, 77|nested, []byte{8, 0, 1, 0, 1, 2, 3, 4}), 300,
			[]byte("text")),
	} {
		to := engine.New(engine.Options{Now: k.Now})
		if err := to.Restore(m, 0); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := dumped(to)[0]
		if !bytes.Equal(normalized(got), normalized(m)) {
			t.Errorf("%s:\n%x, was\n%x", name, got, m)
		}
		// It can be changed and deleted, with its own helper too.
		var f ctnetlink.Flow
		if err := f.Decode(m); err != nil {
			t.Fatal(err)
		}
		var en ctnetlink.FlowSpec
		en.Identify(&f)
		en.Set = en.Set.With(ctnetlink.AttrMark)
		en.Mark = 5
		conn := client(t, to)
		if err := conn.Update(&en); err != nil {
			t.Errorf("%s: updated: %v", name, err)
		}
		if err := conn.Delete(&en); err != nil || to.Len() != 0 {
			t.Errorf("%s: deleted: %v, %d left", name, err, to.Len())
		}
	}
}

// normalized returns a message with its attributes in the order of their numbers.
func normalized(msg []byte) []byte {
	var parts [][]byte
	a := wire.Attrs{B: msg[wire.HeadLen:]}
	for rest := a.B; a.Next(); rest = a.B {
		parts = append(parts, rest[:len(rest)-len(a.B)])
	}
	slices.SortFunc(parts, func(a, b []byte) int {
		number := func(b []byte) int { return int(binary.NativeEndian.Uint16(b[2:]) & wire.AttrTypeMask) }
		return number(a) - number(b)
	})
	return slices.Concat(append([][]byte{msg[:wire.HeadLen]}, parts...)...)
}

// TestRestoreUnknownExpectation: expectations that no request could make are
// restored too: of a master without a helper, as a rule makes them, of a helper
// in user space, of one in a zone, which the kernel's message does not name.
func TestRestoreUnknownExpectation(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now})
	c := client(t, tab)
	create(t, c, rich())
	x := expectationOf(rich(), 5000)
	x.Zone, x.HasZone = 9, true
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	all := dumped(tab)
	entry, expect := all[0], replaceAttr(all[1], wire.ExpectZone, nil)
	withoutHelper := replaceAttr(entry, uint16(ctnetlink.AttrHelp), nil)
	foreign := bytes.Replace(entry, []byte("ftp\x00"), []byte("tns\x00"), 1)
	for name, messages := range map[string][2][]byte{
		"in a zone":   {entry, expect},
		"of a rule":   {withoutHelper, replaceAttr(expect, wire.ExpectHelpName, nil)},
		"user space":  {foreign, bytes.Replace(expect, []byte("ftp\x00"), []byte("tns\x00"), 1)},
		"class":       {entry, replaceAttr(expect, wire.ExpectClass, []byte{0, 0, 0, 7})},
		"flags":       {entry, replaceAttr(expect, wire.ExpectFlags, []byte{0, 0, 1, 0})},
		"function":    {entry, replaceAttr(expect, wire.ExpectFn, []byte("zzz\x00"))},
		"last second": {entry, replaceAttr(expect, wire.ExpectTimeout, []byte{0, 0, 0, 1})},
	} {
		to := engine.New(engine.Options{Now: k.Now})
		for _, m := range messages {
			if err := to.Restore(m, 0); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		got := dumped(to)
		if len(got) != 2 || !bytes.Equal(normalized(replaceAttr(got[1], wire.ExpectZone, nil)), normalized(messages[1])) {
			t.Errorf("%s:\n%x, was\n%x", name, got, messages)
			continue
		}
		// And so from what a table file has then.
		again := engine.New(engine.Options{Now: k.Now})
		for _, m := range got {
			if err := again.Restore(m, time.Second/2); err != nil {
				t.Errorf("%s, again: %v", name, err)
			}
		}
		if n, _, err := client(t, again).Count(); err != nil || n != 1 {
			t.Errorf("%s, again: %d entries, %v", name, n, err)
		}
		if got := dumped(again); len(got) != 2 {
			t.Errorf("%s, again: %d messages", name, len(got))
		}
	}
}
