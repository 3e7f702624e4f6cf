package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// RESYNC is sent until a peer is there and answers.
func TestResync(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			c := oldConfig(mode)
			c.StartupResync = true
			a := x.add(1, c)
			x.run(20 * time.Second)
			b := x.add(2, oldConfig(mode))
			b.fill(0, 100)
			lost := 0
			a.filter = func(h wire.Header) bool {
				drop := h.Type == wire.Control && h.Flags&wire.FlagResync != 0 && lost < 2
				if drop {
					lost++
				}
				return drop
			}
			x.run(20 * time.Second)
			a.alike(b)
			if lost != 2 {
				t.Errorf("%d RESYNC were lost", lost)
			}
			asked := 0
			for _, l := range b.logs {
				if l == "resync requested by other node" {
					asked++
				}
			}
			if mode == config.FTFW && asked < 1 {
				t.Errorf("log: %q", b.logs)
			}
		})
	}
}
