package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// world is a table that changes, and a copy of it that learns of that late: events
// and the messages of a dump wait until the test hands them on.
type world struct {
	*generator
	t      *testing.T
	now    *clock
	kernel *engine.Table
	conn   *ctnetlink.Conn
	copy   *Table

	socket  ctnetlink.Socket
	events  []*ctnetlink.Flow // on their way
	dumper  ctnetlink.Socket
	dump    *dumping          // nil: none
	listed  []*ctnetlink.Flow // on their way
	read    bool              // the whole dump is in listed
	made    int               // number of tuples
	tuples  []ctnetlink.FlowSpec
	lost    bool // events were lost, or entries came without one, since a dump began
	current bool // a dump was complete, and nothing was lost since it began
	steps   []string
}

func newWorld(t *testing.T, seed uint64, o engine.Options) *world {
	w := &world{generator: newGenerator(seed), t: t}
	o.Max = -1
	w.copy, w.kernel, w.conn, w.now = newTable(t, o, Options{})
	w.socket, w.dumper = w.dial(), w.dial()
	for _, g := range []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy} {
		if err := w.socket.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.socket.SetReadBuffer(64 << 20); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) dial() ctnetlink.Socket {
	s, err := w.kernel.Dial()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

// poll receives the messages that wait in a socket.
func (w *world) poll(s ctnetlink.Socket) (all []*ctnetlink.Flow, done bool) {
	buf := make([]byte, 4096)
	n, _, err := s.Poll(buf)
	if errors.Is(err, ctnetlink.EAGAIN) {
		return nil, false
	}
	if err != nil {
		w.t.Fatal(err)
	}
	m := wire.Messages{B: bytes.Clone(buf[:n])}
	for m.Next() {
		if m.Msg.Type() == wire.TypeDone {
			return all, true
		}
		f := new(ctnetlink.Flow)
		if err := f.Decode(m.Msg); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, f)
	}
	return all, false
}

func (w *world) note(format string, a ...any) { w.steps = append(w.steps, fmt.Sprintf(format, a...)) }

// birth creates an entry: a new one, or one with a tuple that was used before.
func (w *world) birth() {
	var en ctnetlink.FlowSpec
	if len(w.tuples) > 0 && w.one(2) {
		en = w.tuples[w.IntN(len(w.tuples))]
	} else {
		w.made++
		en = *ctnetlink.NewFlowSpec(w.tuple(w.made))
		if w.one(4) {
			en.SetZone(uint16(w.IntN(3)))
		}
		if w.one(4) {
			en.SetLabels(ctnetlink.NewLabels(w.IntN(9)), nil)
		}
		if en.Orig.Proto == ctnetlink.ProtoTCP {
			en.SetState(ctnetlink.NewState(en.Orig.Proto, uint8(1+w.IntN(8))))
		}
		w.tuples = append(w.tuples, en)
	}
	if w.one(4) {
		w.translate(&en.Reply)
	}
	if w.one(2) {
		en.SetMark(w.Uint32N(5), ^uint32(0))
	}
	en.SetTimeout(time.Duration(1+w.IntN(120)) * time.Second)
	err := w.conn.Create(&en)
	if err != nil && !errors.Is(err, ctnetlink.EEXIST) {
		w.t.Fatal(err)
	}
	w.note("birth %v %v", en.Orig, err)
}

// restore adds entries of all kinds, of which no event tells.
func (w *world) restore(n int) {
	for range n {
		w.made++
		if err := w.kernel.Restore(w.entry(w.made, w.now.Time), 0); err != nil {
			w.t.Fatal(err)
		}
	}
	w.lost, w.current = true, false
	w.note("restore %d", n)
}

// any returns an entry of the table.
func (w *world) any() (en ctnetlink.FlowSpec, ok bool) {
	n := w.IntN(max(1, w.kernel.Len()))
	for f, err := range w.conn.Dump(nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		if en.Identify(f); n == 0 {
			return en, true
		}
		n--
	}
	return en, false
}

func (w *world) change() {
	en, ok := w.any()
	if !ok {
		return
	}
	if w.one(2) {
		en.SetMark(w.Uint32N(5), ^uint32(0))
	}
	if w.one(2) {
		en.SetTimeout(time.Duration(1+w.IntN(120)) * time.Second)
	}
	if en.Orig.Proto == ctnetlink.ProtoTCP && w.one(2) {
		en.SetState(ctnetlink.NewState(en.Orig.Proto, uint8(1+w.IntN(8))))
	}
	en.ID, en.Set = 0, en.Set.Without(ctnetlink.AttrID)
	err := w.conn.Update(&en)
	w.note("change %v %v", en.Orig, err)
}

func (w *world) death() {
	if en, ok := w.any(); ok {
		// It may be refused where zones of one direction hide another entry.
		w.note("death %v %v", en.Orig, w.conn.Delete(&en))
	}
}

// hear receives events, which then are on their way.
func (w *world) hear() {
	for {
		more, _ := w.poll(w.socket)
		if len(more) == 0 {
			return
		}
		w.events = append(w.events, more...)
	}
}

func (w *world) deliver(n int) {
	w.hear()
	n = min(n, len(w.events))
	for _, f := range w.events[:n] {
		w.copy.apply(0, f, w.now.Time)
		w.note("deliver %v %v", f.EventType(), f)
	}
	w.events = w.events[n:]
}

func (w *world) lose() {
	w.hear()
	if n := min(w.IntN(4), len(w.events)); n > 0 {
		at := w.IntN(len(w.events) - n + 1)
		w.events = slices.Delete(w.events, at, at+n)
		w.lost, w.current = true, false
		w.note("lose %d", n)
	}
}

// dumping begins a dump, receives some of it, hands on some of that, or ends it.
func (w *world) dumping() {
	switch {
	case w.dump == nil:
		if w.lost {
			w.deliver(1 << 30) // as the feed does: what is older than the loss must not come after the dump
		}
		b := wire.Builder{}
		b.Begin(wire.SubsysConntrack<<8|wire.MsgGet, wire.FlagRequest|wire.FlagDump, 1, 0, 0, 0, 0)
		b.End()
		w.dump, w.read, w.lost = w.copy.beginDump(0), false, false
		if err := w.dumper.Send(b.B); err != nil {
			w.t.Fatal(err)
		}
		w.note("begin a dump")
	case !w.read && w.one(2):
		var more []*ctnetlink.Flow
		more, w.read = w.poll(w.dumper)
		w.listed = append(w.listed, more...)
		w.note("read %d", len(more))
	case len(w.listed) > 0:
		n := 1 + w.IntN(len(w.listed))
		for _, f := range w.listed[:n] {
			w.dump.saw(f, w.now.Time)
			w.note("saw %v", f)
		}
		w.listed = w.listed[n:]
	case w.read:
		w.note("end of the dump")
		for w.dump.end() {
		}
		w.dump, w.current = nil, !w.lost
	}
}

// finish hands on all that is on its way.
func (w *world) finish() {
	for w.dump != nil {
		w.dumping()
		w.deliver(w.IntN(3))
	}
	w.deliver(1 << 30)
}

// compare fails the test unless the copy has the entries that the table has.
func (w *world) compare() {
	w.t.Helper()
	name := func(f *ctnetlink.Flow) string {
		id, _ := f.ID()
		zone, _ := f.Zone()
		mark, _ := f.Mark()
		state, _ := f.State()
		return fmt.Sprintf("%d %d %v %v %+v %+v", id, zone, mark, state, *f.Orig(), *f.Reply())
	}
	want, got := map[string]int{}, map[string]int{}
	for f, err := range w.conn.Dump(nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		want[name(f)]++
	}
	w.deliver(1 << 30) // what the dump found to have expired
	var f ctnetlink.Flow
	if err := w.copy.walk(context.Background(), func(e *entry) bool {
		if err := f.Decode(e.appendMessage(nil)); err != nil {
			w.t.Fatal(err)
		}
		got[name(&f)]++
		return true
	}); err != nil {
		w.t.Fatal(err)
	}
	same(w.t, got, want)
	if n := w.copy.len(); n != len(want) {
		w.t.Errorf("%d entries are counted, %d are there", n, len(want))
	}
	if w.t.Failed() {
		for _, s := range w.steps {
			w.t.Log(s)
		}
		w.t.FailNow()
	}
}

// TestSequences: whatever happens in which order, a copy that has taken in everything
// has the same entries as the table; after one more dump they are equal.
func TestSequences(t *testing.T) {
	runs := 20
	if n, err := strconv.Atoi(os.Getenv("LIVE_RUNS")); err == nil { // a longer test
		runs = n
	}
	compared := 0
	for seed := range uint64(runs) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed, engine.Options{Timestamps: seed%2 == 0, Accounting: seed%4 < 2})
			w.restore(w.IntN(100))
			for range 150 {
				w.now.advance(time.Duration(w.IntN(1000)) * time.Millisecond)
				switch w.IntN(12) {
				case 0, 1, 2:
					w.birth()
				case 3:
					w.change()
				case 4:
					w.death()
				case 5, 6:
					w.deliver(w.IntN(4))
				case 7, 8, 9:
					w.dumping()
				case 10:
					if w.one(10) {
						w.lose()
					} else if w.one(10) {
						w.restore(1)
					}
				case 11:
					if w.one(4) {
						w.finish()
						if w.current {
							w.compare()
							compared++
						}
					}
				}
			}
			w.finish()
			w.deliver(1 << 30)
			dumpInto(t, w.copy, 0)
			w.deliver(1 << 30)
			w.compare()
			same(t, copyOf(t, w.copy), tableOf(t, w.conn))
			if a := w.copy.tallyOf(0); int(a.Deaths) > int(a.Births)+w.made {
				t.Errorf("%d deaths of %d births", a.Deaths, a.Births)
			}
		})
	}
	if compared < runs/2 {
		t.Errorf("compared %d times in %d runs", compared, runs)
	}
}
