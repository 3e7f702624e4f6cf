package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestExpireOrder: expired entries are removed in the order of their deadlines
// and then no longer count for the maximum.
func TestExpireOrder(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now})
	l := listener(t, tab)
	c := client(t, tab)
	for i, timeout := range []uint32{30, 10, 20, 40} {
		e := connection(i)
		e.Timeout = time.Duration(timeout) * time.Second
		create(t, c, e)
	}
	if _, err := heard(t, l); err != nil {
		t.Fatal(err)
	}
	k.advance(30 * time.Second)
	tab.Expire()
	events, err := heard(t, l)
	if err != nil {
		t.Fatal(err)
	}
	var order []byte
	for _, f := range events {
		if f.EventType() == ctnetlink.EventDestroy {
			order = append(order, f.Orig().Src.As4()[3])
		}
	}
	if !bytes.Equal(order, []byte{1, 2, 0}) {
		t.Errorf("ended in the order %d, want 1 2 0", order)
	}
}

func TestKernelFilters(t *testing.T) {
	tab := engine.New(engine.Options{})
	c := client(t, tab)
	for i := range 10 {
		e := connection(i)
		e.Set = e.Set.With(ctnetlink.AttrMark).With(ctnetlink.AttrZone)
		e.Mark, e.Zone = uint32(i), uint16(i%3)
		create(t, c, e)
	}
	six := connection(0)
	six.Family = ctnetlink.FamilyIPv6
	six.Orig.Src, six.Orig.Dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	six.Reply.Src, six.Reply.Dst = six.Orig.Dst, six.Orig.Src
	create(t, c, six)
	for _, q := range []struct {
		name string
		q    ctnetlink.DumpRequest
		want int
	}{
		{"all", ctnetlink.DumpRequest{}, 11},
		{"family", ctnetlink.DumpRequest{Family: ctnetlink.FamilyIPv6}, 1},
		{"mark", ctnetlink.DumpRequest{Mark: 2, MarkMask: 0xffffffff}, 1},
		{"mark with a mask", ctnetlink.DumpRequest{Mark: 2, MarkMask: 2}, 4},
		{"zone", ctnetlink.DumpRequest{Zone: 1}, 3},
		{"status", ctnetlink.DumpRequest{Status: ctnetlink.StatusAssured,
			StatusMask: ctnetlink.StatusAssured}, 0},
		{"address", ctnetlink.DumpRequest{Family: 2, Orig: ctnetlink.Tuple{Has: ctnetlink.FieldSrc,
			Src: connection(4).Orig.Src}}, 1},
		{"port", ctnetlink.DumpRequest{Family: 2, Reply: ctnetlink.Tuple{Has: ctnetlink.FieldProto | ctnetlink.FieldSrcPort,
			Proto: 6, SrcPort: 80}}, 10},
		{"IPv6 address, rightly", ctnetlink.DumpRequest{Family: 10,
			Orig: ctnetlink.Tuple{Has: ctnetlink.FieldSrc, Src: six.Orig.Src}}, 1},
		{"another IPv6 address", ctnetlink.DumpRequest{Family: 10,
			Orig: ctnetlink.Tuple{Has: ctnetlink.FieldSrc, Src: six.Orig.Dst}}, 0},
	} {
		if n := count(t, c, &q.q); n != q.want {
			t.Errorf("%s: %d entries, want %d", q.name, n, q.want)
		}
	}
	if err := c.Flush(ctnetlink.FamilyIPv6); err != nil {
		t.Fatal(err)
	}
	if n := tab.Len(); n != 10 {
		t.Errorf("%d entries after a flush of IPv6, want 10", n)
	}
}

// dumped returns the messages of All.
func dumped(tab *engine.Table) (msgs [][]byte) {
	for m := range tab.All() {
		msgs = append(msgs, bytes.Clone(m))
	}
	return msgs
}

// rich returns an entry with nearly all attributes.
func rich() *ctnetlink.FlowSpec {
	e := connection(1)
	for _, a := range []ctnetlink.Attr{ctnetlink.AttrMark, ctnetlink.AttrZone, ctnetlink.AttrHelp, ctnetlink.AttrLabels,
		ctnetlink.AttrProtoInfo} {
		e.Set = e.Set.With(a)
	}
	e.Mark, e.Zone, e.Helper, e.Labels = 7, 9, "ftp", []byte{0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 128}
	e.Status |= ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
	e.ProtoInfo = ctnetlink.ProtoInfo{Proto: 6, State: 3, Has: ctnetlink.InfoState | ctnetlink.InfoFlagsOrig,
		Flags: [2]ctnetlink.MaskedTCPFlags{{Value: 0x0a, Mask: 0x0a}}}
	return e
}

// TestRestore: a table restored from the messages of another lists the same.
func TestRestore(t *testing.T) {
	k := newClock()
	tab := engine.New(engine.Options{Now: k.Now, Accounting: true, Timestamps: true})
	c := client(t, tab)
	create(t, c, rich())
	follower := connection(2)
	follower.Set = follower.Set.With(ctnetlink.AttrTupleMaster).With(ctnetlink.AttrZone).With(ctnetlink.AttrNATSrc)
	follower.Zone, follower.Master = 9, rich().Orig
	follower.SrcNAT = ctnetlink.NAT{MinAddr: netip.MustParseAddr("198.51.100.7"), MinPort: 4000}
	create(t, c, follower)
	short := connection(3)
	short.Timeout = 5 * time.Second
	create(t, c, short)
	msgs := dumped(tab)

	again := engine.New(engine.Options{Now: k.Now})
	for _, m := range msgs {
		if err := again.Restore(m, 0); err != nil {
			t.Fatal(err)
		}
		wantErr(t, again.Restore(m, 0), ctnetlink.EEXIST)
	}
	for i, m := range dumped(again) {
		if !bytes.Equal(m, msgs[i]) {
			t.Errorf("entry %d:\n%x, was\n%x", i, m, msgs[i])
		}
	}
	later := engine.New(engine.Options{Now: k.Now})
	var ended int
	for _, m := range msgs {
		if err := later.Restore(m, 5*time.Second); errors.Is(err, engine.ErrEnded) {
			ended++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if ended != 1 || later.Len() != 2 {
		t.Errorf("%d ended and %d left after five seconds, want 1 and 2", ended, later.Len())
	}
	f, err := client(t, later).Get(&ctnetlink.FlowSpec{Family: 2, Orig: rich().Orig, Zone: 9,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrZone)})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := f.Timeout(); left != 95*time.Second {
		t.Errorf("%d seconds left, want 95", left)
	}
}

// TestRestoreDamaged: a damaged message is refused and changes nothing.
func TestRestoreDamaged(t *testing.T) {
	tab := engine.New(engine.Options{})
	create(t, client(t, tab), rich())
	whole := dumped(tab)[0]
	for cut := range len(whole) {
		m := slices.Clone(whole[:cut])
		to := engine.New(engine.Options{})
		wantErr(t, to.Restore(m, 0), ctnetlink.ErrMalformed) // the length in its header is wrong
		if len(m) >= 16 {
			binary.NativeEndian.PutUint32(m, uint32(len(m)))
			if err := to.Restore(m, 0); err != nil && to.Len() != 0 {
				t.Fatalf("cut at %d: %v, and yet there is an entry", cut, err)
			}
		}
	}
}

// TestNATPorts: a translation takes a free port of its range, and is refused
// when there is none.
func TestNATPorts(t *testing.T) {
	tab := engine.New(engine.Options{})
	c := client(t, tab)
	ports := map[uint16]bool{}
	for i := range 5 {
		e := connection(i)
		e.Set = e.Set.With(ctnetlink.AttrNATSrc)
		e.SrcNAT = ctnetlink.NAT{MinAddr: netip.MustParseAddr("198.51.100.7"), MinPort: 4000, MaxPort: 4003}
		if i == 4 {
			wantErr(t, c.Create(e), ctnetlink.EEXIST)
			break
		}
		create(t, c, e)
		f, err := c.Get(&ctnetlink.FlowSpec{Family: 2, Orig: e.Orig})
		if err != nil {
			t.Fatal(err)
		}
		if f.Reply().Dst != e.SrcNAT.MinAddr {
			t.Errorf("translated to %v", f.Reply().Dst)
		}
		const want = ctnetlink.StatusConfirmed | ctnetlink.StatusSrcNAT | ctnetlink.StatusSrcNATDone |
			ctnetlink.StatusDstNATDone
		if status, _ := f.Status(); status != want {
			t.Errorf("status %#x", status)
		}
		ports[f.Reply().DstPort] = true
	}
	for p := uint16(4000); p <= 4003; p++ {
		if !ports[p] {
			t.Errorf("port %d was not used: %v", p, ports)
		}
	}
}

// TestZeroing: GET_CTRZERO shows the counters before it resets them.
func TestZeroing(t *testing.T) {
	source := engine.New(engine.Options{Accounting: true})
	create(t, client(t, source), connection(1))
	m := dumped(source)[0]
	head := binary.NativeEndian.AppendUint16(nil, 28) // CTA_COUNTERS_ORIG: two numbers of 64 bits
	head = binary.NativeEndian.AppendUint16(head, uint16(ctnetlink.AttrCountersOrig)|1<<15)
	at := bytes.Index(m, head)
	if at < 0 {
		t.Fatalf("no counters in %x", m)
	}
	binary.BigEndian.PutUint64(m[at+8:], 11)
	binary.BigEndian.PutUint64(m[at+20:], 4400)
	tab := engine.New(engine.Options{})
	if err := tab.Restore(m, 0); err != nil {
		t.Fatal(err)
	}
	c := client(t, tab)
	for i, want := range [][2]uint64{{11, 4400}, {0, 0}} {
		for f, err := range c.Dump(&ctnetlink.DumpRequest{Zero: true}) {
			if err != nil {
				t.Fatal(err)
			}
			packets, octets, ok := f.CountersOrig()
			if !ok || packets != want[0] || octets != want[1] {
				t.Errorf("round %d: %d packets, %d bytes, %v; want %d", i, packets, octets, ok, want)
			}
		}
	}
}

// TestDumpPieces: a dump of many datagrams lists what GET finds, and nothing
// that is added after its end.
func TestDumpPieces(t *testing.T) {
	tab := engine.New(engine.Options{})
	c := client(t, tab)
	const n = 5000
	for i := range n {
		create(t, c, connection(i))
	}
	seen := map[netip.Addr]int{}
	ids := map[string]bool{}
	for f, err := range c.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[f.Orig().Src]++
		id, _ := f.Raw(ctnetlink.AttrID)
		ids[string(id)] = true
		if len(seen)%500 == 0 { // it was listed: deleting it changes nothing
			if err := c.Delete(&ctnetlink.FlowSpec{Family: 2, Orig: *f.Orig()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(seen) != n || len(ids) != n {
		t.Errorf("%d of %d entries, %d ids", len(seen), n, len(ids))
	}
	for a, times := range seen {
		if times != 1 {
			t.Errorf("%v was listed %d times", a, times)
		}
	}
	entries, limit, err := c.Count()
	if err != nil || entries != n-10 || limit != 262144 {
		t.Errorf("%d entries of %d, %v", entries, limit, err)
	}
}
