package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// modes are those in which there are bulks.
var modes = map[string]config.Mode{"FTFW": config.FTFW, "NOTRACK": config.NoTrack}

// A node that comes gets everything, whatever is lost, and what it tells is whole.
func TestBulk(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		for _, loss := range []float64{0, 0.2} {
			t.Run(name, func(t *testing.T) {
				x := newExchange(t, 1)
				x.loss = loss
				a := x.add(1, testConfig(mode))
				a.fill(0, 20000)
				x.run(3 * time.Second)
				b := x.add(2, testConfig(mode))
				b.fill(30000, 31000)
				x.run(10 * time.Second)
				b.alike(a)
				a.alike(b)
				if !a.extended || !b.extended {
					t.Error("the nodes do not know each other")
				}
				for _, n := range []*station{a, b} {
					if is, why := n.Ready(); is != ReadyYes {
						t.Error(why)
					}
				}
				t.Log(x.count, "packets")
			})
		}
	}
}

// A node that comes back with less has its peers forget the rest.
func TestSweep(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			a.fill(0, 5000)
			x.run(5 * time.Second)
			b.alike(a)
			x.remove(a)
			x.run(5 * time.Second)
			if b.External.Stats.Active != 5000 {
				t.Error("the entries of a node that is gone are gone")
			}
			if is, why := b.Ready(); is != ReadyYes {
				t.Error(why)
			}
			a = x.add(1, testConfig(mode))
			a.fill(4000, 6000)
			x.run(5 * time.Second)
			b.alike(a)
			x.remove(a)
			a = x.add(1, testConfig(mode))
			x.run(5 * time.Second)
			b.alike(a) // empty
		})
	}
}

// A bulk of a cache that is not the whole table, or that holds ends back, does not have
// peers forget anything.
func TestBulkWithoutEnd(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			refresh := func() {
				a.BeginRefresh(false)
				a.fill(0, 1000)
				a.EndRefresh()
			}
			refresh()
			x.run(5 * time.Second)
			a.FlushInternal()
			a.Bulk()
			x.run(5 * time.Second)
			if n := b.External.Stats.Active; n != 1000 {
				t.Fatalf("%d entries after a flush", n)
			}
			if is, _ := b.Ready(); is != ReadyPartly {
				t.Errorf("ready: %d", is)
			}
			refresh()
			x.run(5 * time.Second)
			if is, why := b.Ready(); is != ReadyYes {
				t.Error(why)
			}
			b.alike(a)

			a.SetRole(Demoted)
			for i := range 600 {
				a.Event(wire.Delete, object(t, i, 1000), false)
			}
			a.Bulk()
			x.run(5 * time.Second)
			if n := b.External.Stats.Active; n != 1000 {
				t.Fatalf("%d entries while ends are held back", n)
			}
			// Nor when the role is lost: b has not committed them yet.
			a.SetRole(Backup)
			a.Bulk()
			x.run(5 * time.Second)
			if n := b.External.Stats.Active; n != 1000 {
				t.Fatalf("%d entries a short while after the role was lost", n)
			}
			x.run(holdTime)
			b.alike(a)

			// A dump beside a bulk, which adds entries where the bulk has been.
			a.Bulk()
			a.Tick()
			for i := range 600 {
				a.Event(wire.New, object(t, i, 1000), true)
			}
			x.run(5 * time.Second)
			b.alike(a)
		})
	}
}

// A peer that has not heard of the end of a bulk, or could not say so, gets another one.
func TestMissedEnd(t *testing.T) {
	for _, mode := range []config.Mode{config.FTFW, config.NoTrack} {
		x := newExchange(t, 1)
		a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
		a.fill(0, 50)
		x.run(5 * time.Second)
		b.alike(a)
		b.filter = func(h wire.Header) bool { return h.Type == wire.Extension }
		a.Bulk()
		x.run(6 * time.Second)
		if _, why := b.Ready(); why == "" {
			t.Fatalf("%v: the bulk has ended", mode)
		}
		b.filter = nil
		x.run(10 * time.Second)
		if ready, why := b.Ready(); ready != ReadyYes {
			t.Errorf("%v: %v, %s", mode, ready, why)
		}
		b.alike(a)
	}
}

// A peer that never answers the end of a bulk gets others more and more rarely, and one
// at once when it asks, or is a new process.
func TestNeverAnswers(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			a.fill(0, 50)
			x.run(5 * time.Second)
			b.alike(a)
			b.mute = func(e *extension) bool { return e.Kind == extGot && e.B == endPart }
			before := a.bulk.number
			a.Bulk()
			x.run(10 * time.Minute)
			if got := a.bulk.number - before; got < 5 || got > 8 {
				t.Errorf("%d bulks in ten minutes", got)
			}
			before = a.bulk.number
			b.RequestResync()
			x.run(5 * time.Second)
			if a.bulk.number == before {
				t.Error("no bulk for a peer that asks")
			}
			b.mute = nil
			x.run(missedMost)
			for _, p := range a.peers {
				if p != nil && (p.own.missed || p.own.misses != 0) {
					t.Errorf("%d ends are still missed after an answer", p.own.misses)
				}
			}
			before = a.bulk.number
			x.run(missedMost)
			if a.bulk.number != before {
				t.Error("a bulk for a peer that has answered")
			}

			b.mute = func(e *extension) bool { return e.Kind == extGot && e.B == endPart }
			a.Bulk()
			x.run(2 * time.Minute)
			x.remove(b)
			b = x.add(2, testConfig(mode))
			x.run(5 * time.Second)
			b.alike(a)
			for _, p := range a.peers {
				if p != nil && p.sender == b.from && p.own.misses != 0 {
					t.Errorf("a new process has missed %d", p.own.misses)
				}
			}
		})
	}
}

// Bulks go on while entries come and go, and slots are used again.
func TestBulkWhileChanging(t *testing.T) {
	t.Parallel()
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
