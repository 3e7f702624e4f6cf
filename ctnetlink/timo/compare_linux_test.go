package timo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// populate creates n random entries with their library, some with a helper, a
// translation or a master.
func populate(t testing.TB, ours *Conn, theirs *conntrack.Conn, r *rand.Rand, n int) {
	t.Helper()
	for i := range n {
		f := randomRequest(r, i)
		if f.TupleOrig.Proto.Protocol == 33 {
			continue // not in every kernel
		}
		tcp := f.TupleOrig.Proto.Protocol == 6
		switch {
		case tcp && i%7 == 0:
			f.Helper.Name = "ftp\x00" // the kernel refuses a name without NUL
		case tcp && i%7 == 1:
			f.SeqAdjOrig = conntrack.SequenceAdjust{Position: 1, OffsetBefore: 2, OffsetAfter: 3}
			f.SeqAdjReply = conntrack.SequenceAdjust{Direction: true, Position: 4, OffsetBefore: 5, OffsetAfter: 6}
		case i%7 == 2 && !f.TupleOrig.IP.IsIPv6() && f.TupleOrig.Proto.SourcePort != 0:
			spec := FlowSpec(f)
			spec.SrcNAT = ctnetlink.NAT{MinAddr: netip.MustParseAddr("198.51.100.1")}
			spec.Set = spec.Set.With(ctnetlink.AttrNATSrc)
			if err := ours.conn.Create(spec); err != nil {
				t.Fatalf("%+v: %v", f, err)
			}
			f.TupleMaster, f.TupleOrig.IP.SourceAddress = f.TupleOrig, netip.MustParseAddr("172.16.0.1").Next()
			f.TupleOrig.Proto.SourcePort, f.Labels = uint16(i), nil
			f.TupleReply = reversed(f.TupleOrig)
		}
		if err := theirs.Create(f); err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
	}
}

// sorted returns the entries in the order of their ids.
func sorted(flows []conntrack.Flow) []conntrack.Flow {
	slices.SortFunc(flows, func(a, b conntrack.Flow) int { return cmp.Compare(a.ID, b.ID) })
	return flows
}

// differences names the fields in which two entries differ. Their timeouts may
// be some seconds apart.
func differences(a, b conntrack.Flow) (d []string) {
	if max(a.Timeout, b.Timeout)-min(a.Timeout, b.Timeout) < 10 {
		a.Timeout = b.Timeout
	}
	av, bv := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range av.NumField() {
		if x, y := av.Field(i).Interface(), bv.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			d = append(d, fmt.Sprintf("%s: %+v here, %+v there", av.Type().Field(i).Name, x, y))
		}
	}
	return d
}

// same compares two lists of entries.
func same(t *testing.T, ours, theirs []conntrack.Flow) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Errorf("%d entries here, %d there", len(ours), len(theirs))
		return
	}
	sorted(ours)
	sorted(theirs)
	wrong := 0
	for i := range ours {
		if d := differences(ours[i], theirs[i]); len(d) > 0 && wrong < 10 {
			wrong++
			t.Errorf("%s\nof %+v", strings.Join(d, "; "), theirs[i])
		}
	}
}

// TestCompareDump checks that both libraries read the same in a table with all
// kinds of entries.
func TestCompareDump(t *testing.T) {
	ours, theirs := namespace(t)
	nft(t, trafficRules)
	talk(t, 40)
	populate(t, ours, theirs, rand.New(rand.NewPCG(15, 16)), 3000)
	read := func(c Client) []conntrack.Flow {
		flows, err := c.Dump(nil)
		if err != nil {
			t.Fatal(err)
		}
		return flows
	}
	a, b := read(ours), read(theirs)
	if len(a) < 2500 {
		t.Errorf("%d entries", len(a))
	}
	same(t, a, b)
	// Every kind is there.
	var has conntrack.Flow
	zones := 0
	for _, f := range a {
		if f.Helper.Name != "" {
			has.Helper = f.Helper
		}
		if f.SeqAdjReply != (conntrack.SequenceAdjust{}) {
			has.SeqAdjReply = f.SeqAdjReply
		}
		if f.SynProxy != (conntrack.SynProxy{}) {
			has.SynProxy = f.SynProxy
		}
		if f.TupleMaster.Proto.Protocol != 0 {
			has.TupleMaster = f.TupleMaster
		}
		if f.CountersReply.Packets != 0 {
			has.CountersReply = f.CountersReply
		}
		if f.TupleOrig.Zone != f.TupleReply.Zone {
			zones++
		}
		has.Status |= f.Status
	}
	if has.Helper.Name == "" || has.SeqAdjReply.Position == 0 || has.SynProxy == (conntrack.SynProxy{}) ||
		has.TupleMaster.Proto.Protocol == 0 || has.CountersReply.Packets == 0 || zones == 0 || !has.Status.SrcNATDone() {
		t.Errorf("not every kind of entry is there: %+v, %d zones of one direction", has, zones)
	}
	for i := range a {
		if i%50 == 0 {
			x, err := ours.Get(a[i])
			y, err2 := theirs.Get(a[i])
			if err != nil || err2 != nil || len(differences(x, y)) > 0 {
				t.Errorf("get %+v: %v, %v, %v", a[i], err, err2, differences(x, y))
			}
		}
	}
}

// TestCompareFilter checks that both libraries list the same with a filter.
func TestCompareFilter(t *testing.T) {
	ours, theirs := namespace(t)
	nft(t, trafficRules)
	talk(t, 8)
	r := rand.New(rand.NewPCG(17, 18))
	populate(t, ours, theirs, r, 300)
	all, err := theirs.Dump(nil)
	if err != nil {
		t.Fatal(err)
	}
	rounds, some := 40, 0
	if testing.Short() {
		rounds = 10
	}
	for range rounds {
		f := conntrack.NewFilter()
		like := all[r.IntN(len(all))]
		if r.IntN(2) == 0 {
			f = f.Family([]netfilter.ProtoFamily{netfilter.ProtoIPv4, netfilter.ProtoIPv6}[r.IntN(2)])
		}
		if r.IntN(3) == 0 {
			f = f.Mark(like.Mark & 0xff)
			if r.IntN(4) > 0 {
				f = f.MarkMask(0xff)
			}
		}
		if r.IntN(3) == 0 {
			f = f.Status([]conntrack.Status{0, conntrack.StatusAssured, conntrack.StatusSeenReply, like.Status}[r.IntN(4)])
			if r.IntN(2) == 0 {
				f = f.StatusMask([]uint32{^uint32(0), uint32(conntrack.StatusAssured | conntrack.StatusSeenReply)}[r.IntN(2)])
			}
		}
		if r.IntN(3) == 0 {
			f = f.Zone([]uint16{0, like.Zone, like.TupleOrig.Zone, 8, 9}[r.IntN(5)])
		}
		b, err := theirs.DumpFilter(f, nil)
		a, err2 := ours.DumpFilter(f, nil)
		if (err != nil) != (err2 != nil) {
			t.Errorf("%+v: %v here, %v there", f, err2, err)
		}
		if err == nil {
			same(t, a, b)
		}
		if len(b) > 0 && len(b) < len(all) {
			some++
		}
	}
	if some < rounds/10 {
		t.Errorf("only %d filters let some entries through", some)
	}
}

// TestCompareStats compares statistics.
func TestCompareStats(t *testing.T) {
	ours, theirs := namespace(t)
	nft(t, trafficRules)
	talk(t, 20)
	a, err := ours.Stats()
	if err != nil {
		t.Fatal(err)
	}
	b, err := theirs.Stats()
	if err != nil || len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("%v here, %v there, %v", a, b, err)
	}
	x, err := ours.StatsExpect()
	if err != nil {
		t.Fatal(err)
	}
	y, err := theirs.StatsExpect()
	if err != nil || len(x) != len(a) || !slices.Equal(x, y) {
		t.Errorf("%v here, %v there, %v", x, y, err)
	}
	global, err := ours.StatsGlobal()
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := theirs.StatsGlobal(); err != nil || theirs != global || global.Entries == 0 {
		t.Errorf("%+v here, %+v there, %v", global, theirs, err)
	}
}

// TestCompareEvents checks that both libraries receive the same events.
func TestCompareEvents(t *testing.T) {
	ours, theirs := namespace(t)
	nft(t, trafficRules)
	listen := func(c Client) (chan conntrack.Event, chan error) {
		events := make(chan conntrack.Event, 10000)
		errs, err := c.Listen(events, 1, append(netfilter.GroupsCT, netfilter.GroupsCTExp...))
		if err != nil {
			t.Fatal(err)
		}
		return events, errs
	}
	if err := theirs.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	a, errA := listen(ours)
	b, errB := listen(theirs)
	talk(t, 20)
	c := New(ctnetlink.Open())
	defer c.Close()
	master := createExpected(t, c)
	if err := c.Delete(master); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	// A last event that differs from all others.
	last := randomRequest(rand.New(rand.NewPCG(1, 1)), 1)
	last.Mark = 0xdeadbeef
	if err := c.Create(last); err != nil {
		t.Fatal(err)
	}
	read := func(events chan conntrack.Event, errs chan error) (all []conntrack.Event) {
		timeout := time.After(testwait.Scale(30 * time.Second))
		for {
			select {
			case e := <-events:
				all = append(all, e)
				if e.Flow != nil && e.Flow.Mark == last.Mark {
					return all
				}
			case err := <-errs:
				t.Fatal(err)
			case <-timeout:
				t.Fatalf("%d events in 30 s", len(all))
			}
		}
	}
	x, y := read(a, errA), read(b, errB)
	if len(x) != len(y) || len(x) < 100 {
		t.Fatalf("%d events here, %d there", len(x), len(y))
	}
	// Events of two processors at the same time can reach two sockets in different
	// orders.
	types := map[string]int{}
	for _, e := range x {
		types[fmt.Sprint(e.Type)]++
		there := slices.IndexFunc(y, func(f conntrack.Event) bool { return reflect.DeepEqual(e, f) })
		if there < 0 {
			t.Errorf("only here: %v", e)
			continue
		}
		y = slices.Delete(y, there, there+1)
	}
	for _, e := range y {
		t.Errorf("only there: %v", e)
	}
	if len(types) != 5 {
		t.Errorf("events: %v", types)
	}
	// Requests fail while a client listens, and so does a second Listen.
	for _, c := range []Client{ours, theirs} {
		_, err := c.Dump(nil)
		_, err2 := c.Listen(make(chan conntrack.Event), 1, netfilter.GroupsCT)
		if err == nil || err2 == nil ||
			err.Error() != errConnIsMulticast.Error() || err2.Error() != errConnHasListeners.Error() {
			t.Errorf("%v, %v", err, err2)
		}
	}
}

// createExpected creates an entry with a helper and an expectation of it.
func createExpected(t testing.TB, c Client) conntrack.Flow {
	t.Helper()
	addr := netip.MustParseAddr
	f := conntrack.NewFlow(6, conntrack.StatusConfirmed|conntrack.StatusSeenReply,
		addr("10.0.0.1"), addr("10.0.0.2"), 1000, 21, 60, 0)
	f.Helper.Name = "ftp"
	if err := c.Create(f); err != nil {
		t.Fatal(err)
	}
	x := conntrack.Expect{TupleMaster: f.TupleOrig, Tuple: f.TupleReply, HelpName: "ftp", Timeout: 60}
	x.Tuple.Proto.SourcePort, x.Tuple.Proto.DestinationPort = 0, 2000
	x.Mask = x.Tuple
	x.Mask.IP.SourceAddress, x.Mask.IP.DestinationAddress = addr("255.255.255.255"), addr("255.255.255.255")
	x.Mask.Proto.DestinationPort = 0xffff
	x.Function = "nat-follow-master"
	x.NAT = conntrack.ExpectNAT{Direction: true, Tuple: f.TupleOrig}
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCompareExpect checks that both libraries read the same expectations.
func TestCompareExpect(t *testing.T) {
	ours, theirs := namespace(t)
	createExpected(t, ours)
	a, err := ours.DumpExpect()
	b, err2 := theirs.DumpExpect()
	if err != nil || err2 != nil || len(a) != 1 || len(b) != 1 {
		t.Fatalf("%v %v here, %v %v there", a, err, b, err2)
	}
	if a[0].Timeout--; b[0].Timeout < a[0].Timeout || b[0].Timeout > a[0].Timeout+1 {
		t.Errorf("timeout %d here, %d there", a[0].Timeout+1, b[0].Timeout)
	}
	if b[0].Timeout = a[0].Timeout; !reflect.DeepEqual(a, b) || a[0].HelpName != "ftp" || !a[0].NAT.Direction {
		t.Errorf("%+v here, %+v there", a, b)
	}
}
