package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

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

// A RefreshTime that the configuration gets while the node runs counts for the entries that
// wait by the one before.
func TestAlarmRefreshTime(t *testing.T) {
	x := newExchange(t, 1)
	c := testConfig(config.Alarm)
	c.RefreshTime = time.Hour
	a, b := x.add(1, c), x.add(2, testConfig(config.Alarm))
	a.fill(0, 500)
	x.run(5 * time.Second)
	c.RefreshTime = 10 * time.Second
	x.run(15 * time.Second)
	b.alike(a)
	c.RefreshTime = time.Hour
	x.run(time.Second)
	before := x.count
	x.run(10 * time.Second)
	if n := x.count - before; n > 60 {
		t.Errorf("%d packets in 10 s of an hour", n)
	}
}
