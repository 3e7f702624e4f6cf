package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/testwait"
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
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			old := x.add(1, oldConfig(mode))
			count := testwait.Size(3000, 1200)
			old.fill(0, count)
			x.run(2 * time.Second)
			b := x.add(2, testConfig(mode))
			b.fill(5000, 5000+count/2)
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
			if b.External.Stats.Active != uint64(count) {
				t.Errorf("%d entries of a node that is gone", b.External.Stats.Active)
			}
			old = x.add(1, oldConfig(mode))
			old.fill(count-500, count+500)
			x.run(50 * time.Second)
			b.alike(old)
			x.remove(old)
			old = x.add(1, oldConfig(mode))
			x.run(50 * time.Second)
			b.alike(old)
		})
	}
}

// waitingBulk returns a node a that had some entries, and has told 1000 more to a node that
// is not ours while a bulk for that one waits.
func waitingBulk(t *testing.T, mode config.Mode, before int) (x *exchange, old, a *station) {
	x = newExchange(t, 1)
	old, a = x.add(1, oldConfig(mode)), x.add(2, testConfig(mode))
	a.fill(0, before)
	x.run(100 * time.Millisecond)
	for i := range 1000 {
		a.Event(wire.New, object(t, before+i, 1000), false)
	}
	a.next = x.now
	x.run(200 * time.Millisecond)
	if n := old.External.Stats.Created; n != 1000 || a.decided() {
		t.Fatalf("%d entries were told, or the bulk does not wait", n)
	}
	return x, old, a
}

// A bulk that waits tells a node that is not ours nothing that it was told meanwhile.
func TestBulkLeavesOut(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x, old, a := waitingBulk(t, mode, 100)
			x.run(10 * time.Second)
			old.alike(a)
			if s := old.External.Stats; s.Created != 1100 || s.Updated > 100 {
				t.Errorf("%d entries were told, and %d again", s.Created, s.Updated)
			}
			again := old.External.Stats.Updated
			a.Bulk()
			x.run(5 * time.Second)
			if n := old.External.Stats.Updated - again; n != 1100 {
				t.Errorf("a bulk that was asked for told %d", n)
			}
		})
	}
}

// A node that forgets, and asks while a bulk waits, gets everything.
func TestBulkAskedFor(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x, old, a := waitingBulk(t, mode, 0)
			old.FlushExternal()
			old.RequestResync()
			old.next = x.now
			x.run(10 * time.Millisecond)
			old.bulk.resync = resyncState{} // conntrack-tools' daemon asks once
			x.run(10 * time.Second)
			old.alike(a)
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
