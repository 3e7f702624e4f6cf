package kernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// key returns the key of an entry without zones.
func key(s *ctnetlink.FlowSpec) wire.Key { return wire.TupleKey(&s.Orig, s.Zone, s.Zone) }

// types returns what a sink was told of an entry, with a dash before what was silent.
func (s *sink) types(k wire.Key) (all []string) {
	for _, t := range s.told {
		if t.object.Key() == k {
			name := [...]string{"new", "update", "delete"}[t.typ]
			if t.silent {
				name = "-" + name
			}
			all = append(all, name)
		}
	}
	return all
}

// TestEvents changes entries of all kinds. Each change is an event, and after each the cache
// equals the table. Attributes that an event lacks are kept.
func TestEvents(t *testing.T) {
	namespace(t, labels)
	_, s := start(t, settings())
	all := various()
	for name, spec := range all {
		fill(t, spec)
		s.until(t, name, func() bool { return s.cache[key(spec)] != nil })
	}
	conn := ctnetlink.Open()
	defer conn.Close()
	udp := all["udp"]
	change := ctnetlink.FlowSpec{Orig: udp.Orig}
	change.SetStatus(ctnetlink.StatusSeenReply)
	if err := conn.Update(&change); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the update", func() bool { return slices.Equal(s.types(key(udp)), []string{"new", "update"}) })
	var spec ctnetlink.FlowSpec
	s.Lock()
	err := s.cache[key(udp)].Spec(&spec)
	s.Unlock()
	if err != nil || spec.Mark != 0x2a || spec.Status&ctnetlink.StatusSeenReply == 0 {
		t.Errorf("after the update: %+v, %v", spec, err)
	}
	empty(t)
	s.until(t, "the end of all", func() bool { return len(s.cache) == 0 })
	if s.ended != len(all) {
		t.Errorf("%d entries ended, want %d", s.ended, len(all))
	}
}

// TestOwnChanges: the events of a commit and of a silent flush are marked as silent, those
// of a flush for all nodes are not, and injections have no events.
func TestOwnChanges(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	one := connection(1)
	fill(t, one)
	s.until(t, "the entry", func() bool { return len(s.cache) == 1 })
	objects := s.objects()
	if n, err := table.Flush(t.Context(), false); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	s.until(t, "its end", func() bool { return len(s.cache) == 0 })
	commit(t, table, inParts(objects, 1), 1)
	s.until(t, "the commit", func() bool { return len(s.cache) == 1 })
	if n, err := table.Flush(t.Context(), true); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	s.until(t, "its end", func() bool { return len(s.cache) == 0 })
	for _, typ := range []wire.Type{wire.New, wire.Update, wire.New, wire.Delete, wire.Update, wire.Delete, wire.Delete} {
		table.Inject(typ, objects[0].Object)
	}
	s.until(t, "the injections", func() bool {
		i := table.Injected(false)
		return i.Created+i.CreateFailed+i.Updated+i.UpdateFailed+i.Destroyed+i.DestroyFailed == 7
	})
	if got, want := table.Injected(false), (Injected{Created: 2, Updated: 2, Destroyed: 2, DestroyFailed: 1}); got != want {
		t.Errorf("injected %+v, want %+v", got, want)
	}
	last := connection(2)
	fill(t, last)
	s.until(t, "the last", func() bool { return s.cache[key(last)] != nil })
	s.Lock()
	defer s.Unlock()
	if got := s.types(key(one)); !slices.Equal(got, []string{"new", "delete", "-new", "-delete"}) {
		t.Errorf("told %q", got)
	}
}

// TestInjectOrder: many changes of few entries end as the last of each says.
func TestInjectOrder(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	for i := range 10 {
		fill(t, connection(i))
	}
	s.until(t, "the entries", func() bool { return len(s.cache) == 10 })
	objects := s.objects()
	empty(t)
	r := rand.New(rand.NewPCG(1, 2))
	last := make([]wire.Type, 10)
	for range 3000 {
		i := r.IntN(10)
		last[i] = wire.Type(r.IntN(3))
		table.Inject(last[i], objects[i].Object)
	}
	table.injector.close()
	there := contents(t)
	for i, o := range objects {
		if (there[o.Object.Key()] != nil) != (last[i] != wire.Delete) {
			t.Errorf("entry %d: there %v, but the last change was %v", i, there[o.Object.Key()] != nil, last[i])
		}
	}
	if i := table.Injected(false); i.CreateFailed+i.UpdateFailed > 0 {
		t.Errorf("%+v", i)
	}
}

// randomFilter is a filter of few protocols, addresses and states.
func randomFilter(r *rand.Rand) (f config.Filter) {
	if r.IntN(2) == 0 {
		f.Protocols = &config.List[ctnetlink.Protocol]{Ignore: r.IntN(2) == 0}
		for range r.IntN(3) {
			f.Protocols.Items = append(f.Protocols.Items, []ctnetlink.Protocol{6, 17, 1, 132}[r.IntN(4)])
		}
	}
	if r.IntN(3) != 0 {
		f.Addresses = &config.List[netip.Prefix]{Ignore: r.IntN(2) == 0}
		for range r.IntN(5) {
			a, bits := addr(fmt.Sprintf("10.0.%d.%d", r.IntN(2), r.IntN(4))), 16+r.IntN(17)
			if r.IntN(3) == 0 {
				a, bits = addr(fmt.Sprintf("fd00:%d::%d", r.IntN(2), r.IntN(4))), r.IntN(129)
			}
			f.Addresses.Items = append(f.Addresses.Items, netip.PrefixFrom(a, bits))
		}
	}
	if r.IntN(2) == 0 {
		f.States = &config.List[ctnetlink.State]{Ignore: r.IntN(2) == 0}
		for range 1 + r.IntN(4) {
			f.States.Items = append(f.States.Items, ctnetlink.NewState(ctnetlink.ProtoTCP, uint8(1+r.IntN(8))))
		}
	}
	return f
}

// randomFlow is an entry that filters may concern.
func randomFlow(r *rand.Rand, n int) *ctnetlink.FlowSpec {
	host := func() netip.Addr { return addr(fmt.Sprintf("10.0.%d.%d", r.IntN(2), r.IntN(4))) }
	if r.IntN(3) == 0 {
		host = func() netip.Addr { return addr(fmt.Sprintf("fd00:%d::%d", r.IntN(2), r.IntN(4))) }
	}
	p := []ctnetlink.Protocol{6, 6, 17, 132}[r.IntN(4)]
	s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(p, netip.AddrPortFrom(host(), uint16(n)), netip.AddrPortFrom(host(), 80)))
	s.SetTimeout(time.Minute)
	if p == ctnetlink.ProtoTCP {
		s.SetState(ctnetlink.NewState(p, uint8(1+r.IntN(8))))
	}
	if r.IntN(2) == 0 {
		to := host()
		s.SetDstNAT(ctnetlink.NAT{MinAddr: to, MaxAddr: to})
	}
	return s
}

// TestFilter: with the program in the kernel fewer events are received, and the same ones accepted.
// The cache holds what a dump would let through.
func TestFilter(t *testing.T) {
	namespace(t, "")
	r := rand.New(rand.NewPCG(3, 4))
	saved := uint64(0)
	for round := range 4 {
		c := settings()
		c.Filter = randomFilter(r)
		programmed := *c
		programmed.KernelFilter = true
		plainTable, plain := start(t, c)
		table, s := start(t, &programmed)
		conn := ctnetlink.Open()
		var flows []*ctnetlink.FlowSpec
		for n := range 60 {
			flows = append(flows, randomFlow(r, 1+n))
		}
		fill(t, flows...)
		for _, f := range flows {
			change := ctnetlink.FlowSpec{Orig: f.Orig}
			change.SetStatus(ctnetlink.StatusSeenReply)
			if f.Orig.Proto == ctnetlink.ProtoTCP {
				change.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, uint8(1+r.IntN(8))))
			}
			if err := conn.Update(&change); err != nil {
				t.Fatal(err)
			}
		}
		want := map[wire.Key]bool{}
		err := table.List(t.Context(), func(o wire.Object) error { want[o.Key()] = true; return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []*sink{plain, s} {
			x.until(t, "the entries", func() bool {
				for k := range want {
					if x.cache[k] == nil {
						return false
					}
				}
				return len(x.cache) == len(want)
			})
		}
		empty(t)
		for _, x := range []*sink{plain, s} {
			x.until(t, "the end", func() bool { return len(x.cache) == 0 })
		}
		// The last event of all has been seen by both.
		for _, f := range flows {
			p, q := plain.types(key(f)), s.types(key(f))
			if !slices.Equal(p, q) {
				t.Errorf("round %d, %+v: %v: told %q, with the program %q", round, c.Filter, f.Orig, p, q)
			}
		}
		saved += plainTable.Stats().Received - table.Stats().Received
		plainTable.Close()
		table.Close()
		conn.Close()
	}
	if saved == 0 {
		t.Error("the program has left out nothing")
	}
}

// TestResync: what is lost in a burst is found by the dump after it.
func TestResync(t *testing.T) {
	namespace(t, "")
	c := settings()
	c.NetlinkBuffer, c.NetlinkBufferMax = 5000, 5000
	table, s := start(t, c)
	s.refresh.Store(true)
	made := 0
	for made < 40_000 && table.Stats().Overruns == 0 {
		var burst []*ctnetlink.FlowSpec
		for range 2000 {
			burst = append(burst, connection(made))
			made++
		}
		fill(t, burst...)
	}
	if table.Stats().Overruns == 0 {
		t.Skip("no overrun") // the receiver was fast enough each time
	}
	s.until(t, "the dump", func() bool { return s.overruns.Load() > 0 && len(s.cache) == made })
}

// enter moves the goroutine's thread into the namespace of a Lab.
func enter(t *testing.T, c netlab.Config) *netlab.Lab {
	t.Helper()
	lab, err := netlab.New(c)
	if err != nil {
		if netlab.Skip(err) {
			skipped.Add(1)
			t.Skipf("SKIPPED, no laboratory: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.Close() })
	ns, err := lab.Namespace()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	runtime.LockOSThread() // the thread ends with the goroutine
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(os.NewSyscallError("setns", err))
	}
	return lab
}

// TestAddresses: the loss of an address or of a link is reported before the end of the
// entries that it causes.
func TestAddresses(t *testing.T) {
	for _, command := range []string{"ip addr del 192.0.2.1/32 dev b", "ip link set dev b down"} {
		lab := enter(t, netlab.Config{Addresses: true})
		rules := "table ip t {\nchain c { type nat hook postrouting priority 100; oifname \"b\" masquerade; }\n}"
		if err := lab.Rules(rules); err != nil {
			t.Fatal(err)
		}
		table, s := start(t, settings())
		p := packets.UDP{Src: packets.Port("10.0.0.2:1000"), Dst: packets.Port("192.0.2.2:53"), Data: []byte("x")}
		if sent, err := lab.Send(netlab.A, p.Bytes()); err != nil || len(sent.Out) != 1 {
			t.Fatalf("%+v, %v", sent, err)
		}
		s.until(t, "the entry", func() bool { return len(s.cache) == 1 })
		// The kernel ends no entry when another address or link goes.
		for _, other := range []string{
			"ip link set dev a down", "ip addr add 192.0.2.77/32 dev b", "ip addr del 192.0.2.77/32 dev b",
		} {
			run(t, other, "ip")
			n := 0
			if err := table.List(t.Context(), func(wire.Object) error { n++; return nil }); n != 1 || err != nil {
				t.Errorf("%s: %d entries, %v", other, n, err)
			}
		}
		s.until(t, "their losses", func() bool { return slices.Contains(s.losses, netip.MustParseAddr("192.0.2.77")) })
		run(t, command, "ip")
		s.until(t, "the end of the entry", func() bool { return len(s.cache) == 0 })
		s.Lock()
		if len(s.lossAtDelete) != 1 || !s.lossAtDelete[0] {
			t.Errorf("%s: losses before the end of the entry: %v, of %v", command, s.lossAtDelete, s.losses)
		}
		s.Unlock()
	}
}

// TestAdjusted: an entry whose sequence numbers a helper has begun to adjust is told with
// them, though no event tells them.
func TestAdjusted(t *testing.T) {
	lab := enter(t, netlab.Config{Addresses: true})
	rules := `table ip t {
ct helper ftp { type "ftp" protocol tcp; }
chain f { type filter hook forward priority 0; tcp dport 21 ct helper set "ftp"; }
chain n { type nat hook postrouting priority 100; oifname "b" snat to 192.0.2.101; }
}`
	if err := lab.Rules(rules); err != nil {
		t.Fatal(err)
	}
	_, s := start(t, settings())
	client, server, public := packets.Port("10.0.0.2:1000"), packets.Port("192.0.2.2:21"), packets.Port("192.0.2.101:1000")
	for _, x := range []struct {
		at netlab.Side
		p  packets.TCP
	}{
		{netlab.A, packets.TCP{Src: client, Dst: server, Flags: packets.SYN, Seq: 100}},
		{netlab.B, packets.TCP{Src: server, Dst: public, Flags: packets.SYN | packets.ACK, Seq: 200, Ack: 101}},
		{netlab.A, packets.TCP{Src: client, Dst: server, Flags: packets.ACK, Seq: 101, Ack: 201}},
		{netlab.A, packets.TCP{Src: client, Dst: server, Flags: packets.ACK | packets.PSH, Seq: 101, Ack: 201, Data: []byte("USER x\r\n")}},
		{netlab.A, packets.TCP{Src: client, Dst: server, Flags: packets.ACK | packets.PSH, Seq: 109, Ack: 201, Data: []byte("PORT 10,0,0,2,100,5\r\n")}},
	} {
		if sent, err := lab.Send(x.at, x.p.Bytes()); err != nil || len(sent.Out) != 1 {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	s.until(t, "the adjustment", func() bool {
		for _, o := range s.cache {
			var spec ctnetlink.FlowSpec
			if o.Spec(&spec) == nil && spec.Orig.DstPort == 21 && spec.Set.Has(ctnetlink.AttrSeqAdjOrig) {
				return spec.SeqAdj[0].After == int32(len("192,0,2,101")-len("10,0,0,2"))
			}
		}
		return false
	})
}

// TestPoll: without events the cache is refreshed at intervals.
func TestPoll(t *testing.T) {
	namespace(t, "")
	c := settings()
	c.Poll = 20 * time.Millisecond
	_, s := start(t, c)
	s.refresh.Store(true)
	fill(t, connection(1))
	s.until(t, "the entry", func() bool { return len(s.cache) == 1 })
	empty(t)
	s.until(t, "its end", func() bool { return len(s.cache) == 0 })
}
