package timo

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// fake returns a Conn on a new table of the engine.
func fake(t testing.TB, o engine.Options) *Conn {
	t.Helper()
	c := New(ctnetlink.NewConn(engine.New(o).Dial))
	t.Cleanup(func() { c.Close() })
	return c
}

// show returns the fields of entries that are the same in every table.
func show(flows ...conntrack.Flow) string {
	var lines []string
	for _, f := range flows {
		var tcp conntrack.ProtoInfoTCP
		if f.ProtoInfo.TCP != nil {
			tcp = *f.ProtoInfo.TCP
		}
		id, start := f.ID != 0, !f.Timestamp.Start.IsZero()
		f.ID, f.Timestamp, f.ProtoInfo = 0, conntrack.Timestamp{}, conntrack.ProtoInfo{}
		f.Timeout = (f.Timeout + 50) / 100
		lines = append(lines, fmt.Sprintf("%+v %+v, id %v, start %v", f, tcp, id, start))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// run makes requests of all kinds, and returns what became of each.
func run(c Client) (results []string) {
	addr := netip.MustParseAddr
	add := func(what string, result any) {
		if err, ok := result.(error); ok {
			var op *netlink.OpError
			result = fmt.Sprintf("%v; ENOENT %v, OpError %v", err, errors.Is(err, unix.ENOENT), errors.As(err, &op))
		}
		results = append(results, fmt.Sprintf("%s: %v", what, result))
	}
	flow := func(what string, f conntrack.Flow, err error) {
		if add(what, err); err == nil {
			add(what, show(f))
		}
	}
	dump := func(what string, flows []conntrack.Flow, err error) {
		if add(what, err); err == nil {
			add(what, show(flows...))
		}
	}
	status := conntrack.StatusConfirmed | conntrack.StatusSeenReply | conntrack.StatusAssured
	web := conntrack.NewFlow(6, status, addr("10.0.0.1"), addr("192.0.2.1"), 40000, 443, 1000, 7)
	web.ProtoInfo.TCP = &conntrack.ProtoInfoTCP{State: 3, OriginalFlags: 0x0808, ReplyFlags: 0x0808}
	dns := conntrack.NewFlow(17, conntrack.StatusConfirmed, addr("fd00::1"), addr("fd00::2"), 1234, 53, 2000, 0)
	ping := conntrack.NewFlow(1, conntrack.StatusConfirmed, addr("10.0.0.1"), addr("10.0.0.2"), 0, 0, 3000, 0)
	ping.TupleOrig.Proto.ICMPType, ping.TupleOrig.Proto.ICMPID, ping.TupleReply.Proto.ICMPID = 8, 9, 9
	web7 := web
	web7.Zone = 7

	for _, f := range []conntrack.Flow{web, web7, dns, ping} {
		add("create", c.Create(f))
	}
	add("create again", c.Create(web))
	add("create without a timeout", c.Create(conntrack.Flow{TupleOrig: web.TupleOrig}))
	add("create without tuples", c.Create(conntrack.Flow{Timeout: 1}))
	add("create half a tuple", c.Create(conntrack.Flow{Timeout: 1, TupleOrig: conntrack.Tuple{IP: web.TupleOrig.IP}}))
	bad := web
	bad.Status = conntrack.StatusTemplate
	bad.TupleOrig.Proto.SourcePort, bad.TupleReply.Proto.DestinationPort = 1, 1
	add("create with a strange status", c.Create(bad))

	flows, err := c.Dump(nil)
	dump("dump", flows, err)
	for _, what := range []struct {
		name string
		f    conntrack.Filter
	}{
		{"IPv6", conntrack.NewFilter().Family(netfilter.ProtoIPv6)},
		{"mark", conntrack.NewFilter().Mark(7)},
		{"zone", conntrack.NewFilter().Zone(7)},
		{"no zone", conntrack.NewFilter().Zone(0)},
		{"assured", conntrack.NewFilter().Status(conntrack.StatusAssured)},
		{"not assured", conntrack.NewFilter().Status(0).StatusMask(uint32(conntrack.StatusAssured))},
		{"a mask of 0", conntrack.NewFilter().Status(0)},
		{"nothing", conntrack.NewFilter()},
		{"nil", nil},
	} {
		flows, err := c.DumpFilter(what.f, nil)
		dump("dump "+what.name, flows, err)
	}
	flows, err = c.Dump(&conntrack.DumpOptions{ZeroCounters: true})
	dump("dump and zero", flows, err)

	f, err := c.Get(web)
	flow("get", f, err)
	f, err = c.Get(conntrack.Flow{TupleReply: dns.TupleReply})
	flow("get by reply", f, err)
	f, err = c.Get(conntrack.Flow{TupleOrig: web.TupleOrig, Zone: 7})
	flow("get in a zone", f, err)
	_, err = c.Get(conntrack.Flow{TupleOrig: web.TupleOrig, Zone: 8})
	add("get in another zone", err)
	_, err = c.Get(conntrack.Flow{})
	add("get nothing", err)

	web.Mark, web.Timeout = 99, 5000
	add("update", c.Update(web))
	web.Status &^= conntrack.StatusConfirmed
	add("update to unconfirmed", c.Update(web))
	web.Status |= conntrack.StatusConfirmed
	f, err = c.Get(web)
	flow("get the updated", f, err)
	child := web
	child.TupleMaster = dns.TupleOrig
	add("update the master", c.Update(child))
	add("update nothing", c.Update(conntrack.Flow{Timeout: 1}))

	add("delete", c.Delete(ping))
	add("delete again", c.Delete(ping))
	add("delete without tuples", c.Delete(conntrack.Flow{}))
	_, err = c.Get(ping)
	add("get the deleted", err)

	add("an expectation without tuples", c.CreateExpect(conntrack.Expect{}))
	expects, err := c.DumpExpect()
	add("expectations", err)
	add("expectations", expects)

	global, err := c.StatsGlobal()
	add("global", err)
	add("global", global.Entries)

	add("flush nil", c.FlushFilter(nil))
	add("flush a mark", c.FlushFilter(conntrack.NewFilter().Mark(99)))
	flows, err = c.Dump(nil)
	dump("dump the rest", flows, err)
	add("flush IPv6", c.FlushFilter(conntrack.NewFilter().Family(netfilter.ProtoIPv6)))
	flows, err = c.Dump(nil)
	dump("dump IPv4", flows, err)
	add("flush", c.Flush())
	flows, err = c.Dump(nil)
	dump("dump nothing", flows, err)

	add("read buffer", c.SetReadBuffer(1<<20))
	add("write buffer", c.SetWriteBuffer(1<<20))
	_, err = c.Listen(nil, 0, netfilter.GroupsCT)
	add("listen with no workers", err)
	_, err = c.Listen(nil, 1, nil)
	add("listen to nothing", err)
	return results
}

// TestConn makes the same requests with both libraries of the kernel, and with
// ours of the engine.
func TestConn(t *testing.T) {
	ours, theirs := namespace(t)
	want := run(theirs)
	table := fake(t, engine.Options{Accounting: true, Timestamps: true})
	for name, c := range map[string]*Conn{"kernel": ours, "engine": table} {
		got := run(c)
		if len(got) != len(want) {
			t.Fatalf("%s: %d results, want %d", name, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %s\nwant %s", name, got[i], want[i])
			}
		}
	}
	refused := 0
	for _, r := range want {
		if strings.Contains(r, "netfilter query") {
			refused++
		}
	}
	if refused < 6 {
		t.Errorf("only %d refusals", refused)
	}
}

// TestDeleteByID checks that Delete does not delete another entry with the same
// tuples.
func TestDeleteByID(t *testing.T) {
	c := fake(t, engine.Options{})
	f := createExpected(t, c)
	got, err := c.Get(f)
	if err != nil {
		t.Fatal(err)
	}
	f.ID = got.ID + 1
	if err := c.Delete(f); !errors.Is(err, unix.ENOENT) || !errors.Is(err, ctnetlink.ENOENT) {
		t.Errorf("another id: %v", err)
	}
	f.ID = got.ID
	if err := c.Delete(f); err != nil {
		t.Error(err)
	}
}

// TestListen checks that the events of a fake table arrive, and that Close ends
// a worker that nobody reads from.
func TestListen(t *testing.T) {
	table := engine.New(engine.Options{})
	c := New(ctnetlink.NewConn(table.Dial))
	events := make(chan conntrack.Event)
	if _, err := c.Listen(events, 4, netfilter.GroupsCT); err != nil {
		t.Fatal(err)
	}
	other := New(ctnetlink.NewConn(table.Dial))
	defer other.Close()
	f := createExpected(t, other)
	if err := other.Delete(f); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Type != conntrack.EventNew || e.Flow == nil || e.Flow.TupleOrig != f.TupleOrig {
		t.Errorf("%v", e)
	}
	closed := make(chan error)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testwait.Scale(time.Minute)):
		t.Fatal("Close does not return")
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// TestSetOption checks the error of what a Conn does not have.
func TestSetOption(t *testing.T) {
	if err := fake(t, engine.Options{}).SetOption(netlink.NoENOBUFS, true); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
