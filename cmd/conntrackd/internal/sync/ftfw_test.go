package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
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
	for seed := range uint64(4) {
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
	for seed := range uint64(3) {
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
