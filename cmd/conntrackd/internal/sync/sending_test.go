package sync

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// TestSending: a bulk is under way from the request on until its peer has all of it, and
// each peer's entries are counted.
func TestSending(t *testing.T) {
	for _, mode := range []config.Mode{config.FTFW, config.NoTrack} {
		x := newExchange(t, 1)
		a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
		x.run(3 * time.Second)
		for i := range 300 {
			a.Event(wire.New, object(t, i, 1000), false)
		}
		a.Bulk()
		if !a.Sending() {
			t.Error("no bulk is under way")
		}
		x.run(20 * time.Second)
		if a.Sending() {
			t.Error("the bulk has not ended")
		}
		if p := b.Peers(); len(p) != 1 || p[0].Entries != 300 || p[0].LastBulk.IsZero() {
			t.Errorf("%+v", p)
		}
	}
}
