package live

import (
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// told is what a test tells of an entry.
type told struct {
	id      uint32
	start   int64 // 0: not told
	when    int64 // time of the event, 0: not told
	public  string
	packets uint64 // with counters if not 0
	mark    uint32
	status  ctnetlink.Status
	port    uint16
}

// message returns a message of an event, or of a dump with EventNone.
func message(e ctnetlink.EventType, m told) *ctnetlink.Flow {
	en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP,
		netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 1000+m.port), netip.MustParseAddrPort("192.0.2.1:53")))
	if m.public != "" {
		en.Reply.Dst = netip.MustParseAddr(m.public)
	}
	en.SetTimeout(30 * time.Second)
	en.SetStatus(m.status | ctnetlink.StatusConfirmed)
	en.SetID(m.id)
	if m.mark != 0 || e == ctnetlink.EventNone {
		en.Mark, en.Set = m.mark, en.Set.With(ctnetlink.AttrMark)
	}
	w := wire.Builder{B: en.AppendMessage(nil)}
	if m.packets != 0 {
		for k := range uint16(2) {
			in := w.Nest(uint16(ctnetlink.AttrCountersOrig) + k)
			w.U64(wire.CountersPackets, m.packets*uint64(k+1))
			w.U64(wire.CountersBytes, m.packets*uint64(k+1)*100)
			w.Close(in)
		}
	}
	if m.start != 0 {
		in := w.Nest(uint16(ctnetlink.AttrTimestamp))
		w.U64(wire.TimestampStart, uint64(m.start)*uint64(time.Second))
		w.Close(in)
	}
	if m.when != 0 {
		w.U64(uint16(ctnetlink.AttrTimestampEvent), uint64(m.when)*uint64(time.Second))
	}
	w.End()
	switch e {
	case ctnetlink.EventNew:
		wire.Message(w.B).SetFlags(wire.FlagCreate | wire.FlagExcl)
	case ctnetlink.EventDestroy:
		binary.NativeEndian.PutUint16(w.B[4:], wire.SubsysConntrack<<8|wire.MsgDelete)
	}
	f := new(ctnetlink.Flow)
	if err := f.Decode(w.B); err != nil {
		panic(err)
	}
	return f
}

// story is a copy with a test's own events and dumps.
type story struct {
	*Table
	t   *testing.T
	now *clock
}

func newStory(t *testing.T, o Options) *story {
	now := &clock{Time: time.Unix(1_700_000_000, 0)}
	return &story{New([]Source{{Now: now.now}}, o), t, now}
}

func (s *story) event(e ctnetlink.EventType, m told) { s.apply(0, message(e, m), s.now.Time) }

// lists dumps the given entries.
func (s *story) lists(all ...told) {
	d := s.beginDump(0)
	for _, m := range all {
		d.saw(message(ctnetlink.EventNone, m), s.now.Time)
	}
	for d.end() {
	}
}

// only returns the entry that there is, which must have the id.
func (s *story) only(id uint32) (e entry) {
	s.t.Helper()
	n := 0
	if err := s.walk(s.t.Context(), func(at *entry) bool { e, n = *at, n+1; return true }); err != nil {
		s.t.Fatal(err)
	}
	if n != 1 || s.len() != 1 {
		s.t.Fatalf("%d entries, %d counted", n, s.len())
	}
	if got, ok := e.id(); !ok || got != id {
		s.t.Fatalf("id %d, want %d", got, id)
	}
	return e
}

func (s *story) none() {
	s.t.Helper()
	if n := s.len(); n != 0 {
		s.t.Fatalf("%d entries", n)
	}
}

func (s *story) tally(births, deaths uint64) {
	s.t.Helper()
	if a := s.tallyOf(0); a.Births != births || a.Deaths != deaths {
		s.t.Errorf("%d births and %d deaths, want %d and %d", a.Births, a.Deaths, births, deaths)
	}
}

const (
	evNew     = ctnetlink.EventNew
	evUpdate  = ctnetlink.EventUpdate
	evDestroy = ctnetlink.EventDestroy
)

// TestSuccessor: an entry that has the tuple of one whose end was lost is another.
func TestSuccessor(t *testing.T) {
	for _, successor := range []told{
		{id: 2}, {id: 1, public: "198.51.100.1"}, {id: 1, start: 1005}, {id: 2, start: 1005, public: "198.51.100.1"},
	} {
		s := newStory(t, Options{})
		s.event(evNew, told{id: 1, start: 1000})
		e := s.only(1)
		s.setMarked(&e, true)
		first := e.ref()
		s.event(evNew, successor)
		e = s.only(successor.id)
		if e.ref() == first || e.marked() || s.marked != 0 {
			t.Errorf("%+v: taken for its predecessor", successor)
		}
		if _, ok := s.find(first); ok {
			t.Errorf("%+v: the predecessor is found", successor)
		}
		if _, ok := s.find(e.ref()); !ok {
			t.Errorf("%+v: not found", successor)
		}
		s.tally(2, 1)

		s = newStory(t, Options{})
		s.lists(successor)
		s.lists(told{id: 1, start: 1000, packets: 5})
		s.only(1)
		s.tally(1, 1)
	}
}

// TestLateEvents: events that a dump has overtaken change nothing.
func TestLateEvents(t *testing.T) {
	s := newStory(t, Options{})
	s.lists(told{id: 2, start: 1005})
	ref := func() Ref { e := s.only(2); return e.ref() }
	first := ref()
	s.event(evDestroy, told{id: 1, start: 1000})
	s.event(evDestroy, told{id: 1})
	s.event(evNew, told{id: 1, when: 1000})
	s.event(evNew, told{id: 2, when: 1005})
	if ref() != first {
		t.Error("another entry")
	}
	s.event(evUpdate, told{id: 3, port: 1}) // it had ended before the dump
	s.only(2)
	s.event(evDestroy, told{id: 3, port: 1})
	s.tally(0, 0)
	s.event(evDestroy, told{id: 2, start: 1005})
	s.none()
	s.tally(0, 1)

	// The time of the event is that of the birth, or a second later.
	s.event(evNew, told{id: 2, when: 2005})
	first = ref()
	s.lists(told{id: 2, start: 2004})
	if ref() != first {
		t.Error("another entry")
	}
}

// TestDuringDump: what happens while a dump is under way is not undone by it.
func TestDuringDump(t *testing.T) {
	s := newStory(t, Options{})
	s.event(evNew, told{id: 1})
	d := s.beginDump(0)
	s.event(evDestroy, told{id: 1})
	s.event(evDestroy, told{id: 2, port: 1}) // which was not known
	d.saw(message(ctnetlink.EventNone, told{id: 1}), s.now.Time)
	d.saw(message(ctnetlink.EventNone, told{id: 2, port: 1}), s.now.Time)
	d.saw(message(ctnetlink.EventNone, told{id: 3, port: 2, status: ctnetlink.StatusDying}), s.now.Time)
	s.none()
	d.saw(message(ctnetlink.EventNone, told{id: 4}), s.now.Time) // a successor
	s.only(4)
	s.event(evDestroy, told{id: 4})
	s.event(evNew, told{id: 5, port: 7}) // not listed
	for d.end() {
	}
	s.only(5)
	s.lists()
	s.none()

	d = s.beginDump(0)
	d.saw(message(ctnetlink.EventNone, told{id: 1}), s.now.Time)
	d.abandon()
	s.lists(told{id: 1})
	d = s.beginDump(0)
	d.abandon()
	s.only(1)
}

// TestBirthsOfDumps: without events, births and deaths are found by dumps.
func TestBirthsOfDumps(t *testing.T) {
	s := newStory(t, Options{})
	s.lists(told{id: 1}, told{id: 2, port: 1})
	s.tally(0, 0)
	s.lists(told{id: 2, port: 1}, told{id: 3, port: 2, packets: 3})
	s.tally(1, 1)
	if a := s.tallyOf(0); a.Packets != 9 || a.Bytes != 900 {
		t.Errorf("%d packets, %d bytes", a.Packets, a.Bytes)
	}
	// An event that comes late does not count a second time.
	s.event(evNew, told{id: 3, port: 2})
	s.tally(1, 1)
}

// TestRates: rates are differences by the time between two looks.
func TestRates(t *testing.T) {
	s := newStory(t, Options{})
	rates := func(packets float64) {
		t.Helper()
		e := s.only(1)
		got, known := e.rates()
		if known != (packets >= 0) {
			t.Errorf("known: %v", known)
			return
		}
		for k, times := range []float64{1, 100, 2, 200} {
			if want := packets * times; known && math.Abs(float64(got[k])-want) > want/1e6 {
				t.Errorf("rates %v, want %v packets", got, packets)
			}
		}
	}
	sum := func(packets uint64) {
		t.Helper()
		if a := s.tallyOf(0); a.Packets != packets || a.Bytes != 100*packets {
			t.Errorf("%d packets, %d bytes, want %d packets", a.Packets, a.Bytes, packets)
		}
	}
	s.lists(told{id: 1, packets: 1000})
	rates(-1)
	sum(0)
	s.now.advance(2 * time.Second)
	s.lists(told{id: 1, packets: 1500})
	rates(250)
	sum(1500)
	s.event(evUpdate, told{id: 1, mark: 7}) // it has no counters
	rates(250)
	s.now.advance(500 * time.Millisecond)
	s.lists(told{id: 1, packets: 1500})
	rates(0)
	s.lists(told{id: 1, packets: 1600}) // at the same time
	rates(0)
	s.now.advance(10 * time.Millisecond)
	s.lists(told{id: 1, packets: 1700}) // too soon
	rates(0)
	sum(2100)
	s.now.advance(50 * 24 * time.Hour) // longer than milliseconds fit
	s.lists(told{id: 1, packets: 1700})
	s.now.advance(time.Second)
	s.lists(told{id: 1, packets: 10}) // set to zero meanwhile
	rates(-1)
	s.now.advance(time.Second)
	s.lists(told{id: 1, packets: 11})
	rates(1)
	sum(2103)
	s.event(evDestroy, told{id: 1, packets: 21})
	s.none()
	sum(2133)

	// One that was seen to begin has counted from 0.
	s.event(evNew, told{id: 1})
	s.now.advance(time.Second)
	s.lists(told{id: 1, packets: 10})
	rates(10)
	sum(2163)
	s.event(evDestroy, told{id: 1, packets: 10})
	s.none()

	// Its rate is by the time since the last dump, in which it was not yet there.
	s.now.advance(900 * time.Millisecond)
	s.event(evNew, told{id: 1})
	s.now.advance(100 * time.Millisecond)
	s.lists(told{id: 1, packets: 5})
	rates(5)
	sum(2178)
	s.lists(told{id: 1})
	rates(-1)
	if e := s.only(1); e.core().has&hasCounters != 0 {
		t.Error("counters that are no longer sent are kept")
	}
	s.event(evDestroy, told{id: 1})

	// One that a dump finds has begun after the dump before.
	sum(2178)
	s.now.advance(time.Second)
	s.lists(told{id: 2, packets: 3})
	s.event(evDestroy, told{id: 2, packets: 3})
	sum(2187)
	s.now.advance(2 * time.Second)
	s.lists(told{id: 1, packets: 10})
	rates(5)
	sum(2217)

	// The one before may have listed nothing.
	s.event(evDestroy, told{id: 1, packets: 10})
	s.lists()
	s.now.advance(4 * time.Second)
	s.lists(told{id: 1, packets: 20})
	rates(5)
	s.event(evDestroy, told{id: 1, packets: 20})
	s.lists()
	s.now.advance(900 * time.Millisecond)
	s.event(evNew, told{id: 1})
	s.now.advance(100 * time.Millisecond)
	s.lists(told{id: 1, packets: 5})
	rates(5)
}

// TestMarkOfEvents: a mark of 0, which events leave out, is known where dumps have it.
func TestMarkOfEvents(t *testing.T) {
	s := newStory(t, Options{})
	s.event(evNew, told{id: 1})
	e := s.only(1)
	if _, ok := e.mark(); ok {
		t.Error("a mark that was never sent")
	}
	s.event(evDestroy, told{id: 1})
	s.lists(told{id: 2})
	s.lists(told{id: 3, mark: 3})
	s.lists()
	s.event(evNew, told{id: 1})
	if e := s.only(1); e.core().has&hasMark == 0 {
		t.Error("no mark")
	}
	s.event(evUpdate, told{id: 1, mark: 5})
	s.event(evUpdate, told{id: 1})
	e = s.only(1)
	if mark, ok := e.mark(); mark != 5 || !ok {
		t.Errorf("mark %d, %v", mark, ok)
	}
}

// TestBaseFilter: an entry that stops matching leaves, one that begins to comes.
func TestBaseFilter(t *testing.T) {
	s := newStory(t, Options{Filter: &filter.Filter{Marks: []filter.MarkRange{{Min: 5, Max: 5, Mask: ^uint32(0)}}}})
	s.lists(told{id: 1, mark: 5}, told{id: 2, port: 1})
	s.only(1)
	s.event(evUpdate, told{id: 1}) // the mark is as it was
	s.only(1)
	s.event(evUpdate, told{id: 1, mark: 4})
	s.none()
	s.event(evUpdate, told{id: 1, mark: 5})
	e := s.only(1)
	s.setMarked(&e, true)
	s.lists(told{id: 1, mark: 6})
	s.none()
	if s.marked != 0 {
		t.Errorf("%d are marked", s.marked)
	}
	s.event(evNew, told{id: 3, mark: 5})
	s.event(evNew, told{id: 4, mark: 4, port: 1})
	s.only(3)
	s.event(evDestroy, told{id: 4, port: 1})
	s.event(evDestroy, told{id: 3})
	s.none()
	s.tally(1, 1)
}
