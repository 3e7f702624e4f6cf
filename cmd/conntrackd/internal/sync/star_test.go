package sync

import (
	"testing"
	"time"

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
