package ctnetlink

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// captured returns the messages of a file that TestCapture wrote, cut apart. On
// a big-endian machine they are hostile input like any other.
func captured(t testing.TB, name string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".nl"))
	if err != nil {
		t.Fatal(err)
	}
	m := wire.Messages{B: b}
	for m.Next() {
		all = append(all, slices.Clone(m.Msg))
	}
	return all
}

// malformed are messages whose parts contradict each other.
func malformed(typ uint16) [][]byte {
	be := func(n int) []byte { return make([]byte, n) }
	nested := func(typ uint16, inner ...[]byte) []byte {
		return attribute(typ|wire.AttrNested, -1, bytes.Join(inner, nil)...)
	}
	deep := be(0)
	for range 100 { // a tuple in a tuple in a tuple
		deep = nested(1, deep)
	}
	good := benchEntry(1).AppendMessage(nil)
	all := [][]byte{
		{}, be(3), be(16), be(20), good[:16], good[:19],
		withLength(good, 0), withLength(good, 15), withLength(good, 19), withLength(good, 1<<32-1), withLength(good, uint32(len(good))+1),
		message(typ, 1),
		message(typ, 1, be(1)), message(typ, 1, be(3)), // crumbs behind the last attribute
		message(typ, 1, attribute(1, 0, 1, 2)), message(typ, 1, attribute(1, 1)), message(typ, 1, attribute(1, 2)),
		message(typ, 1, attribute(1, 3)), message(typ, 1, attribute(1, 4)), message(typ, 1, attribute(1, 65535, 1)),
		message(typ, 1, deep), message(typ, 1, attribute(0xffff, -1, 1)), message(typ, 1, attribute(28, -1, 1)),
		// numbers too short, at the top and in a nest
		message(typ, 1, nested(1, nested(wire.TupleIP, attribute(wire.IPv4Src, -1, 1, 2, 3)))),
		message(typ, 1, nested(1, nested(wire.TupleIP, attribute(wire.IPv6Dst, -1, be(15)...)))),
		message(typ, 1, nested(2, nested(wire.TupleProto, attribute(wire.ProtoSrcPort, -1, 1)))),
		message(typ, 1, nested(2, nested(wire.TupleProto, attribute(wire.ProtoNum, -1)))),
		message(typ, 1, nested(2, attribute(wire.TupleZone, -1, 1))),
		message(typ, 1, nested(4, nested(wire.InfoTCP, attribute(wire.InfoTCPState, -1), attribute(wire.InfoTCPFlagsOrig, -1, 1)))),
		message(typ, 1, nested(4, nested(wire.InfoSCTP, attribute(wire.InfoSCTPVTagOrig, -1, 1, 2, 3)))),
		message(typ, 1, nested(9, attribute(wire.CountersPackets, -1, be(7)...), attribute(wire.CountersBytes32, -1, be(3)...))),
		message(typ, 1, nested(20, attribute(wire.TimestampStart, -1, be(7)...))),
		// wrong nesting: numbers where a nest is due, and the reverse
		message(typ, 1, attribute(1, -1, 1, 2, 3, 4, 5), attribute(4, -1, 0, 0, 0, 0), attribute(5, -1, 'f', 't', 'p')),
		message(typ, 1, nested(3, nested(1, be(4))), nested(12, attribute(1, -1))),
		// twice, and a string without its NUL
		message(typ, 1, attribute(12, -1, 1, 1, 1, 1), attribute(12, -1, 2, 2, 2, 2), attribute(1, -1), attribute(1, -1)),
		message(typ, 1, nested(5, attribute(wire.HelpName, -1, bytes.Repeat([]byte{'x'}, 40)...)), attribute(6, -1, 'x'), attribute(11, -1)),
	}
	for n := range 16 {
		all = append(all, message(typ, 1, attribute(uint16(n), -1, be(n%5)...)))
	}
	return all
}

// visit calls every accessor of a view.
func visit(t *testing.T, f *Flow) {
	t.Helper()
	f.Status()
	f.StatusMask()
	f.Timeout()
	f.Mark()
	f.MarkMask()
	f.SecMark()
	f.Use()
	f.ID()
	f.Zone()
	f.ProtoInfo()
	f.State()
	f.Helper()
	f.SecCtx()
	f.CountersOrig()
	f.CountersReply()
	f.Start()
	f.Stop()
	f.EventTime()
	f.Master()
	f.SourceNAT()
	f.DestinationNAT()
	f.SourcePortNAT()
	f.DestinationPortNAT()
	f.EventType()
	if labels, ok := f.Labels(); ok {
		for n := -1; n <= MaxLabels; n++ {
			labels.Has(n)
		}
	}
	for a := range Attr(100) {
		if raw, ok := f.Raw(a); ok != (f.Has(a) && a <= attrMax) || !bytes.Contains(f.Message(), raw) {
			t.Fatalf("attribute %d: %v, %x", a, ok, raw)
		}
	}
	f.Orig().Family()
	var en FlowSpec
	en.Identify(f)
	// What is asked about an entry shows the same tuple as the entry.
	var again Flow
	if err := again.Decode(en.AppendMessage(nil)); err != nil {
		t.Fatalf("its own request: %v", err)
	}
	c := f.Clone()
	if !bytes.Equal(c.Message(), f.Message()) || *c.Orig() != *f.Orig() || *c.Reply() != *f.Reply() {
		t.Fatal("the clone differs")
	}
}

func visitExpect(t *testing.T, e *Expect) {
	t.Helper()
	e.Timeout()
	e.ID()
	e.Class()
	e.Flags()
	e.Zone()
	e.Helper()
	e.Fn()
	e.EventType()
	var x ExpectSpec
	x.Identify(e)
	c := e.Clone()
	if !bytes.Equal(c.Message(), e.Message()) || *c.Tuple() != *e.Tuple() || *c.Mask() != *e.Mask() || *c.Master() != *e.Master() {
		t.Fatal("the clone differs")
	}
}

// TestCaptured: what the kernel sent is read without complaint.
func TestCaptured(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the files are little endian")
	}
	for _, name := range []string{"dump", "events", "expect"} {
		all := captured(t, name)
		if len(all) == 0 {
			t.Errorf("%s is empty", name)
		}
		for _, msg := range all {
			m := wire.Messages{B: msg}
			m.Next()
			var err error
			switch m.Msg.Type() >> 8 {
			case wire.SubsysConntrack:
				var f Flow
				if err = f.Decode(msg); err == nil {
					visit(t, &f)
				}
			case wire.SubsysExpect:
				var e Expect
				if err = e.Decode(msg); err == nil {
					visitExpect(t, &e)
				}
			}
			if err != nil {
				t.Errorf("%s: %v: %x", name, err, msg)
			}
		}
	}
}

func FuzzFlow(f *testing.F) {
	for _, msg := range append(append(captured(f, "dump"), captured(f, "events")...), malformed(wire.SubsysConntrack<<8)...) {
		f.Add(msg)
	}
	var flow Flow // used again and again, as in a dump
	f.Fuzz(func(t *testing.T, msg []byte) {
		if err := flow.Decode(msg); err != nil {
			if flow.Message() != nil || flow.Orig().Has|flow.Reply().Has != 0 || flow.Has(AttrID) {
				t.Fatal("something is left after an error")
			}
			return
		}
		visit(t, &flow)
	})
}

func FuzzExpect(f *testing.F) {
	for _, msg := range append(append(captured(f, "expect"), captured(f, "events")...), malformed(wire.SubsysExpect<<8)...) {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var e Expect
		if err := e.Decode(msg); err != nil {
			if e.Message() != nil || e.Tuple().Has != 0 {
				t.Fatal("something is left after an error")
			}
			if _, ok := e.ID(); ok {
				t.Fatal("an id is left after an error")
			}
			return
		}
		visitExpect(t, &e)
	})
}

// FuzzMessages walks a datagram: every step goes on, nothing is read twice.
func FuzzMessages(f *testing.F) {
	for _, name := range []string{"dump", "events", "expect", "stats", "errors"} {
		f.Add(bytes.Join(captured(f, name), nil))
	}
	for _, msg := range malformed(wire.SubsysConntrack << 8) {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, total := wire.Messages{B: b}, 0
		for m.Next() {
			if len(m.Msg) < wire.HeaderLen {
				t.Fatalf("a message of %d bytes", len(m.Msg))
			}
			total += len(m.Msg)
			m.Msg.Seq()
			if err := outcome(m.Msg); err != nil {
				_ = err.Error()
			}
			if _, attributes, err := decodeHeader(m.Msg); err == nil {
				a := wire.Attrs{B: attributes}
				for a.Next() {
					wire.CString(a.Val)
				}
			}
			_, _ = decodeStats(m.Msg, counterNames)
		}
		if total > len(b) || total < len(b)-3*len(b)/wire.HeaderLen-3 && !m.Malformed {
			t.Fatalf("%d of %d bytes, malformed %v", total, len(b), m.Malformed)
		}
		var events Events
		for events.Reset(EventBatch{Messages: b}); events.Next(); {
			if events.Expectation {
				visitExpect(t, events.Expect())
			} else {
				visit(t, events.Flow())
			}
		}
	})
}

// FuzzStats reads counters from arbitrary answers.
func FuzzStats(f *testing.F) {
	for _, msg := range append(captured(f, "stats"), malformed(wire.SubsysConntrack<<8|wire.MsgGetStatsCPU)...) {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := datagram{err: ENOBUFS}
		for _, do := range []func(c *Conn){
			func(c *Conn) {
				for range c.Stats() {
				}
			},
			func(c *Conn) {
				for range c.StatsExpect() {
				}
			},
			func(c *Conn) { _, _, _ = c.Count() },
			func(c *Conn) {
				if f, err := c.Get(benchEntry(1)); err == nil {
					visit(t, f)
				}
			},
			func(c *Conn) {
				if e, err := c.GetExpect(&ExpectSpec{}); err == nil {
					visitExpect(t, e)
				}
			},
		} {
			do(fake(datagram{b: b}, from0(done(1)), end).conn())
		}
	})
}

// FuzzDump streams arbitrary datagrams; the last is an error, so that it ends.
func FuzzDump(f *testing.F) {
	for _, name := range []string{"dump", "expect", "errors"} {
		all := captured(f, name)
		if len(all) == 0 {
			continue
		}
		f.Add(bytes.Join(all, nil), uint16(len(all[0])), uint16(0))
		f.Add(bytes.Join(append(all, done(1)), nil), uint16(0), uint16(len(all[0])))
		f.Add(bytes.Join(append(all, all...), nil), uint16(len(bytes.Join(all, nil))), uint16(0)) // all repeated
	}
	for _, msg := range malformed(wire.SubsysConntrack << 8) {
		f.Add(append(entryMessage(1, 1, 1), msg...), uint16(20), uint16(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut1, cut2 uint16) {
		at := min(int(cut1), len(b))
		to := min(at+int(cut2), len(b))
		datagrams := []datagram{{b: b[:at]}, {b: b[at:to]}, {b: b[to:], from: 0}, {err: ENOBUFS}}
		s := fake(datagrams...)
		for f, err := range s.conn().Dump(&DumpRequest{}) {
			if err != nil {
				if f != nil {
					t.Fatal("an entry beside an error")
				}
				break
			}
			visit(t, f)
		}
		if !s.isClosed() {
			t.Fatal("the socket was left open")
		}
		for e, err := range fake(datagrams...).conn().DumpExpect(FamilyAny) {
			if err == nil {
				visitExpect(t, e)
			}
		}
	})
}
