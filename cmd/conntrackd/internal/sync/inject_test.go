package sync

import (
	"bytes"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Without internal cache a bulk is a dump, which is repeated until all has arrived, and
// what it did not tell is gone.
func TestBypass(t *testing.T) {
	t.Parallel()
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

// Without external cache the internal one follows what a peer tells of an entry that it
// has: no event tells of what is injected.
func TestInjectedAgain(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1)
	c := testConfig(config.FTFW)
	c.DisableExternalCache = true
	a, b := x.add(1, c), x.add(2, c)
	x.run(3 * time.Second)
	b.Event(wire.New, natObject(t, 1, 100, 0x8), false)
	x.run(time.Second)
	a.Event(wire.Update, natObject(t, 1, 100, 0xe), false)
	x.run(time.Second)
	want := natObject(t, 1, 100, 0xe)
	k := want.Key()
	if s := b.Internal.Find(&k); s == 0 || !bytes.Equal(b.Internal.Object(s), want) {
		t.Errorf("the other node's state is not the one it told: slot %d", s)
	}
	a.Event(wire.Delete, want, false)
	x.run(time.Second)
	if n := b.Internal.Stats.Active; n != 0 {
		t.Errorf("%d entries are left where the kernel has none", n)
	}
}
