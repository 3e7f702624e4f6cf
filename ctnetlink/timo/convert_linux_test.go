package timo

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// decode returns what ti-mo/conntrack reads in a message.
func decode(t *testing.T, b []byte) conntrack.Event {
	t.Helper()
	m, err := Message(b)
	if err != nil {
		t.Fatal(err)
	}
	var e conntrack.Event
	if err := e.Unmarshal(m); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestFlow converts entries to ctnetlink's type and back, and has their library
// decode the message between.
func TestFlow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		want := randomFlow(r, i)
		f := FromFlow(want)
		if got := Flow(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nbecomes %+v", want, got)
		}
		if e := decode(t, f.Message()); !reflect.DeepEqual(*e.Flow, want) {
			t.Fatalf("%+v\nis decoded as %+v", want, *e.Flow)
		}
	}
}

// TestFlowKeepsNothing checks that a converted entry does not change with the
// memory that it was read from.
func TestFlowKeepsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		want := randomFlow(r, i)
		f := FromFlow(want)
		got := Flow(f)
		clear(f.Message())
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nbecame %+v", want, got)
		}
	}
}

// TestFlowZeros converts a view in which everything is absent.
func TestFlowZeros(t *testing.T) {
	if got := Flow(new(ctnetlink.Flow)); !reflect.DeepEqual(got, conntrack.Flow{}) {
		t.Errorf("%+v", got)
	}
	f := FromFlow(conntrack.Flow{})
	if _, ok := f.Status(); !ok {
		t.Error("no status")
	}
	for a := ctnetlink.AttrTupleOrig; a <= ctnetlink.AttrTimestampEvent; a++ {
		if a != ctnetlink.AttrStatus && f.Has(a) {
			t.Errorf("attribute %d", a)
		}
	}
}

func TestExpect(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for i := range 2000 {
		want := randomExpect(r, i)
		e := FromExpect(want)
		if got := Expect(e); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nbecomes %+v", want, got)
		}
		if e := decode(t, e.Message()); !reflect.DeepEqual(*e.Expect, want) {
			t.Fatalf("%+v\nis decoded as %+v", want, *e.Expect)
		}
	}
	if got := Expect(new(ctnetlink.Expect)); !reflect.DeepEqual(got, conntrack.Expect{}) {
		t.Errorf("%+v", got)
	}
}

func TestEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	flow, expect := randomFlow(r, 1), randomExpect(r, 2)
	for _, want := range []conntrack.Event{
		{Type: conntrack.EventNew, Flow: &flow}, {Type: conntrack.EventUpdate, Flow: &flow},
		{Type: conntrack.EventDestroy, Flow: &flow},
		{Type: conntrack.EventExpNew, Expect: &expect}, {Type: conntrack.EventExpDestroy, Expect: &expect},
	} {
		f, e := FromEvent(want)
		var got conntrack.Event
		var b []byte
		if want.Flow != nil {
			got, b = FlowEvent(f), f.Message()
		} else {
			got, b = ExpectEvent(e), e.Message()
		}
		if (f == nil) == (e == nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%v becomes %v", want, got)
		}
		if got := decode(t, b); !reflect.DeepEqual(got, want) {
			t.Errorf("%v is decoded as %v", want, got)
		}
	}
	for _, e := range []conntrack.Event{
		{}, {Type: conntrack.EventNew, Expect: &expect}, {Type: conntrack.EventExpNew, Flow: &flow},
	} {
		if f, x := FromEvent(e); f != nil || x != nil {
			t.Errorf("%v is an event", e)
		}
	}
}

// TestFlowSpec checks that a request has what ti-mo/conntrack sends.
func TestFlowSpec(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for i := range 2000 {
		want := randomFlow(r, i)
		spec := FlowSpec(want)
		if v6 := want.TupleOrig.IP.IsIPv6(); v6 != (spec.Family == ctnetlink.FamilyIPv6) {
			t.Fatalf("family %v of %+v", spec.Family, want)
		}
		var f ctnetlink.Flow
		if err := f.Decode(spec.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		// What a request cannot have.
		want.Use, want.Timestamp, want.SecurityContext, want.Helper.Info = 0, conntrack.Timestamp{}, "", nil
		want.CountersOrig, want.CountersReply = conntrack.Counter{}, conntrack.Counter{}
		if got := Flow(&f); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nbecomes %+v", want, got)
		}
	}
	var in conntrack.Flow
	in.TupleReply = reversed(randomTuple(r, true, 1))
	if spec := FlowSpec(in); spec.Family != ctnetlink.FamilyIPv6 || spec.Orig.Has != 0 || spec.Set != 0 {
		t.Errorf("%+v", spec)
	}
}

func TestStats(t *testing.T) {
	want := conntrack.Stats{CPUID: 3, Found: 1, Invalid: 2, Ignore: 3, Insert: 4, InsertFailed: 5,
		Drop: 6, EarlyDrop: 7, Error: 8, SearchRestart: 9}
	s := FromStats(want)
	if got := Stats(s); got != want || s.CPU != 3 || len(s.Counters) != 9 || s.Counters[0].Name != "found" {
		t.Errorf("%v, %v", got, s.Counters)
	}
	expect := conntrack.StatsExpect{CPUID: 1, New: 1, Create: 2, Delete: 3}
	s = FromStatsExpect(expect)
	if got := StatsExpect(s); got != expect || len(s.Counters) != 3 {
		t.Errorf("%v, %v", got, s.Counters)
	}
}

func TestFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for range 500 {
		want := &ctnetlink.DumpRequest{Family: []ctnetlink.Family{0, 2, 10}[r.IntN(3)]}
		if r.IntN(2) == 0 {
			want.Mark, want.MarkMask = r.Uint32(), r.Uint32()|1
		}
		if r.IntN(2) == 0 {
			want.Status, want.StatusMask = ctnetlink.Status(r.Uint32()), ctnetlink.Status(r.Uint32()|1)
		}
		if r.IntN(2) == 0 {
			want.Zone = uint16(r.Uint32()) | 1
		}
		got, err := FromFilter(Filter(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v; want %+v", got, err, want)
		}
	}
	// The defaults of the masks.
	q, err := FromFilter(conntrack.NewFilter().Mark(7).Status(conntrack.StatusAssured).Family(netfilter.ProtoIPv6))
	if err != nil || q.MarkMask != ^uint32(0) ||
		q.StatusMask != ctnetlink.StatusAssured || q.Family != ctnetlink.FamilyIPv6 {
		t.Errorf("%+v, %v", q, err)
	}
	if q, err = FromFilter(conntrack.NewFilter().MarkMask(7).StatusMask(8)); err != nil || *q != (ctnetlink.DumpRequest{}) {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err = FromFilter(struct{ conntrack.Filter }{}); err == nil {
		t.Error("another implementation of a filter is read")
	}
	if _, err = FromFilter(&struct{ conntrack.Filter }{}); err == nil {
		t.Error("another implementation of a filter is read")
	}
}

func TestGroups(t *testing.T) {
	all := append(netfilter.GroupsCT, netfilter.GroupsCTExp...)
	to, err := FromGroups(all...)
	if err != nil || len(to) != 6 || to[0] != ctnetlink.GroupNew || to[5] != ctnetlink.GroupExpectDestroy {
		t.Errorf("%v, %v", to, err)
	}
	if got := Groups(to...); !reflect.DeepEqual(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	if _, err := FromGroups(netfilter.GroupNFTables); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// TestFromTuple checks which fields are set.
func TestFromTuple(t *testing.T) {
	const both = ctnetlink.FieldAddrs | ctnetlink.FieldProto
	tuple := func(proto uint8, port uint16) (to conntrack.Tuple) {
		to.IP.SourceAddress, to.IP.DestinationAddress = netip.IPv6Loopback(), netip.IPv6Loopback()
		to.Proto.Protocol, to.Proto.SourcePort = proto, port
		return to
	}
	for _, c := range []struct {
		in   conntrack.Tuple
		want ctnetlink.Fields
	}{
		{conntrack.Tuple{}, 0},
		{conntrack.Tuple{Zone: 3}, ctnetlink.FieldZone},
		{tuple(6, 0), both | ctnetlink.FieldPorts},
		{tuple(47, 0), both | ctnetlink.FieldPorts},
		{tuple(99, 0), both},
		{tuple(99, 1), both | ctnetlink.FieldPorts},
		{tuple(58, 1), both | ctnetlink.FieldICMP},
	} {
		if got := FromTuple(c.in); got.Has != c.want {
			t.Errorf("%v: fields %#x, want %#x", c.in, got.Has, c.want)
		}
	}
}
