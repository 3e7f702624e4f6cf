package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// What lives longer than its timeout is told again; what is not told again is forgotten.
func TestExpire(t *testing.T) {
	t.Parallel()
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
