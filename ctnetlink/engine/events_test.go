package engine_test

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

var entryGroups = []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy}

// listener returns a socket in the groups for entries.
func listener(t testing.TB, tab *engine.Table) ctnetlink.Socket {
	t.Helper()
	s, err := tab.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, g := range entryGroups {
		if err := s.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// heard receives the events in a socket's queue, up to an error.
func heard(t testing.TB, s ctnetlink.Socket) (events []*ctnetlink.Flow, err error) {
	t.Helper()
	buf := make([]byte, 4096)
	for {
		n, from, err := s.Poll(buf)
		switch {
		case errors.Is(err, ctnetlink.EAGAIN):
			return events, nil
		case err != nil:
			return events, err
		case from != 0:
			t.Errorf("sent by port %d, not by the kernel", from)
		}
		f := new(ctnetlink.Flow)
		if err := f.Decode(bytes.Clone(buf[:n])); err != nil {
			t.Fatal(err)
		}
		events = append(events, f)
	}
}

func TestEvents(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now, PortID: 77, Timestamps: true})
	asker, err := tab.Dial() // the first socket has the process's port id
	if err != nil {
		t.Fatal(err)
	}
	c := ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return asker, nil })
	defer c.Close()
	before := connection(0)
	create(t, c, before) // no socket is in a group: it never sends events
	l := listener(t, tab)
	create(t, c, connection(1))
	create(t, c, connection(2))
	if err := c.Update(&ctnetlink.FlowSpec{Family: 2, Orig: before.Orig,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrMark), Mark: 5}); err != nil {
		t.Fatal(err)
	}
	k.advance(10 * time.Second)
	if err := c.Update(&ctnetlink.FlowSpec{Family: 2, Orig: connection(1).Orig,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrMark), Mark: 5}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(&ctnetlink.FlowSpec{Family: 2, Orig: connection(1).Orig}); err != nil {
		t.Fatal(err)
	}
	k.advance(95 * time.Second)
	tab.Expire()

	events, err := heard(t, l)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		event  ctnetlink.EventType
		n      int
		portID uint32
	}{
		{ctnetlink.EventNew, 1, 77}, {ctnetlink.EventNew, 2, 77}, {ctnetlink.EventUpdate, 1, 77},
		{ctnetlink.EventDestroy, 1, 77}, {ctnetlink.EventDestroy, 2, 0},
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, w := range want {
		f := events[i]
		seq := wire.Message(f.Message()).Seq()
		if f.EventType() != w.event || f.Orig().Src != connection(w.n).Orig.Src || f.PortID() != w.portID || seq != 0 {
			t.Errorf("event %d: %v of %v by %d, seq %d; want %+v", i, f.EventType(), f.Orig().Src, f.PortID(), seq, w)
		}
	}
	if left, ok := events[3].Timeout(); !ok || left != 90*time.Second {
		t.Errorf("deleted with %d seconds left, want 90", left)
	}
	if status, _ := events[3].Status(); status != ctnetlink.StatusConfirmed|ctnetlink.StatusDying {
		t.Errorf("status %#x of a deleted entry", status)
	}
	last := events[4]
	if _, ok := last.Timeout(); ok {
		t.Error("an ended entry's event has a timeout")
	}
	start, _ := last.Start()
	if stop, _ := last.Stop(); stop.Sub(start) != 100*time.Second {
		t.Errorf("lived %v, want its timeout", stop.Sub(start))
	}
}

// TestOverrun: a listener that does not read loses events and receives one
// ENOBUFS. No event is queued until it has read those in the queue.
func TestOverrun(t *testing.T) {
	tab := engine.New(engine.Options{})
	l := listener(t, tab)
	granted, err := l.SetReadBuffer(5000)
	if err != nil || granted != 10000 {
		t.Fatalf("granted %d, %v", granted, err)
	}
	c := client(t, tab)
	for i := range 20 {
		create(t, c, connection(i))
	}
	if l.Lost() != 13 || l.Queued() > granted {
		t.Errorf("%d lost, want 13; %d bytes queued of %d", l.Lost(), l.Queued(), granted)
	}
	events, err := heard(t, l)
	wantErr(t, err, ctnetlink.ENOBUFS)
	if len(events) != 0 {
		t.Errorf("%d events before the ENOBUFS", len(events))
	}
	create(t, c, connection(20))
	events, err = heard(t, l)
	if err != nil || len(events) != 7 {
		t.Fatalf("%d events that were kept, %v", len(events), err)
	}
	create(t, c, connection(21))
	if events, err = heard(t, l); err != nil || len(events) != 1 {
		t.Fatalf("%d events after all were read, %v", len(events), err)
	}
	if l.Lost() != 14 || l.Queued() != 0 {
		t.Errorf("%d lost, want 14; %d bytes queued", l.Lost(), l.Queued())
	}
}

func TestFilterEvents(t *testing.T) {
	tab := engine.New(engine.Options{})
	l := listener(t, tab)
	wanted := connection(3)
	q := &ctnetlink.EventFilter{Orig: wanted.Orig.Only(ctnetlink.FieldSrc | ctnetlink.FieldDstPort)}
	q.OrigSrcMask = netip.AddrFrom4([4]byte{255, 255, 255, 254})
	if err := l.(ctnetlink.EventFilterer).FilterEvents(q); err != nil {
		t.Fatal(err)
	}
	c := client(t, tab)
	for i := range 8 {
		create(t, c, connection(i))
	}
	events, err := heard(t, l)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, want those of 10.0.0.2/31; %v", len(events), err)
	}
	if err := l.(ctnetlink.EventFilterer).FilterEvents(nil); err != nil {
		t.Fatal(err)
	}
	create(t, c, connection(8))
	if events, err = heard(t, l); err != nil || len(events) != 1 {
		t.Fatalf("%d events without a filter, %v", len(events), err)
	}
}

func TestCloseEndsReceive(t *testing.T) {
	tab := engine.New(engine.Options{})
	s, err := tab.Dial()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, _, err := s.Receive(make([]byte, 100))
		ended <- err
	}()
	s.Close()
	wantErr(t, <-ended, os.ErrClosed)
	wantErr(t, s.Send(nil), os.ErrClosed)
}

// TestConcurrent: with many sockets at work, no entry is lost or made twice.
func TestConcurrent(t *testing.T) {
	tab := engine.New(engine.Options{})
	l := listener(t, tab)
	if _, err := l.SetReadBuffer(64 << 20); err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 500
	kept := client(t, tab)
	for i := range each {
		create(t, kept, connection(1<<20+i))
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			c := ctnetlink.NewConn(tab.Dial)
			defer c.Close()
			for i := range each {
				e := connection(w*each + i)
				if err := errors.Join(c.Create(e), c.Delete(&ctnetlink.FlowSpec{Family: 2, Orig: e.Orig})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		c := ctnetlink.NewConn(tab.Dial)
		defer c.Close()
		for range 20 {
			stable := 0
			for f, err := range c.Dump(&ctnetlink.DumpRequest{}) {
				if err != nil {
					t.Error(err)
					return
				}
				if f.Orig().Src.As4()[1] == 1<<4 {
					stable++
				}
			}
			if stable != each {
				t.Errorf("a dump listed %d of %d entries that were there throughout", stable, each)
			}
		}
	})
	all.Wait()
	events, err := heard(t, l)
	if err != nil || len(events) != each+2*writers*each {
		t.Errorf("%d events, want %d; %v", len(events), each+2*writers*each, err)
	}
	if n := tab.Len(); n != each {
		t.Errorf("%d entries at the end, want %d", n, each)
	}
}
