package live

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// marksOf returns the marks of the entries of a choice.
func marksOf(c *Choice) (marks []uint32) {
	for row := range c.All() {
		mark, _ := row.Flow.Mark()
		marks = append(marks, mark)
	}
	slices.Sort(marks)
	return marks
}

const (
	born = ctnetlink.EventNew
	dies = ctnetlink.EventDestroy
)

// TestChoice: an entry that ends leaves a choice, and loses its mark; the entry that
// takes its place, also one with its id, neither enters nor has one.
func TestChoice(t *testing.T) {
	s := newStory(t, Options{})
	for port := range uint16(4) {
		s.event(born, told{id: uint32(1 + port), port: port, mark: uint32(10 + port)})
	}
	all, err := s.ChooseMatching(context.Background(), nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	some, err := s.ChooseMatching(context.Background(), &filter.Filter{
		Marks: []filter.MarkRange{{Min: 11, Max: 12, Mask: 0xffffffff}}}, nil, "")
	if err != nil || !slices.Equal(marksOf(some), []uint32{11, 12}) || some.Len() != 2 {
		t.Fatal(marksOf(some), some.Len(), err)
	}
	if n, err := s.MarkMatching(context.Background(), some.filter, nil, "", true); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	one := s.ChooseOne(some.refs[0])
	marked := s.ChooseMarked()
	if one.Len() != 1 || !slices.Equal(marksOf(marked), []uint32{11, 12}) {
		t.Fatal(one.Len(), marksOf(marked))
	}
	gone := some.refs[0]
	s.event(dies, told{id: 2, port: 1, mark: 11})
	s.event(born, told{id: 2, port: 1, mark: 11}) // with the same id, mark, and record
	s.event(born, told{id: 9, port: 9, mark: 12})
	if one.Len() != 0 || one.Has(gone) || len(marksOf(one)) != 0 {
		t.Error("an entry that ended is chosen")
	}
	for what, c := range map[string]*Choice{"matching": some, "marked": marked, "marked now": s.ChooseMarked()} {
		if got := marksOf(c); !slices.Equal(got, []uint32{12}) || c.Len() != 1 {
			t.Errorf("%s: %d, %d are left", what, got, c.Len())
		}
	}
	if got := marksOf(all); !slices.Equal(got, []uint32{10, 12, 13}) {
		t.Errorf("%d are left of all", got)
	}
	s.Mark(gone, true) // does nothing
	if s.ChooseMarked().Len() != 1 {
		t.Error("an entry was marked that has ended")
	}
	if n, err := s.MarkMatching(context.Background(), nil, nil, "", false); n != 1 || err != nil || s.ChooseMarked().Len() != 0 {
		t.Error(n, err, s.ChooseMarked().Len())
	}
}

// TestMatches: what was chosen because it matches must still match when it is asked for.
func TestMatches(t *testing.T) {
	keys, err := cmdline.ParseKeys("mark")
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, Options{Filter: &filter.Filter{StatusClear: ctnetlink.StatusAssured}})
	s.event(born, told{id: 1, mark: 5})
	groups, err := s.Groups(context.Background(), &GroupQuery{Keys: keys, Sort: "entries", Limit: 10})
	if err != nil || len(groups.Groups) != 1 {
		t.Fatal(groups, err)
	}
	all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
	five, _ := s.ChooseMatching(context.Background(), &filter.Filter{Marks: []filter.MarkRange{{Min: 5, Max: 5, Mask: 7}}}, nil, "")
	group, err := s.ChooseMatching(context.Background(), nil, &groups.Groups[0].ID, "")
	if err != nil || group.Len() != 1 {
		t.Fatal(group.Len(), err)
	}
	for _, c := range []struct {
		now              told
		all, five, group bool
	}{
		{told{id: 1, mark: 5}, true, true, true},
		{told{id: 1, mark: 13}, true, true, false},
		{told{id: 1, mark: 6}, true, false, false},
		{told{id: 1, mark: 5, status: ctnetlink.StatusAssured}, false, false, false},
	} {
		f := message(ctnetlink.EventNone, c.now)
		if all.Matches(0, f) != c.all || five.Matches(0, f) != c.five || group.Matches(0, f) != c.group {
			t.Errorf("%+v: %v, %v, %v", c.now, all.Matches(0, f), five.Matches(0, f), group.Matches(0, f))
		}
	}
}

// TestIdentity: what tells an entry from one that took its place.
func TestIdentity(t *testing.T) {
	const seen = ctnetlink.StatusSeenReply
	for _, c := range []struct {
		was, now told
		same     bool
	}{
		{told{id: 1}, told{id: 1}, true},
		{told{id: 1, mark: 5}, told{id: 1, mark: 6, status: seen}, true},
		{told{id: 1}, told{id: 2}, false},
		{told{id: 1, start: 1_600_000_000}, told{id: 1, start: 1_600_000_000}, true},
		{told{id: 1, start: 1_600_000_001}, told{id: 1, start: 1_600_000_000}, true}, // from an event
		{told{id: 1, start: 1_600_000_000}, told{id: 1, start: 1_600_000_001}, false},
		{told{id: 1}, told{id: 1, start: 1_600_000_001}, true}, // not known then
		{told{id: 1, status: seen}, told{id: 1}, false},
		{told{id: 1, public: "198.51.100.1"}, told{id: 1, public: "198.51.100.2"}, false},
	} {
		s := newStory(t, Options{})
		s.lists(c.was)
		all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
		var i Identity
		for row := range all.All() {
			i.Identify(row)
		}
		if got := i.Is(message(ctnetlink.EventNone, c.now)); got != c.same {
			t.Errorf("%+v, then %+v: %v", c.was, c.now, got)
		}
	}
}

// TestChooseInOrder: all entries of a query come in its order.
func TestChooseInOrder(t *testing.T) {
	keys, err := cmdline.ParseKeys("mark")
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, Options{})
	for port := range uint16(3000) {
		s.event(born, told{id: uint32(1 + port), port: port, mark: uint32(port)*7919%3000 + 1})
	}
	c, err := s.ChooseInOrder(context.Background(), &Query{Order: []Key{{Key: keys[0], Descending: true}}, Limit: 5})
	if err != nil || c.Len() != 3000 {
		t.Fatal(c.Len(), err)
	}
	want := uint32(3000)
	for row := range c.All() {
		if mark, _ := row.Flow.Mark(); mark != want {
			t.Fatalf("%d, want %d", mark, want)
		}
		want--
	}
}

// TestWatch: a watch reports how its entry ended.
func TestWatch(t *testing.T) {
	start := func() (s *story, look func() (*Row, Ending), stop func()) {
		s = newStory(t, Options{})
		s.sources[0].Program = func(portID uint32) string { return map[uint32]string{77: "conntrack"}[portID] }
		s.lists(told{id: 1, mark: 5})
		all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
		look, stop = s.Watch(all.refs[0])
		if row, e := look(); row == nil || e.Ended {
			t.Fatal(row, e)
		}
		return s, look, stop
	}
	mark := func(row *Row) uint32 { mark, _ := row.Flow.Mark(); return mark }

	s, look, stop := start()
	s.event(ctnetlink.EventUpdate, told{id: 1, mark: 6})
	if row, e := look(); mark(row) != 6 || e.Ended {
		t.Error(mark(row), e)
	}
	s.now.advance(10 * time.Second)
	s.event(dies, told{id: 1, mark: 6})
	s.event(born, told{id: 1, mark: 7})
	row, e := look()
	if left, _ := row.Flow.Timeout(); mark(row) != 6 || !e.Ended || e.Flow == nil || e.PortID != 0 || left != 20*time.Second {
		t.Error(mark(row), e, left)
	}
	stop()

	s, look, _ = start()
	f := message(dies, told{id: 1})
	f.Message()[12] = 77 // the port id, of one byte
	f.Message()[13], f.Message()[14], f.Message()[15] = 0, 0, 0
	g := new(ctnetlink.Flow)
	if err := g.Decode(f.Message()); err != nil {
		t.Fatal(err)
	}
	if g.PortID() == 77 { // on a little endian machine
		s.apply(0, g, s.now.Time)
		for range 2 {
			if _, e := look(); !e.Ended || e.PortID != 77 || e.Program != "conntrack" {
				t.Error(e)
			}
		}
	}

	s, look, _ = start()
	s.lists()
	if _, e := look(); !e.Ended || e.Flow != nil || e.Replaced || e.Left {
		t.Error(e)
	}
	s, look, _ = start()
	s.lists(told{id: 2})
	if _, e := look(); !e.Ended || !e.Replaced {
		t.Error(e)
	}
	s, _, stop = start()
	stop()
	s.lists()
	if len(s.watches) != 0 {
		t.Error("a watch was stopped, and is kept")
	}
	all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
	if look, _ := s.Watch(Ref{slot: 7, serial: 3}); all.Len() == 0 {
		if row, e := look(); row != nil || !e.Ended {
			t.Error(row, e)
		}
	}
}

// TestOutdatedListing: a dump that lists an entry which has ended since does not change
// the record of the one that has its tuple and its id now.
func TestOutdatedListing(t *testing.T) {
	s := newStory(t, Options{})
	s.lists(told{id: 1, mark: 5})
	d := s.beginDump(0)
	s.event(dies, told{id: 1, mark: 5})
	s.event(born, told{id: 1, mark: 6})
	d.saw(message(ctnetlink.EventNone, told{id: 1, mark: 5}), s.now.Time) // listed before
	for d.end() {
	}
	all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
	if got := marksOf(all); !slices.Equal(got, []uint32{6}) {
		t.Errorf("the copy has %d", got)
	}
	s.lists(told{id: 1, mark: 7})
	if got := marksOf(all); !slices.Equal(got, []uint32{7}) {
		t.Errorf("after the next dump the copy has %d", got)
	}
}

// TestSilentEnd: an entry of whose end no event tells, since it began before anybody
// listened, is not taken for the one that takes its place with its id.
func TestSilentEnd(t *testing.T) {
	s := newStory(t, Options{})
	d := s.beginDump(0)
	d.saw(message(ctnetlink.EventNone, told{id: 1, mark: 5}), s.now.Time)
	for d.end() {
	}
	d.settled()
	all, _ := s.ChooseMatching(context.Background(), nil, nil, "")
	s.event(born, told{id: 1, mark: 6})
	if all.Len() != 0 || s.tallyOf(0).Births != 1 || s.tallyOf(0).Deaths != 1 {
		t.Errorf("%d are chosen, %+v", all.Len(), s.tallyOf(0))
	}
	// The birth of an entry that a dump has found may be told late.
	d = s.beginDump(0)
	d.saw(message(ctnetlink.EventNone, told{id: 2, port: 1, mark: 7}), s.now.Time)
	all, _ = s.ChooseMatching(context.Background(), nil, nil, "")
	s.event(born, told{id: 2, port: 1, mark: 7})
	if all.Len() != 2 {
		t.Errorf("%d are chosen", all.Len())
	}
}
