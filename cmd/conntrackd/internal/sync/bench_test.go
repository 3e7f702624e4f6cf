package sync

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// BenchmarkSend has changes of 100 000 entries sent and acknowledged, one an iteration.
func BenchmarkSend(b *testing.B) {
	now := time.Unix(1_700_000_000, 0)
	n := New(Options{Config: testConfig(config.FTFW), Link: discard{}, Now: func() time.Time { return now }})
	from := link.Sender{Addr: netip.MustParseAddrPort("10.99.0.2:40000")}
	h := wire.Header{Type: wire.Control, Flags: wire.FlagAlive | wire.FlagHello | wire.FlagHelloBack, Seq: 1}
	n.Receive(from, h.Append(nil, nil))
	n.Tick()
	var objects []wire.Object
	for i := range 100_000 {
		objects = append(objects, testObject(1, i, 3, 0))
	}
	var buf []byte
	seq, acked := uint32(2), n.seq
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		n.Event(wire.Update, objects[i%len(objects)], false)
		if i%256 == 255 {
			n.Tick()
			h := wire.Header{Type: wire.Control, Flags: wire.FlagACK, Seq: seq, From: acked + 1, To: n.seq}
			seq++
			acked = n.seq
			buf = h.Append(buf[:0], nil)
			n.Receive(from, buf)
		}
	}
	b.StopTimer()
	n.Tick()
	if n.conns.tx.Len != 0 || n.conns.rs.Len > 256 {
		b.Fatalf("tx %d, rs %d", n.conns.tx.Len, n.conns.rs.Len)
	}
}

// discard is a link that takes everything.
type discard struct{}

func (discard) Append([]byte) {}
func (discard) Flush()        {}
func (discard) Room() bool    { return true }
