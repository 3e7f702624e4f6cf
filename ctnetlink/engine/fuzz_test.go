package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// recorder is a socket that records what is sent.
type recorder struct {
	ctnetlink.Socket
	sent [][]byte
}

func (r *recorder) Send(b []byte) error {
	r.sent = append(r.sent, bytes.Clone(b))
	return r.Socket.Send(b)
}

// requests returns the datagrams that a Conn sends, one of each kind.
func requests(t testing.TB) [][]byte {
	t.Helper()
	tab := engine.New(engine.Options{})
	var all []*recorder
	c := ctnetlink.NewConn(func() (ctnetlink.Socket, error) {
		s, err := tab.Dial()
		r := &recorder{Socket: s}
		all = append(all, r)
		return r, err
	})
	defer c.Close()
	create(t, c, rich())
	create(t, c, connection(2))
	natted := connection(3)
	natted.Set = natted.Set.With(ctnetlink.AttrNATSrc).With(ctnetlink.AttrTupleMaster)
	natted.SrcNAT, natted.Master = ctnetlink.NAT{MinPort: 10, MaxPort: 20}, connection(2).Orig
	create(t, c, natted)
	x := &ctnetlink.ExpectSpec{Family: 2, Tuple: connection(4).Orig, Mask: connection(4).Orig, Master: rich().Orig,
		Zone: 9, HasZone: true}
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	for range c.Dump(&ctnetlink.DumpRequest{Family: 2, Orig: connection(2).Orig,
		Mark: 1, MarkMask: 1}) {
	}
	for range c.DumpExpect(0) {
	}
	_, _ = c.Get(connection(2))
	_ = c.Delete(connection(2))
	_ = c.Flush(2)
	var sent [][]byte
	for _, r := range all {
		sent = append(sent, r.sent...)
	}
	return sent
}

// FuzzSend: whatever is sent, the answers are bounded and the table stays
// consistent.
func FuzzSend(f *testing.F) {
	for _, b := range requests(f) {
		f.Add(b)
		f.Add(append(bytes.Clone(b), b...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k := newClock()
		tab := engine.New(engine.Options{Now: k.Now, Max: 8, AlwaysEvents: true, Accounting: true, Timestamps: true})
		l := listener(t, tab)
		create(t, client(t, tab), rich())
		create(t, client(t, tab), connection(5))
		s, err := tab.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Send(b); err != nil && !errors.Is(err, ctnetlink.EMSGSIZE) {
			t.Fatal(err)
		}
		drain(t, s, len(b))
		drain(t, l, len(b))
		consistent(t, tab)
		k.advance(8_589_935 * time.Second) // beyond the longest timeout
		tab.Expire()
		if n := tab.Len(); n != 0 {
			t.Errorf("%d entries that never end", n)
		}
	})
}

// drain receives what is queued and checks that it is not too much for the
// number of bytes sent.
func drain(t *testing.T, s ctnetlink.Socket, sent int) {
	buf := make([]byte, 64<<10)
	for range 64 + sent {
		_, _, err := s.Poll(buf)
		if errors.Is(err, ctnetlink.EAGAIN) {
			return
		}
		if err != nil && !errors.Is(err, ctnetlink.ENOBUFS) {
			t.Fatal(err)
		}
	}
	t.Fatal("answers without end")
}

// consistent checks that every entry is found by both tuples, and can be
// restored into another table.
func consistent(t *testing.T, tab *engine.Table) {
	c := client(t, tab)
	copied := engine.New(engine.Options{})
	for _, m := range dumped(tab) {
		if err := copied.Restore(m, 0); err != nil {
			t.Fatalf("%v: %x", err, m)
		}
		var f ctnetlink.Flow
		if binary.NativeEndian.Uint16(m[4:])>>8 != 1 {
			continue
		}
		if err := f.Decode(m); err != nil {
			t.Fatalf("%v: %x", err, m)
		}
		for _, e := range []*ctnetlink.FlowSpec{{Orig: *f.Orig()}, {Reply: *f.Reply()}} {
			e.Family = f.Family()
			if z, ok := f.Zone(); ok && (e.Orig.Has|e.Reply.Has)&ctnetlink.FieldZone == 0 && f.Has(ctnetlink.AttrZone) {
				e.Zone, e.Set = z, ctnetlink.AttrSet(0).With(ctnetlink.AttrZone)
			}
			if _, err := c.Get(e); err != nil {
				t.Errorf("%v: %+v", err, e)
			}
		}
	}
}

// FuzzRestore: a message from a file is refused, or adds an entry like any
// other.
func FuzzRestore(f *testing.F) {
	tab := engine.New(engine.Options{Accounting: true, Timestamps: true})
	c := client(f, tab)
	create(f, c, rich())
	create(f, c, connection(2))
	for _, m := range dumped(tab) {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tab := engine.New(engine.Options{})
		if err := tab.Restore(b, time.Second); err != nil {
			if n := tab.Len(); n != 0 {
				t.Errorf("%d entries after %v", n, err)
			}
			return
		}
		consistent(t, tab)
		if err := client(t, tab).Flush(0); err != nil || tab.Len() != 0 {
			t.Errorf("flush: %v, %d left", err, tab.Len())
		}
	})
}
