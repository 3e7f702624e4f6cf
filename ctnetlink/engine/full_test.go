package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// buckets returns the default variables with another nf_conntrack_buckets.
func buckets(n uint32) engine.Sysctls {
	s := engine.DefaultSysctls()
	s.Buckets = n
	return s
}

// counters returns the counters of -S that are not 0.
func counters(t testing.TB, c *ctnetlink.Conn) string {
	t.Helper()
	var words []string
	for cpu, err := range c.Stats() {
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range cpu.Counters {
			if v.Value != 0 {
				words = append(words, fmt.Sprintf("%s=%d", v.Name, v.Value))
			}
		}
	}
	return strings.Join(words, " ")
}

// TestFullForRequests: at the limit, a request that creates an entry looks at the
// first eight buckets only, whatever its tuple; once nothing in them may go, it
// is refused.
func TestFullForRequests(t *testing.T) {
	const limit = 500
	tab := engine.New(engine.Options{Max: limit, Sysctls: buckets(512), Seed: 1})
	c := client(t, tab)
	for i := range limit {
		create(t, c, connection(i))
	}
	refused := 0
	for i := range 40 {
		e := connection(limit + i)
		e.Status |= ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
		if err := c.Create(e); err != nil {
			wantErr(t, err, ctnetlink.ENOMEM)
			refused++
		} else if refused > 0 && tab.Len() == limit {
			t.Fatal("a request was accepted after one was refused")
		}
	}
	if refused == 0 || refused == 40 {
		t.Errorf("%d of 40 refused", refused)
	}
	wantErr(t, c.Create(connection(limit-1)), ctnetlink.EEXIST) // found before room is made
	if got := counters(t, c); strings.Contains(got, "drop=") != strings.Contains(got, "early_drop=") || strings.Contains(got, " drop=") {
		t.Errorf("counters %s", got)
	}
}

// fill makes entries with random tuples, of which some are not assured.
func fill(t testing.TB, c *ctnetlink.Conn, r *rand.Rand, n, free int) {
	t.Helper()
	for i := range n {
		e := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP,
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(r.Uint32())),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), uint16(r.Uint32()))))
		e.SetTimeout(time.Hour)
		if i >= free {
			e.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
		}
		if err := c.Create(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEarlyDropChance: how often a new flow gets into a full table depends on the
// number of entries that may go and on nf_conntrack_buckets: the figures are
// those that were measured on Linux 6.12.
func TestEarlyDropChance(t *testing.T) {
	for _, m := range []struct {
		buckets   uint32
		max, free int
		measured  float64
	}{
		{512, 500, 450, 1}, {512, 500, 50, 0.784}, {512, 500, 25, 0.552}, {512, 500, 5, 0.144}, {512, 500, 0, 0},
		{2048, 500, 250, 0.864}, {2048, 500, 25, 0.18}, {512, 2000, 20, 0.424}, {4096, 4096, 410, 0.775},
		{65536, 1000, 500, 0.125}, {512, 20, 20, 0.448}, {512, 200, 200, 1},
	} {
		now := time.Unix(1_700_000_000, 0)
		r := rand.New(rand.NewPCG(uint64(m.buckets), uint64(m.free)))
		passed, attempts := 0, 0
		for seed := range uint32(8) {
			tab := engine.New(engine.Options{
				Now: func() time.Time { return now }, Max: m.max, Sysctls: buckets(m.buckets), Seed: seed + 1})
			fill(t, client(t, tab), r, m.max, m.free)
			for range 25 { // each attempt changes the table a little
				p := datagram(fmt.Sprintf("10.0.0.2:%d", r.IntN(65536)), fmt.Sprintf("192.0.2.2:%d", r.IntN(65536)), 1)
				v := tab.Track(&engine.Packet{Data: p, Time: now})
				attempts++
				if v.State == engine.StateNew {
					passed++
				} else if v.Reason.Code != engine.TableFull || v.Fate != engine.Dropped {
					t.Fatalf("%+v", v)
				} else if v := tab.Track(&engine.Packet{Data: p, Time: now}); v.State != engine.StateNone {
					t.Fatal("the same packet passed when it was sent again")
				}
				if tab.Len() > m.max {
					t.Fatalf("%d entries of %d", tab.Len(), m.max)
				}
			}
		}
		got := float64(passed) / float64(attempts)
		formula := 1 - math.Pow(1-8/float64(m.buckets), 2*float64(m.free))
		tolerance := 0.02 + 4*math.Sqrt(formula*(1-formula)/float64(attempts))
		if math.Abs(got-formula) > tolerance || math.Abs(got-m.measured) > tolerance+0.05 {
			t.Errorf("%d buckets, %d entries, %d may go: %.3f pass, formula %.3f, measured %.3f",
				m.buckets, m.max, m.free, got, formula, m.measured)
		}
	}
}

// TestFullForPackets: what a full table does with packets that need an entry and
// with those that do not.
func TestFullForPackets(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	filter := filterFunc(func(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
		if at(h, -300, engine.Prerouting, from, to) && destPort(m) == 9 {
			m.NoTrack()
		}
		return engine.Accept
	})
	tab := engine.New(engine.Options{Now: func() time.Time { return now }, Max: 20, Sysctls: buckets(8), Rules: filter})
	c := client(t, tab)
	l := listener(t, tab)
	r := rand.New(rand.NewPCG(1, 2))
	fill(t, c, r, 19, 0)
	shapes(t, l)
	track := func(from, to string, change func(b []byte)) *engine.Verdict {
		b := datagram(from, to, 1)
		if change != nil {
			change(b)
		}
		return tab.Track(&engine.Packet{Data: b, Time: now})
	}
	expect := func(name string, v *engine.Verdict, state engine.State, len int, stats string, events ...string) {
		t.Helper()
		if v.State != state || v.Fate == engine.Dropped != (state == engine.StateNone) || tab.Len() != len {
			t.Errorf("%s: %v %v %v, %d entries", name, v.State, v.Fate, v.Reason, tab.Len())
		}
		if got := counters(t, c); got != stats {
			t.Errorf("%s: counters %s, want %s", name, got, stats)
		}
		if got := shapes(t, l); fmt.Sprint(got) != fmt.Sprint(events) {
			t.Errorf("%s: events %q, want %q", name, got, events)
		}
	}
	badSum := func(b []byte) { b[26] = 1 }
	const created = "NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"
	expect("the last place", track("10.0.0.2:1", "192.0.2.2:53", nil), engine.StateNew, 20, "insert=19", created)
	expect("its second packet", track("10.0.0.2:1", "192.0.2.2:53", nil), engine.StateNew, 20, "insert=19")
	// A packet that is INVALID evicts what it finds and makes nothing.
	expect("a bad checksum", track("10.0.0.2:2", "192.0.2.2:53", badSum), engine.StateInvalid, 19,
		"invalid=1 insert=19 early_drop=1", "DESTROY ORIG REPLY ID STATUS=208 TIMEOUT=1e")
	expect("with a place", track("10.0.0.2:3", "192.0.2.2:53", nil), engine.StateNew, 20, "invalid=1 insert=19 early_drop=1", created)
	expect("an eviction", track("10.0.0.2:4", "192.0.2.2:53", nil), engine.StateNew, 20, "invalid=1 insert=19 early_drop=2",
		"DESTROY ORIG REPLY ID STATUS=208 TIMEOUT=1e", created)
	now = now.Add(3 * time.Second)
	expect("the reply", track("192.0.2.2:53", "10.0.0.2:4", nil), engine.StateEstablished, 20, "invalid=1 insert=19 early_drop=2",
		"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e")
	expect("a stream", track("10.0.0.2:4", "192.0.2.2:53", nil), engine.StateEstablished, 20, "invalid=1 insert=19 early_drop=2",
		"UPDATE ORIG REPLY ID STATUS=e TIMEOUT=78")
	// All entries are assured now.
	expect("nothing may go", track("10.0.0.2:5", "192.0.2.2:53", nil), engine.StateNone, 20,
		"invalid=1 insert=19 drop=1 early_drop=2")
	expect("invalid anyway", track("10.0.0.2:6", "192.0.2.2:53", badSum), engine.StateNone, 20,
		"invalid=1 insert=19 drop=2 early_drop=2")
	expect("notrack", track("10.0.0.2:6", "192.0.2.2:9", nil), engine.StateUntracked, 20,
		"invalid=1 insert=19 drop=2 early_drop=2")
	expect("of an entry", track("10.0.0.2:4", "192.0.2.2:53", nil), engine.StateEstablished, 20,
		"invalid=1 insert=19 drop=2 early_drop=2")
}

// TestCollect: after a new flow was refused, entries that are closing or not
// assured go with the next round, until 95 % are left.
func TestCollect(t *testing.T) {
	for _, m := range []struct{ max, left int }{{99, 99}, {100, 94}, {150, 94}, {250, 189}, {500, 474}} {
		now := time.Unix(1_700_000_000, 0)
		tab := engine.New(engine.Options{Now: func() time.Time { return now }, Max: m.max, Sysctls: buckets(512)})
		c := client(t, tab)
		for i := range m.max {
			e := connection(i)
			e.Timeout = time.Hour
			e.Status |= ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
			e.Set = e.Set.With(ctnetlink.AttrProtoInfo)
			state := ctnetlink.TCPEstablished
			if i >= m.max/10 {
				state = ctnetlink.TCPTimeWait
			}
			e.ProtoInfo = ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: state}
			create(t, c, e)
		}
		now = now.Add(2 * time.Minute)
		tab.Expire()
		if n := tab.Len(); n != m.max {
			t.Errorf("max %d: %d entries are left although none was refused", m.max, n)
		}
		v := tab.Track(&engine.Packet{Data: datagram("10.0.0.2:1", "192.0.2.2:53", 1), Time: now})
		if v.State != engine.StateNone {
			t.Errorf("max %d: %v", m.max, v.State)
		}
		now = now.Add(62 * time.Second)
		tab.Expire()
		if n := tab.Len(); n != m.left {
			t.Errorf("max %d: %d entries are left, want %d", m.max, n, m.left)
		}
		for i := range m.max / 10 {
			if _, err := c.Get(&ctnetlink.FlowSpec{Family: 2, Orig: connection(i).Orig}); err != nil {
				t.Errorf("max %d: established entry %d: %v", m.max, i, err)
			}
		}
	}
}

// TestNoLimit: with a negative maximum there is none, and it is shown as 0.
func TestNoLimit(t *testing.T) {
	tab := engine.New(engine.Options{Max: -1, Sysctls: buckets(1)})
	c := client(t, tab)
	for i := range 3000 {
		e := connection(i)
		if i%2 == 0 { // translated ones are in another index, too
			e.SrcNAT.MinAddr = netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})
			e.SrcNAT.MaxAddr = e.SrcNAT.MinAddr
			e.Set = e.Set.With(ctnetlink.AttrNATSrc)
		}
		create(t, c, e)
	}
	if entries, maximum, err := c.Count(); entries != 3000 || maximum != 0 || err != nil {
		t.Errorf("%d entries of %d, %v", entries, maximum, err)
	}
}

// TestExpireExactly: entries end at their time, in order, whatever moved it; in
// a large table up to 256 ms later.
func TestExpireExactly(t *testing.T) {
	for _, n := range []int{50, testwait.Size(20_000, 5_000)} {
		now := time.Unix(1_700_000_000, 0)
		tab := engine.New(engine.Options{Now: func() time.Time { return now }, Max: -1})
		c := client(t, tab)
		r := rand.New(rand.NewPCG(3, 4))
		ends := make([]time.Time, n)
		for i := range ends {
			e := connection(i)
			e.Timeout = time.Duration(1+r.IntN(3000)) * time.Second
			create(t, c, e)
			ends[i] = now.Add(e.Timeout)
		}
		for step := range 400 {
			for range n / 40 {
				i := r.IntN(n)
				e := &ctnetlink.FlowSpec{Family: 2, Orig: connection(i).Orig, Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout)}
				e.Timeout = time.Duration(r.IntN(1<<r.IntN(13))) * time.Second
				if c.Update(e) == nil {
					ends[i] = now.Add(e.Timeout)
				}
			}
			now = now.Add(time.Duration(r.Int64N(int64(time.Second) << (step % 6))))
			if step%50 == 49 {
				now = now.Add(600 * time.Second)
			}
			tab.Track(&engine.Packet{Data: nil, Time: now})
			const tick = 4 * time.Millisecond // the unit of the table's time
			late := time.Duration(0)
			if n > 64 {
				late = 256*time.Millisecond + tick
			}
			low, exact, high := 0, 0, 0
			for _, end := range ends {
				if end.After(now.Add(tick)) {
					low++
				}
				if end.After(now) {
					exact++
				}
				if end.After(now.Add(-late)) {
					high++
				}
			}
			if got := tab.Len(); got < low || got > high {
				t.Fatalf("step %d: %d entries, want %d to %d", step, got, low, high)
			}
			if step%10 == 0 {
				tab.Expire()
				if got := tab.Len(); got < low || got > exact {
					t.Fatalf("step %d: %d entries after Expire, want %d to %d", step, got, low, exact)
				}
			}
		}
	}
}

// TestTrackAllocates: packets of known flows allocate nothing, and those of new
// flows nothing but the table's own memory.
func TestTrackAllocates(t *testing.T) {
	const flows = 4096
	for _, proto := range []ctnetlink.Protocol{ctnetlink.ProtoUDP, ctnetlink.ProtoTCP} {
		packets := newTraffic(proto, flows)
		tab := engine.New(engine.Options{Accounting: true, Timestamps: true})
		p := engine.Packet{Time: time.Unix(1_700_000_000, 0)}
		n := 0
		track := func() {
			p.Data = packets.packet(n % packets.len())
			if v := tab.Track(&p); v.State == engine.StateInvalid {
				t.Fatal(v.Reason)
			}
			n++
		}
		// Now and then a slab is allocated; AllocsPerRun rounds down.
		if a := testing.AllocsPerRun(flows-1, track); a != 0 {
			t.Errorf("%v: %v allocations for a new flow", proto, a)
		}
		if a := testing.AllocsPerRun(packets.len()-flows-1, track); a != 0 {
			t.Errorf("%v: %v allocations for a packet", proto, a)
		}
		if got := tab.Len(); got != flows {
			t.Errorf("%v: %d entries", proto, got)
		}
	}
}
