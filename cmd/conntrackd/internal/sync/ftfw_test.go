package sync

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// load is what happens to the table of a host.
type load struct {
	h       *host
	numbers int // entries there may be
	live    map[int]bool
	off     bool
}

// some makes count random changes.
func (l *load) some(count int) {
	r := l.h.w.r
	for range count {
		i := r.IntN(l.numbers)
		base := l.h.index + 1
		switch {
		case !l.live[i]:
			l.h.n.Event(wire.New, testObject(base, i, 1, 0), false)
			l.live[i] = true
		case r.IntN(3) == 0:
			l.h.n.Event(wire.Delete, testObject(base, i, 3, 0), false)
			delete(l.live, i)
		default:
			l.h.n.Event(wire.Update, testObject(base, i, byte(1+r.IntN(8)), r.Uint32()), false)
		}
	}
	l.h.tick()
}

// every has count changes made each time d has passed, until off.
func (l *load) every(d time.Duration, count int) {
	l.h.w.at(d, func() {
		if l.off {
			return
		}
		if l.h.n != nil {
			l.some(count)
		}
		l.every(d, count)
	})
}

func newLoad(h *host, numbers int) *load {
	return &load{h: h, numbers: numbers, live: make(map[int]bool)}
}

func TestFTFWPair(t *testing.T) {
	w := newNetwork(t, 1, testConfig(config.FTFW), testConfig(config.FTFW))
	w.run(2 * time.Second)
	a := newLoad(w.hosts[0], 5000)
	a.some(20000)
	w.same(2 * time.Second)
	w.run(3 * time.Second)
	if n := w.hosts[0].n; n.conns.rs.Len != 0 || n.Internal.Stats.Total != n.Internal.Stats.Active {
		t.Errorf("%d objects wait for an ACK, %d are dead, want none", n.conns.rs.Len,
			n.Internal.Stats.Total-n.Internal.Stats.Active)
	}
	if h := w.hosts[0]; h.ticks > 2000 {
		t.Errorf("%d ticks in 7 seconds: the node does not rest", h.ticks)
	}
	if s := w.hosts[1].n.stats; s.Lost != 0 || s.Before != 0 || s.Malformed != 0 {
		t.Errorf("on a link that loses nothing: %+v", s)
	}
}

// Nodes get everything over links that lose, double and reorder.
func TestFTFWBadLink(t *testing.T) {
	t.Parallel()
	for seed := range uint64(testwait.Size(4, 2)) {
		w := newNetwork(t, seed, testConfig(config.FTFW), testConfig(config.FTFW))
		w.loss, w.double, w.jitter = 0.2, 0.05, time.Millisecond
		loads := []*load{newLoad(w.hosts[0], 3000), newLoad(w.hosts[1], 500)}
		loads[0].every(time.Millisecond, 5)
		loads[1].every(10*time.Millisecond, 5)
		w.run(4 * time.Second)
		for _, l := range loads {
			l.off = true
		}
		w.same(15 * time.Second)
		for _, h := range w.hosts {
			if !w.until(20*time.Second, func() bool { return h.n.conns.rs.Len == 0 && h.n.conns.tx.Len == 0 }) {
				t.Errorf("seed %d: host %d: %d wait for an ACK", seed, h.index, h.n.conns.rs.Len)
			}
			if d := h.n.Internal.Stats; d.Total != d.Active {
				t.Errorf("seed %d: host %d: %d dead ones are left", seed, h.index, d.Total-d.Active)
			}
		}
	}
}

// 20 percent of loss must not cost more than twice the datagrams.
func TestFTFWLossCost(t *testing.T) {
	sent := func(loss float64) int {
		w := newNetwork(t, 7, testConfig(config.FTFW), testConfig(config.FTFW))
		w.run(3 * time.Second)
		w.loss = loss
		w.datagrams = 0
		l := newLoad(w.hosts[0], 1<<20)
		l.some(20000)
		if !w.until(20*time.Second, func() bool { return w.hosts[1].n.External.Stats.Active == uint64(len(l.live)) }) {
			t.Errorf("loss %v: %d of %d arrived", loss, w.hosts[1].n.External.Stats.Active, len(l.live))
		}
		return w.datagrams
	}
	if all, some := sent(0), sent(0.2); some > 2*all {
		t.Errorf("%d datagrams with losses, %d without: want twice as many at most", some, all)
	} else {
		t.Logf("%d datagrams with losses, %d without", some, all)
	}
}

// Three nodes, whose sequences have nothing to do with each other.
func TestFTFWThree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(testwait.Size(3, 2)) {
		c := testConfig(config.FTFW)
		w := newNetwork(t, seed, c, c, c)
		w.loss, w.jitter = 0.1, 500*time.Microsecond
		var loads []*load
		for i, h := range w.hosts {
			l := newLoad(h, 1000)
			l.every(time.Duration(2+i)*time.Millisecond, 3)
			loads = append(loads, l)
		}
		w.run(4 * time.Second)
		for _, l := range loads {
			l.off = true
		}
		w.same(20 * time.Second)
	}
}

// A node that comes back, as a new process or over a link that was cut, gets all that
// happened meanwhile, and forgets what is no more.
func TestFTFWReturns(t *testing.T) {
	t.Parallel()
	small := testConfig(config.FTFW)
	small.ResendQueueSize = 500
	none := testConfig(config.FTFW)
	none.Extensions = false
	for _, c := range []struct {
		name   string
		config *config.Config
		away   time.Duration
		boot   int // the host that is a new process, or -1
	}{
		{"short cut", testConfig(config.FTFW), 2 * time.Second, -1},
		{"cut", testConfig(config.FTFW), 10 * time.Second, -1},
		{"long cut", testConfig(config.FTFW), 100 * time.Second, -1},
		{"cut, small queue", small, 10 * time.Second, -1},
		{"cut, no extensions", none, 10 * time.Second, -1},
		{"receiver is new", testConfig(config.FTFW), 5 * time.Second, 1},
		{"receiver is new at once", testConfig(config.FTFW), 0, 1},
		{"sender is new", testConfig(config.FTFW), 5 * time.Second, 0},
		{"sender is new at once", testConfig(config.FTFW), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newNetwork(t, 3, c.config, c.config)
			w.loss, w.jitter = 0.02, 300*time.Microsecond
			w.run(3 * time.Second)
			a, b := newLoad(w.hosts[0], testwait.Size(4000, 2000)), newLoad(w.hosts[1], 300)
			a.some(testwait.Size(8000, 4000))
			b.some(500)
			w.same(20 * time.Second)
			if c.boot < 0 {
				w.cut = func(int, int) bool { return true }
			} else {
				w.hosts[c.boot].stop()
			}
			a.every(50*time.Millisecond, 20)
			w.run(c.away)
			w.cut = nil
			if c.boot >= 0 {
				w.hosts[c.boot].boot()
				if c.boot == 0 {
					// Its table has other entries now.
					clear(a.live)
				} else {
					clear(b.live)
				}
			}
			w.run(3 * time.Second)
			a.off = true
			w.same(60 * time.Second)
			h := w.hosts[0]
			if !w.until(10*time.Second, func() bool { return h.n.Internal.Stats.Total == h.n.Internal.Stats.Active }) {
				t.Errorf("%d dead ones are left", h.n.Internal.Stats.Total-h.n.Internal.Stats.Active)
			}
		})
	}
}

// Nodes whose sequences are close to each other take no ACK for theirs that is for
// another one.
func TestFTFWSameSequences(t *testing.T) {
	c := testConfig(config.FTFW)
	w := newNetwork(t, 5, c, c, c)
	w.loss = 0.1
	for _, h := range w.hosts {
		h.n.seq = 1000
	}
	var loads []*load
	for _, h := range w.hosts {
		l := newLoad(h, 1000)
		l.every(3*time.Millisecond, 3)
		loads = append(loads, l)
	}
	w.run(4 * time.Second)
	for _, l := range loads {
		l.off = true
	}
	w.same(30 * time.Second)
}

// Nodes that crash, and links that are cut one way or both ways, at random.
func TestFTFWFaults(t *testing.T) {
	t.Parallel()
	seeds, entries, pause := 2, 600, 8*time.Millisecond
	if n, err := strconv.Atoi(os.Getenv("SYNC_SEEDS")); err == nil { // a longer test
		seeds, entries, pause = n, 1500, 4*time.Millisecond
	}
	for seed := range seeds {
		c := testConfig(config.FTFW)
		c.ACKWindowSize, c.ResendQueueSize = 20, 200
		configs := []*config.Config{c, c, c}[:2+seed%2]
		w := newNetwork(t, uint64(seed), configs...)
		w.loss, w.double, w.jitter = 0.05, 0.02, 300*time.Microsecond
		var loads []*load
		for _, h := range w.hosts {
			l := newLoad(h, entries)
			l.every(pause, 3)
			loads = append(loads, l)
		}
		for range 12 {
			switch i := w.r.IntN(len(w.hosts)); w.r.IntN(4) {
			case 0:
				w.hosts[i].boot()
				clear(loads[i].live)
			case 1:
				w.cut = func(from, _ int) bool { return from == i }
			case 2:
				w.cut = func(from, to int) bool { return from == i || to == i }
			default:
				w.cut = nil
			}
			w.run(time.Duration(w.r.IntN(12000)) * time.Millisecond)
		}
		w.cut = nil
		for _, l := range loads {
			l.off = true
		}
		w.same(90 * time.Second)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A peer that is heard and hears nothing does not keep others from getting everything.
func TestFTFWDeafPeer(t *testing.T) {
	c := testConfig(config.FTFW)
	c.ResendQueueSize = 1500
	w := newNetwork(t, 9, c, c, c)
	w.run(3 * time.Second)
	w.cut = func(from, to int) bool { return from == 0 && to == 1 }
	l := newLoad(w.hosts[0], 5000)
	l.some(10000)
	w.run(15 * time.Second)
	if d := differ(w.hosts[0], w.hosts[2]); d != "" {
		t.Error(d)
	}
	w.cut = nil
	w.same(30 * time.Second)
}

// Ends of entries that nobody takes do not fill the cache.
func TestEndsAreBounded(t *testing.T) {
	c := testConfig(config.FTFW)
	c.ResendQueueSize, c.HashLimit = 100, 1000
	w := newNetwork(t, 10, c, c)
	w.run(3 * time.Second)
	h := w.hosts[0]
	h.full = true
	for i := range 5000 {
		h.event(wire.New, testObject(1, i, 3, 0))
		h.event(wire.Delete, testObject(1, i, 3, 0))
	}
	for i := range 700 {
		h.event(wire.New, testObject(1, 10000+i, 3, 0))
	}
	if d := h.n.Internal.Stats; d.Active != 700 || d.Total > 1000 || d.NoSpace != 0 {
		t.Errorf("%d entries live of %d, %d found no space, want 700, 1000 at most and none", d.Active, d.Total, d.NoSpace)
	}
	h.full = false
	h.tick()
	w.same(30 * time.Second)
}
