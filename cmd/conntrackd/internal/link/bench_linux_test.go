package link

import (
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// Each operation sends a message of 92 bytes and receives it, paced by the receiver so that
// none is lost.
func BenchmarkLink(b *testing.B) {
	sides := lab(b)
	for _, kind := range []config.Kind{config.Multicast, config.UDP, config.TCP} {
		for what, o := range map[string]Options{"plain": {}, "signed": {Key: testKey}, "sealed": {Key: testKey, Encrypt: true}} {
			b.Run(kind.String()+"/"+what, func(b *testing.B) {
				var nodes [2]*node
				for i := range nodes {
					c := configure(kind, false, i, 0)
					c.RcvBuffer = 1249280
					o.Links = []config.Link{c}
					nodes[i] = sides[i].start(b, o)
				}
				from, to := nodes[0].set, nodes[1]
				if !testwait.For(bound, func() bool {
					from.Append(message(0, 92))
					from.Flush()
					return to.heard.Load() > 0 && from.Room()
				}) {
					b.Fatal("nothing arrives")
				}
				m := message(0, 92)
				start := to.heard.Load()
				b.SetBytes(92)
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					if i%64 == 0 && (!from.Room() || uint64(i) > to.heard.Load()-start+5000) {
						from.Flush()
						testwait.For(bound, func() bool { return from.Room() && uint64(i) <= to.heard.Load()-start+2500 })
					}
					from.Append(m)
				}
				from.Flush()
				if !testwait.For(bound, func() bool { return to.heard.Load()-start >= uint64(b.N) }) {
					b.Fatalf("%d of %d arrived", to.heard.Load()-start, b.N)
				}
			})
		}
	}
}
