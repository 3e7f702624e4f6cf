package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// oldConfig is that of a node which sends and knows nothing that is our own.
func oldConfig(mode config.Mode) *config.Config {
	c := testConfig(mode)
	c.Extensions = false
	return c
}

// With a node that is not ours there are few messages which it does not know, bulks both
// ways, and what it has lost when it comes back is forgotten.
func TestOldPeer(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			old := x.add(1, oldConfig(mode))
			old.fill(0, 3000)
			x.run(2 * time.Second)
			b := x.add(2, testConfig(mode))
			b.fill(5000, 7000)
			x.run(10 * time.Second)
			old.alike(b)
			b.alike(old)
			if n := old.Stats().BadHeader; n < 1 || n > 2*helloRound {
				t.Errorf("%d messages were sent that it does not know", n)
			}
			x.run(60 * time.Second)
			if n := old.Stats().BadHeader; n > 2*helloRound {
				t.Errorf("%d messages were sent that it does not know", n)
			}
			if is, why := b.Ready(); is != ReadyYes {
				t.Error(why)
			}
			x.remove(old)
			x.run(20 * time.Second)
			if b.External.Stats.Active != 3000 {
				t.Errorf("%d entries of a node that is gone", b.External.Stats.Active)
			}
			old = x.add(1, oldConfig(mode))
			old.fill(2500, 3500)
			x.run(50 * time.Second)
			b.alike(old)
			x.remove(old)
			old = x.add(1, oldConfig(mode))
			x.run(50 * time.Second)
			b.alike(old)
		})
	}
}

// Entries that conntrack-tools cannot tell apart go to nodes that are ours only.
func TestExtended(t *testing.T) {
	gre := func(key byte) wire.Object {
		var b []byte
		b = attr(b, 0, 10, 0, 0, 1, 192, 0, 2, 1)
		b = attr(b, 5, 0, 0, 0, 8)
		b = attr(b, 2, 47)
		b = attr(b, 64, 0, key, 0, key, 0, key, 0, key)
		o, err := wire.Merge(nil, wire.New, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if gre(1).Key() == gre(2).Key() {
		t.Fatal("the keys of GRE do not count")
	}
	x := newExchange(t, 1)
	a := x.add(1, testConfig(config.FTFW))
	b := x.add(2, testConfig(config.FTFW))
	old := x.add(3, oldConfig(config.FTFW))
	x.run(3 * time.Second)
	a.Event(wire.New, gre(1), false)
	a.Event(wire.New, gre(2), false)
	x.run(3 * time.Second)
	if n := b.External.Stats.Active; n != 0 {
		t.Errorf("%d entries that not all understand", n)
	}
	x.remove(old)
	x.run(goneAfter + 5*time.Second)
	b.alike(a)
	if n := b.External.Stats.Active; n != 2 {
		t.Errorf("%d entries", n)
	}
}

// ALARM sends entries again and again, those of the start too, and forgets what was not
// told for a time.
func TestAlarm(t *testing.T) {
	x := newExchange(t, 1)
	x.loss = 0.05
	a, b := x.add(1, testConfig(config.Alarm)), x.add(2, testConfig(config.Alarm))
	a.fill(0, 500)
	for i := 500; i < 1000; i++ {
		a.Event(wire.New, object(t, i, 100), false)
	}
	x.run(time.Second)
	if n := b.External.Stats.Active; n < 300 {
		t.Errorf("%d entries after a second", n)
	}
	x.run(50 * time.Second)
	b.alike(a)
	before := x.count
	x.run(10 * time.Second)
	if n := x.count - before; n < 100 {
		t.Errorf("%d packets while nothing changes", n)
	}
	for i := 500; i < 900; i++ {
		a.Event(wire.Delete, object(t, i, 100), false)
	}
	x.run(45 * time.Second)
	b.alike(a)
	if a.Internal.Stats.Total != 600 {
		t.Errorf("%d entries are left", a.Internal.Stats.Total)
	}
	x.remove(a)
	x.run(45 * time.Second)
	if n := b.External.Stats.Active; n != 0 {
		t.Errorf("%d entries of a node that is gone", n)
	}
}

// Without internal cache a bulk is a dump, which is repeated until all has arrived, and
// what it did not tell is gone.
func TestBypass(t *testing.T) {
	for _, loss := range []float64{0, 0.02} {
		x := newExchange(t, 1)
		x.loss = loss
		c := testConfig(config.NoTrack)
		c.DisableInternalCache = true
		a, b := x.add(1, c), x.add(2, testConfig(config.NoTrack))
		for i := range 3000 {
			a.table = append(a.table, object(t, i, 1000))
		}
		x.run(15 * time.Second)
		want := len(a.table)
		if n := int(b.External.Stats.Active); n != want {
			t.Fatalf("%d of %d entries", n, want)
		}
		a.Event(wire.New, object(t, 9000, 100), false)
		a.Event(wire.Delete, object(t, 0, 100), false)
		a.Event(wire.New, object(t, 9001, 100), true)
		a.table = a.table[100:]
		a.FlushInternal() // -f: there is no cache that it could make a part of the table
		a.Bulk()
		x.run(15 * time.Second)
		if n := int(b.External.Stats.Active); n != want-100 && loss == 0 {
			t.Errorf("%d entries", n)
		}
		if s := a.Stats(); s.BypassNew != 1 || s.BypassDestroyed != 1 || s.BypassUpdated != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// A change without caches leaves with the next Tick.
func TestBypassAtOnce(t *testing.T) {
	x := newExchange(t, 1)
	c := testConfig(config.NoTrack)
	c.DisableInternalCache = true
	d := testConfig(config.NoTrack)
	d.DisableExternalCache = true
	a, b := x.add(1, c), x.add(2, d)
	x.run(3 * time.Second)
	b.Node.o.Inject = b
	a.Event(wire.New, object(t, 1, 100), false)
	a.Event(wire.Delete, object(t, 1, 100), false)
	a.next = x.now
	x.run(5 * time.Millisecond)
	if len(b.inject) != 2 || b.External.Stats.Created != 0 {
		t.Errorf("injected: %q", b.inject)
	}
}

// Ends of translated entries wait until the role is known.
func TestHold(t *testing.T) {
	const masqueraded = 0x198
	start := func() (*exchange, *station, *station) {
		x := newExchange(t, 1)
		a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
		for i := range 100 {
			a.Event(wire.New, natObject(t, i, 100, masqueraded), false)
		}
		a.Event(wire.New, object(t, 1000, 100), false)
		x.run(3 * time.Second)
		b.alike(a)
		a.HoldDeletes()
		for i := range 100 {
			a.Event(wire.Delete, natObject(t, i, 100, masqueraded), false)
		}
		a.Event(wire.Delete, object(t, 1000, 100), false)
		x.run(3 * time.Second)
		if n := b.External.Stats.Active; n != 100 || a.Held() != 100 {
			t.Fatalf("%d entries are left, %d ends are held back", n, a.Held())
		}
		// One lives again.
		a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		return x, a, b
	}
	for name, c := range map[string]struct {
		f    func(x *exchange, a, b *station)
		want uint64
	}{
		"the role is kept": {func(_ *exchange, a, _ *station) { a.SetRole(Primary) }, 1},
		"the role is lost": {func(_ *exchange, a, _ *station) { a.SetRole(Backup) }, 100},
		"it is lost, and an end comes late": {func(x *exchange, a, _ *station) {
			a.SetRole(Backup)
			x.run(holdTime / 2)
			a.Event(wire.Delete, natObject(t, 7, 100, masqueraded), false)
			a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		}, 100},
		"it is lost, and an end comes much later": {func(x *exchange, a, _ *station) {
			a.SetRole(Backup)
			x.run(holdTime + time.Second)
			a.Event(wire.Delete, natObject(t, 7, 100, masqueraded), false)
			x.run(time.Second)
			a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		}, 99},
		"a peer has taken over": {func(x *exchange, a, b *station) {
			b.SetRole(Primary)
			x.run(3 * time.Second)
			if a.Held() != 0 {
				t.Error("the ends are still held back")
			}
		}, 100},
		"addresses go all the time": {func(x *exchange, a, _ *station) {
			for range 6 {
				a.HoldDeletes()
				x.run(4 * time.Second)
			}
		}, 1},
		"nobody says anything": {func(x *exchange, _, _ *station) { x.run(holdTime) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			x, a, b := start()
			c.f(x, a, b)
			x.run(3 * time.Second)
			if n := b.External.Stats.Active; n != c.want {
				t.Errorf("%d entries are left", n)
			}
			if n := a.Internal.Stats.Total; n != 1 {
				t.Errorf("%d entries in the internal cache", n)
			}
		})
	}
}

// Ends that are held back take no space from entries that live.
func TestHoldFull(t *testing.T) {
	const masqueraded, limit = 0x198, 150
	x := newExchange(t, 1)
	c := testConfig(config.FTFW)
	c.HashLimit = limit
	a, b := x.add(1, c), x.add(2, testConfig(config.FTFW))
	for i := range 100 {
		a.Event(wire.New, natObject(t, i, 100, masqueraded), false)
	}
	x.run(3 * time.Second)
	a.HoldDeletes()
	for i := range 100 {
		a.Event(wire.Delete, natObject(t, i, 100, masqueraded), false)
	}
	for i := range limit {
		a.Event(wire.New, object(t, 1000+i, 100), false)
	}
	if got := a.Internal.Stats.Active; got != limit || a.Held() != 0 {
		t.Errorf("%d of %d entries, %d ends are held back", got, limit, a.Held())
	}
	x.run(holdTime + 3*time.Second)
	b.alike(a)
	if got := b.External.Stats.Active; got != limit {
		t.Errorf("%d entries at the other node, want %d", got, limit)
	}
}

// What comes twice or late does not undo what is newer.
func TestLate(t *testing.T) {
	x := newExchange(t, 1)
	a, b := x.add(1, testConfig(config.NoTrack)), x.add(2, testConfig(config.NoTrack))
	x.run(3 * time.Second)
	var sent [][]byte
	a.Tick()
	x.run(10 * time.Millisecond)
	keep := func(f func()) {
		f()
		x.queue = nil
		a.Tick()
		sent = append(sent, x.queue[len(x.queue)-1].b)
		x.queue = nil
	}
	keep(func() { a.Event(wire.New, object(t, 1, 100), false) })
	keep(func() { a.Event(wire.Update, object(t, 1, 200), false) })
	keep(func() { a.Event(wire.New, object(t, 2, 100), false) })
	keep(func() { a.Event(wire.Delete, object(t, 2, 100), false) })
	give := func(i int) { b.Receive(a.from, sent[i]) }
	timeout := func(i int) uint32 {
		k := object(t, i, 0).Key()
		v, _ := number32(b.External.Object(b.External.Find(&k)), attrTimeout)
		return v
	}
	give(1)
	give(0)
	if v := timeout(1); v != 200 {
		t.Errorf("a late message counts: %d", v)
	}
	give(2)
	give(3)
	give(2)
	if v := timeout(2); v != 0 {
		t.Errorf("a message counts twice")
	}
	if s := b.Stats(); s.Before != 2 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// RESYNC is sent until a peer is there and answers.
func TestResync(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			c := oldConfig(mode)
			c.StartupResync = true
			a := x.add(1, c)
			x.run(20 * time.Second)
			b := x.add(2, oldConfig(mode))
			b.fill(0, 100)
			lost := 0
			a.filter = func(h wire.Header) bool {
				drop := h.Type == wire.Control && h.Flags&wire.FlagResync != 0 && lost < 2
				if drop {
					lost++
				}
				return drop
			}
			x.run(20 * time.Second)
			a.alike(b)
			if lost != 2 {
				t.Errorf("%d RESYNC were lost", lost)
			}
			asked := 0
			for _, l := range b.logs {
				if l == "resync requested by other node" {
					asked++
				}
			}
			if mode == config.FTFW && asked < 1 {
				t.Errorf("log: %q", b.logs)
			}
		})
	}
}

// With NOTRACK a node that is ours is asked for what was lost.
func TestGap(t *testing.T) {
	x := newExchange(t, 1)
	a, b := x.add(1, testConfig(config.NoTrack)), x.add(2, testConfig(config.NoTrack))
	x.run(3 * time.Second)
	x.loss = 0.1
	for i := range 2000 {
		a.Event(wire.New, object(t, i, 1000), false)
		if i >= 500 {
			a.Event(wire.Delete, object(t, i-500, 1000), false)
		}
		x.run(time.Millisecond)
	}
	x.run(40 * time.Second)
	b.alike(a)
	if b.Stats().Lost == 0 {
		t.Error("nothing was lost")
	}
}

// What lives longer than its timeout is told again; what is not told again is forgotten.
func TestExpire(t *testing.T) {
	x := newExchange(t, 1)
	a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
	x.run(3 * time.Second)
	for i := range 200 {
		a.Event(wire.New, object(t, i, 30), false)
	}
	x.run(20 * time.Minute)
	b.alike(a)
	if n := b.External.Stats.Deleted; n != 0 {
		t.Errorf("%d entries were forgotten though they live", n)
	}
	// Ends that are not told.
	for i := range 100 {
		a.Event(wire.Delete, object(t, i, 30), true)
	}
	x.run(10 * time.Minute)
	b.alike(a)
}

// Left is the time of a commit.
func TestLeft(t *testing.T) {
	x := newExchange(t, 1)
	a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
	x.run(time.Second)
	a.Event(wire.New, object(t, 1, 100), false)
	x.run(time.Second)
	left := func() (uint32, bool) {
		k := object(t, 1, 0).Key()
		s := b.External.Find(&k)
		return b.Left(b.External.Object(s), b.External.Meta(s), false)
	}
	if v, ok := left(); v < 98 || v > 100 || !ok {
		t.Errorf("%d %v", v, ok)
	}
	x.remove(a)
	x.run(50 * time.Second)
	if v, ok := left(); v < 48 || v > 50 || !ok {
		t.Errorf("%d %v", v, ok)
	}
	x.run(60 * time.Second)
	if v, ok := left(); v != oldTimeout || !ok {
		t.Errorf("%d %v", v, ok)
	}
	b.c.CommitTimeout = 7 * time.Second
	if v, ok := left(); v != 7 || !ok {
		t.Errorf("%d %v", v, ok)
	}
}

// Peers says who is there and how far it is.
func TestPeers(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			b.SetRole(Backup)
			b.fill(0, 10)
			x.run(5 * time.Second)
			list := a.Peers()
			if len(list) != 1 {
				t.Fatalf("%+v", list)
			}
			p := list[0]
			if !p.Ours || p.Name != "node2" || p.Role != "backup" || p.Entries != 10 || p.Active != 10 || p.Lag != 0 ||
				p.LastBulk.IsZero() || p.Away || p.Sender != b.from {
				t.Errorf("%+v", p)
			}
			b.deaf = true
			for i := range 200 {
				a.Event(wire.New, object(t, 100+i, 100), false)
			}
			x.run(1500 * time.Millisecond)
			if p := a.Peers()[0]; p.Lag < time.Second || p.Lag > 2*time.Second || p.Away {
				t.Errorf("%+v", p)
			}
			x.run(2 * time.Second)
			if p := a.Peers()[0]; !p.Away {
				t.Errorf("%+v", p)
			}
		})
	}
}

// Bulks go on while entries come and go, and slots are used again.
func TestBulkWhileChanging(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			x.loss = 0.02
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			a.fill(0, 3000)
			for i := range 3000 {
				switch {
				case i%3 == 0:
					a.Event(wire.Delete, object(t, i, 1000), false)
				default:
					a.Event(wire.New, object(t, 5000+i, 1000), false)
				}
				if i%500 == 0 {
					a.Bulk()
				}
				x.run(500 * time.Microsecond)
			}
			x.run(40 * time.Second)
			b.alike(a)
			if a.Internal.Stats.Total != a.Internal.Stats.Active {
				t.Errorf("%d dead ones are left", a.Internal.Stats.Total-a.Internal.Stats.Active)
			}
			for s := cache.Slot(1); s != 0; {
				s = a.Internal.Walk(s, 1<<20, func(s cache.Slot) {
					if a.Internal.Meta(s).Flags&flagBulk != 0 {
						t.Error("an object is still one of a bulk")
					}
				})
			}
			if a.conns.bulk != 0 {
				t.Errorf("%d objects are still waited for", a.conns.bulk)
			}
		})
	}
}
