package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// A dump that is sent instead of a cache is older than events beside it: what has ended
// since stays away, and what has changed is as the events have it.
func TestBeside(t *testing.T) {
	for _, extensions := range []bool{true, false} {
		x := newExchange(t, 1)
		c, d := testConfig(config.NoTrack), testConfig(config.NoTrack)
		c.DisableInternalCache, c.Extensions, d.Extensions = true, extensions, extensions
		a, b := x.add(1, c), x.add(2, d)
		for i := range 3000 {
			a.table = append(a.table, natObject(t, i, 1000, 0x8))
		}
		dumps := 0
		a.beside = func() {
			dumps++
			for i := range 3000 {
				switch i % 3 {
				case 0:
					a.Event(wire.Delete, natObject(t, i, 1000, 0x8), i%2 == 0)
				case 1:
					a.Event(wire.Update, natObject(t, i, 1000, 0xe), false)
				}
			}
			a.Event(wire.New, natObject(t, 0, 1000, 0xa), false) // it lives again
		}
		x.run(15 * time.Second)
		got := map[uint32]int{}
		for s := cache.Slot(1); s != 0; {
			s = b.External.Walk(s, 1<<20, func(s cache.Slot) {
				var spec ctnetlink.FlowSpec
				if err := b.External.Object(s).Spec(&spec); err != nil {
					t.Error(err)
				}
				got[uint32(spec.Status)]++
			})
		}
		if dumps == 0 || got[0x8] != 1000 || got[0xe] != 1000 || got[0xa] != 1 {
			t.Errorf("extensions %v: after %d dumps entries by status: %v", extensions, dumps, got)
		}
	}
}

// Too many events beside a dump have another bulk follow, which has an end.
func TestBesideCrowded(t *testing.T) {
	x := newExchange(t, 1)
	c := testConfig(config.NoTrack)
	c.DisableInternalCache = true
	a, b := x.add(1, c), x.add(2, testConfig(config.NoTrack))
	for i := range 100 {
		a.table = append(a.table, object(t, i, 1000))
	}
	dumps := 0
	a.beside = func() {
		if dumps++; dumps > 1 {
			return
		}
		for i := range maxBeside + 1 {
			a.Event(wire.Delete, object(t, 1000+i, 1000), true)
		}
		if n := len(a.Node.beside.changes); n > maxBeside {
			t.Errorf("%d changes are kept", n)
		}
		a.Event(wire.Delete, object(t, 0, 1000), false)
		a.table = a.table[1:]
	}
	x.run(15 * time.Second)
	if n := b.External.Stats.Active; dumps != 2 || n != 99 {
		t.Errorf("%d dumps, %d entries", dumps, n)
	}
}
