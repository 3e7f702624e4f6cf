package sync

import (
	"maps"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// A link of UDP or TCP has one destination: one node may be the backup of two, of which it
// answers one only. It has the entries of both.
func TestStar(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newNetwork(t, 1, testConfig(mode), testConfig(mode), testConfig(mode))
			w.cut = func(from, to int) bool { return to != 0 && (from != 0 || to != 1) }
			same := func() bool {
				return differ(w.hosts[1], w.hosts[0]) == "" && differ(w.hosts[2], w.hosts[0]) == "" &&
					differ(w.hosts[0], w.hosts[1]) == ""
			}
			step := func(what string, f func()) {
				t.Helper()
				f()
				if !w.until(20*time.Second, same) {
					t.Errorf("%s: %q, %q, %q", what, differ(w.hosts[1], w.hosts[0]), differ(w.hosts[2], w.hosts[0]),
						differ(w.hosts[0], w.hosts[1]))
				}
			}
			fill := func(typ wire.Type, from, to int) {
				for i, h := range w.hosts {
					for j := from; j < to; j++ {
						h.event(typ, testObject(i+1, j, 3, 0))
					}
				}
			}
			w.hosts[2].boot()
			w.hosts[2].n.BeginRefresh(false)
			for j := range 50 {
				w.hosts[2].n.Event(wire.Update, testObject(3, 100+j, 3, 0), true)
			}
			w.hosts[2].n.EndRefresh()
			step("at the start", func() { fill(wire.New, 0, 50) })
			w.run(20 * time.Second) // in which the third is asked for a bulk, and does not hear it
			step("more", func() { fill(wire.New, 50, 100) })
			step("ends", func() { fill(wire.Delete, 10, 60) })
			w.run(20 * time.Second)
			step("another process", func() {
				w.hosts[2].boot()
				for j := 70; j < 100; j++ {
					w.hosts[2].event(wire.New, testObject(3, j, 3, 0))
				}
			})
			w.run(30 * time.Second)
			step("in the end", func() { fill(wire.New, 0, 10) })
		})
	}
}

// Two nodes of ours and one that is not tell each other all, whatever is lost, and
// two again what only these understand when it has gone.
func TestMixedThree(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b, old := x.add(1, testConfig(mode)), x.add(2, testConfig(mode)), x.add(3, oldConfig(mode))
			all := []*station{a, b, old}
			each := func(typ wire.Type, from, to int) {
				for i, s := range all {
					for j := from; j < to; j++ {
						s.Event(typ, object(t, 10000*i+j, 1000), false)
					}
				}
			}
			alike := func(what string) {
				t.Helper()
				for i, s := range all {
					want := map[wire.Key]bool{}
					for j, o := range all {
						for k := range keys(o.Internal) {
							if i != j {
								want[k] = true
							}
						}
					}
					if got := keys(s.External); !maps.Equal(got, want) {
						t.Errorf("%s: node %d has %d entries of the others, want %d", what, i+1, len(got), len(want))
					}
				}
			}
			each(wire.New, 0, 300)
			x.run(10 * time.Second)
			alike("at the start")
			if mode == config.FTFW { // otherwise nobody asks for what is lost
				x.loss = 0.1
			}
			each(wire.New, 300, 600)
			x.run(200 * time.Millisecond)
			each(wire.Delete, 100, 400)
			x.run(30 * time.Second)
			x.loss = 0
			x.run(10 * time.Second)
			alike("after losses")

			x.remove(old)
			old = x.add(3, oldConfig(mode))
			all[2] = old
			for j := range 50 {
				old.Event(wire.New, object(t, 20000+j, 1000), false)
			}
			x.run(50 * time.Second)
			alike("after a restart of the third")

			x.remove(old)
			x.run(goneAfter + 5*time.Second)
			if !a.extended || !b.extended {
				t.Error("the nodes that are left do not know each other")
			}
			all = all[:2]
			for _, s := range all {
				s.FlushExternal()
				s.RequestResync()
			}
			each(wire.Delete, 500, 600)
			x.run(10 * time.Second)
			alike("when the third has gone")
		})
	}
}
