package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

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
		v, _ := b.External.Object(b.External.Find(&k)).Timeout()
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
