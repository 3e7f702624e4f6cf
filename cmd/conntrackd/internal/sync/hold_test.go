package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

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
