package sync

import (
	"testing"
	"time"

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
