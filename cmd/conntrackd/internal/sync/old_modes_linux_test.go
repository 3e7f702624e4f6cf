package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// With NOTRACK a node and conntrack-tools' daemon keep each other's entries, and what the
// daemon has lost while it was away is forgotten.
func TestOldNoTrack(t *testing.T) {
	t.Parallel()
	const count = 2000
	p := newPair(t, config.NoTrack)
	p.startOurs()
	p.startOld()
	p.fill(1, 0, count)
	p.kernel(0, count, true)
	p.wait("our entries at the old daemon", func() bool { return p.external() == count })
	p.wait("the old daemon's entries here", func() bool { return p.knows() == count })
	p.locked(func() {
		for i := range count / 2 {
			p.n.Event(wire.Delete, testObject(1, i, 3, 0), false)
		}
	})
	p.wait("our ends at the old daemon", func() bool { return p.external() == count/2 })
	p.ask("-f", "external")
	p.ask("-n")
	p.wait("what the old daemon asks for", func() bool { return p.external() == count/2 })

	p.stopOld()
	p.change(0, count/2, false)
	p.startOld()
	p.wait("everything at the new process of the old daemon", func() bool { return p.external() == count/2 })
	p.wait("that what is gone is forgotten", func() bool { return p.knows() == count/2 })
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.n.stats; s.Malformed != 0 {
		t.Errorf("messages of the old daemon are damaged: %+v", s)
	}
	if is, why := p.n.Ready(); is == ReadyNo {
		t.Error(why)
	}
}

// With ALARM too, as long as both are there.
func TestOldAlarm(t *testing.T) {
	t.Parallel()
	const count = 500
	p := newPair(t, config.Alarm)
	p.c.RefreshTime, p.c.CacheTimeout = time.Second, 10*time.Second
	p.startOurs()
	p.startOld()
	p.fill(1, 0, count)
	p.kernel(0, count, true)
	p.wait("our entries at the old daemon", func() bool { return p.external() == count })
	p.wait("the old daemon's entries here", func() bool { return p.knows() == count })
	p.ask("-f", "external")
	p.wait("our entries again", func() bool { return p.external() == count })
	p.locked(func() {
		for i := range count / 2 {
			p.n.Event(wire.Delete, testObject(1, i, 3, 0), false)
		}
	})
	p.wait("our ends at the old daemon", func() bool { return p.external() == count/2 })
	p.stopOld()
	p.wait("that what is not told is forgotten", func() bool { return p.knows() == 0 })
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.n.stats; s.Malformed != 0 {
		t.Errorf("messages of the old daemon are damaged: %+v", s)
	}
}
