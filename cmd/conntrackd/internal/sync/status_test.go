package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Peers says who is there and how far it is.
func TestPeers(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			b.SetRole(Backup)
			b.fill(0, 10)
			x.run(5 * time.Second)
			list := a.Peers()
			if len(list) != 1 {
				t.Fatalf("%+v", list)
			}
			p := list[0]
			if !p.Ours || p.Name != "node2" || p.Role != "backup" || p.Entries != 10 || p.Active != 10 || p.Lag != 0 ||
				p.LastBulk.IsZero() || p.Away || p.Sender != b.from {
				t.Errorf("%+v", p)
			}
			b.deaf = true
			for i := range 200 {
				a.Event(wire.New, object(t, 100+i, 100), false)
			}
			x.run(1500 * time.Millisecond)
			if p := a.Peers()[0]; p.Lag < time.Second || p.Lag > 2*time.Second || p.Away {
				t.Errorf("%+v", p)
			}
			x.run(2 * time.Second)
			if p := a.Peers()[0]; !p.Away {
				t.Errorf("%+v", p)
			}
		})
	}
}

// Where there are no caches it is not known what is missing of a peer.
func TestPeersWithoutCaches(t *testing.T) {
	x := newExchange(t, 1)
	c, d := testConfig(config.NoTrack), testConfig(config.NoTrack)
	c.DisableInternalCache, d.DisableExternalCache = true, true
	a, b := x.add(1, c), x.add(2, d)
	b.fill(0, 10)
	x.run(5 * time.Second)
	if list := a.Peers(); len(list) != 1 || list[0].Active != 10 || list[0].Entries != 10 {
		t.Errorf("of a node with an internal cache: %+v", list)
	}
	if list := b.Peers(); len(list) != 1 || list[0].Active != -1 {
		t.Errorf("of a node without one, where nothing is kept: %+v", list)
	}
	a.fill(0, 10)
	e := x.add(3, testConfig(config.NoTrack))
	x.run(5 * time.Second)
	for _, p := range e.Peers() {
		if want := map[string]int{"node1": -1, "node2": 10}[p.Name]; p.Active != want {
			t.Errorf("of %s: %d, want %d", p.Name, p.Active, want)
		}
	}
}
