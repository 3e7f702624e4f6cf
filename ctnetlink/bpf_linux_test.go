package ctnetlink

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// meets reports whether f meets what q compares of attributes.
func meets(q *EventFilter, f *Flow) bool {
	mark, marked := f.Mark()
	status, known := f.Status()
	return q.Orig.Has&^f.Orig().Has == 0 && sameFields(&q.Orig, f.Orig()) &&
		q.Reply.Has&^f.Reply().Has == 0 && sameFields(&q.Reply, f.Reply()) &&
		(q.MarkMask == 0 || marked && mark&q.MarkMask == q.Mark) &&
		(q.StatusMask == 0 || known && status&q.StatusMask == q.Status)
}

// TestEventProgram sends a group events that a process made up, some of which
// the kernel would never send: with tuples, addresses, protocols missing. A
// filtered socket receives those that meet the filter, and those without an
// original tuple.
func TestEventProgram(t *testing.T) {
	namespace(t)
	r := rand.New(rand.NewPCG(5, 6))
	sender := dialTest(t)
	sender.out.addr.Groups = 1 << (GroupNew - 1) // a bit each
	buf := make([]byte, readSize)
	var f Flow
	met, unmet, blind := 0, 0, 0
	for n := range 150 {
		listener := dialTest(t)
		entries := make([]*FlowSpec, 40)
		for i := range entries {
			entries[i] = randomEntry(r, i)
			scramble(r, entries[i])
		}
		q := randomEventFilter(r, entries[0])
		if err := listener.FilterEvents(q); err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if err := listener.Join(GroupNew); err != nil {
			t.Fatal(err)
		}
		for _, en := range entries {
			msg := en.AppendMessage(nil)
			if err := sender.Send(msg); err != nil {
				t.Fatal(err)
			}
			if err := f.Decode(msg); err != nil {
				t.Fatal(err)
			}
			got, from, err := listener.Poll(buf)
			came := err == nil && from != 0 && bytes.Equal(buf[:got], msg)
			if !came && !errors.Is(err, EAGAIN) {
				t.Fatalf("received %d bytes, %v", got, err)
			}
			family := q.Family == FamilyAny || q.Family == f.Family()
			switch want := family && meets(q, &f); {
			case family && !f.Has(AttrTupleOrig):
				// The filter may be one that looks at no attribute: then all
				// of the family come in any case.
				blind++
				if !came {
					t.Fatalf("filter %d %+v leaves out what it cannot judge: %+v", n, q, en)
				}
			case want != came:
				t.Fatalf("filter %d %+v, event %+v: came %v, want %v", n, q, en, came, want)
			case want:
				met++
			default:
				unmet++
			}
		}
		listener.Close()
	}
	if met == 0 || unmet == 0 || blind == 0 {
		t.Errorf("%d events met their filter, %d did not, %d had no tuple", met, unmet, blind)
	}
	t.Logf("%d events met their filter, %d did not, %d had no tuple", met, unmet, blind)
}

func dialTest(t *testing.T) *kernelSocket {
	t.Helper()
	s, err := dialKernel()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*kernelSocket)
}

// randomEventFilter compares some of what en has.
func randomEventFilter(r *rand.Rand, en *FlowSpec) *EventFilter {
	q := new(EventFilter)
	some := func(t Tuple) Tuple {
		has := t.Has &^ FieldZone
		for h := has; h != 0; h &= h - 1 {
			if r.IntN(4) != 0 {
				has &^= h & -h
			}
		}
		if has&FieldProto == 0 || t.Proto != ProtoICMP && t.Proto != ProtoICMPv6 {
			has &^= FieldICMP // not compared
		}
		t.Has = has
		return t
	}
	if r.IntN(3) == 0 {
		q.Family = en.Family
	}
	if r.IntN(2) == 0 {
		q.Orig = some(en.Orig)
	}
	if r.IntN(2) == 0 {
		q.Reply = some(en.Reply)
	}
	if r.IntN(4) == 0 {
		q.MarkMask = 1 << r.IntN(32)
		q.Mark = en.Mark & q.MarkMask
	}
	if r.IntN(4) == 0 {
		q.StatusMask = 1 << r.IntN(32)
		q.Status = en.Status & q.StatusMask
	}
	return q
}

// TestFilterRefused: a socket that refuses a filter is listened to without.
func TestFilterRefused(t *testing.T) {
	s := fake(from0(announced(1)))
	q := &EventFilter{Family: FamilyIPv6}
	l, err := s.conn().Listen(ListenRequest{Groups: []Group{GroupNew}, Filter: q})
	if err != nil {
		t.Fatal(err)
	}
	waitReceived(t, s)
	go l.Stop()
	if marks, _ := readOut(t, l); len(marks) != 1 || s.filter != q {
		t.Errorf("marks %v, filter %v", marks, s.filter)
	}
}

// TestNoEventProgram: where nothing is compared there is no program.
func TestNoEventProgram(t *testing.T) {
	for _, q := range []*EventFilter{
		{},
		{Orig: Tuple{Has: FieldZone | FieldICMPType}},
	} {
		if p := eventProgram(q); p != nil {
			t.Errorf("%+v: %v", q, p)
		}
	}
}
