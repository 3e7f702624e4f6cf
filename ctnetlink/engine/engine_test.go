package engine_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// clock is a clock that tests advance.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

// client returns a Conn to a table, which is closed at the end of the test.
func client(t testing.TB, tab *engine.Table) *ctnetlink.Conn {
	t.Helper()
	c := ctnetlink.NewConn(tab.Dial)
	t.Cleanup(func() { c.Close() })
	return c
}

// connection returns the n-th of many TCP entries.
func connection(n int) *ctnetlink.FlowSpec {
	src := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	dst := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	const has = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	return &ctnetlink.FlowSpec{
		Family:  ctnetlink.FamilyIPv4,
		Set:     ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout).With(ctnetlink.AttrStatus),
		Orig:    ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoTCP, Src: src, Dst: dst, SrcPort: 1000, DstPort: 80},
		Reply:   ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoTCP, Src: dst, Dst: src, SrcPort: 80, DstPort: 1000},
		Timeout: 100 * time.Second,
		Status:  ctnetlink.StatusConfirmed,
	}
}

func create(t testing.TB, c *ctnetlink.Conn, e *ctnetlink.FlowSpec) {
	t.Helper()
	if err := c.Create(e); err != nil {
		t.Fatal(err)
	}
}

// count returns the number of entries in a dump.
func count(t testing.TB, c *ctnetlink.Conn, q *ctnetlink.DumpRequest) (n int) {
	t.Helper()
	for _, err := range c.Dump(q) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func TestLife(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now})
	c := client(t, tab)
	for i := range 3000 {
		create(t, c, connection(i))
	}
	wantErr(t, c.Create(connection(7)), ctnetlink.EEXIST)
	if n := count(t, c, &ctnetlink.DumpRequest{}); n != 3000 {
		t.Fatalf("%d entries listed", n)
	}
	byReply := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Reply: connection(9).Reply}
	f, err := c.Get(byReply)
	if err != nil {
		t.Fatal(err)
	}
	if f.Orig().Src != connection(9).Orig.Src {
		t.Errorf("asked for the ninth, got %v", f.Orig())
	}
	if left, _ := f.Timeout(); left != 100*time.Second {
		t.Errorf("%d seconds left of 100", left)
	}
	for i := range 1000 {
		if err := c.Delete(&ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Orig: connection(i).Orig}); err != nil {
			t.Fatal(err)
		}
	}
	if n := tab.Len(); n != 2000 {
		t.Fatalf("%d entries left", n)
	}
	k.advance(99 * time.Second)
	if _, err := c.Get(&ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Orig: connection(2000).Orig}); err != nil {
		t.Error(err)
	}
	k.advance(time.Second)
	_, err = c.Get(&ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Orig: connection(2000).Orig})
	wantErr(t, err, ctnetlink.ENOENT)
	tab.Expire()
	if n := tab.Len(); n != 0 {
		t.Fatalf("%d entries outlived their timeout", n)
	}
}
