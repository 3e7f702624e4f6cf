package sync

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// keep is a link that keeps what is sent.
type keep struct {
	buf  []byte
	list [][]byte
}

func (k *keep) Append(m []byte) {
	if len(k.buf)+len(m) > 1444 {
		k.Flush()
	}
	k.buf = append(k.buf, m...)
}

func (k *keep) Flush() {
	if len(k.buf) > 0 {
		k.list = append(k.list, append([]byte(nil), k.buf...))
	}
	k.buf = k.buf[:0]
}

func (k *keep) Room() bool { return true }

// BenchmarkReceive receives a bulk of connections that are not known, and one of the
// same.
func BenchmarkReceive(b *testing.B) {
	const count = 100_000
	now := time.Unix(1_800_000_000, 0)
	c := testConfig(config.NoTrack)
	l := &keep{}
	a := New(Options{Config: c, Link: l, Now: func() time.Time { return now }})
	for i := range count {
		a.Event(wire.New, object(b, i, 100), false)
	}
	for range 60 {
		a.Tick()
	}
	from := link.Sender{Addr: netip.MustParseAddrPort("10.0.0.1:3780")}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			n := New(Options{Config: c, Link: &keep{}, Now: func() time.Time { return now }})
			for _, m := range l.list {
				n.Receive(from, m)
			}
			if n.External.Stats.Active != count {
				b.Fatal(n.External.Stats.Active)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/object")
	})
}
