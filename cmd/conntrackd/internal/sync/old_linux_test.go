package sync

import (
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// A node and conntrack-tools' daemon keep each other's entries over a link that loses a
// fifth of all datagrams, and after a restart of either.
func TestOldFTFW(t *testing.T) {
	t.Parallel()
	const count = 2000
	p := newPair(t, config.FTFW)
	p.startOurs()
	p.startOld()
	p.locked(func() { p.loss = 0.2 })
	p.fill(1, 0, count)
	p.kernel(0, count, true)
	p.wait("our entries at the old daemon", func() bool { return p.external() == count })
	p.wait("the old daemon's entries here", func() bool { return p.knows() == count })
	p.wait("the last ACK", p.settled)

	// Ends, and changes.
	p.locked(func() {
		for i := range count / 2 {
			p.n.Event(wire.Delete, testObject(1, i, 3, 0), false)
			p.n.Event(wire.Update, testObject(1, i+count/2, 3, 42), false)
		}
	})
	p.kernel(0, count/2, false)
	p.wait("our ends at the old daemon", func() bool { return p.external() == count/2 })
	p.wait("the old daemon's ends here", func() bool { return p.knows() == count/2 })
	p.wait("our changes at the old daemon", func() bool { return strings.Count(p.ask("-e"), " mark=42 ") == count/2 })
	p.wait("the last ACK", p.settled)

	p.locked(func() { p.loss = 0.02 })
	p.stopOld()
	p.fill(1, count, 2*count)
	p.startOld()
	p.wait("everything at the new process of the old daemon", func() bool { return p.external() == 3*count/2 })
	p.wait("everything of it here", func() bool { return p.knows() == count/2 })

	p.stopOurs()
	p.startOurs()
	p.fill(1, 0, 3*count)
	p.wait("everything at the old daemon", func() bool { return p.external() == 3*count })
	p.locked(func() { p.n.RequestResync() })
	p.wait("everything of the old daemon", func() bool { return p.knows() == count/2 })

	// What peers ask for.
	p.wait("the end of the bulk", p.settled)
	p.ask("-f", "external")
	p.wait("an empty cache", func() bool { return p.external() == 0 })
	p.ask("-n")
	p.wait("everything that the old daemon asks for", func() bool { return p.external() == 3*count })
	p.locked(func() { p.n.FlushExternal() })
	p.ask("-B")
	p.wait("the bulk of the old daemon", func() bool { return p.knows() == count/2 })
	p.wait("the last ACK", p.settled)

	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.n.stats; s.Malformed != 0 {
		t.Errorf("messages of the old daemon are damaged: %+v", s)
	}
	for s := cache.Slot(1); s != 0; {
		s = p.n.External.Walk(s, 1000, func(s cache.Slot) {
			if k := p.n.External.Object(s).Key(); k.Proto != 6 || k.Ports[3] != 80 {
				t.Errorf("a wrong entry: %+v", k)
			}
		})
	}
}
