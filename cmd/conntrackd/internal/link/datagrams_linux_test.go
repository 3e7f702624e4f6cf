package link

import (
	"fmt"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// Messages arrive, whole and in order, gathered in datagrams as large as conntrack-tools
// makes them.
func TestDatagrams(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	for _, kind := range []config.Kind{config.Multicast, config.UDP} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/v6=%v", kind, v6), func(t *testing.T) {
				a := sides[0].start(t, Options{Links: []config.Link{configure(kind, v6, 0, 0)}})
				b := sides[1].start(t, Options{Links: []config.Link{configure(kind, v6, 1, 0)}})
				const count, size = 100, 92
				for i := range uint32(count) {
					a.set.Append(message(i, size))
				}
				a.set.Flush()
				b.arrived(t, count, size)
				full := 15 * size // 16 would be 1472 bytes, what IPv4 leaves of 1500
				if len(b.sizes) != 7 || b.sizes[0] != full || b.sizes[6] != 10*size {
					t.Errorf("sizes %d, want 6 of %d and one of %d", b.sizes, full, 10*size)
				}
				if len(b.senders) != 1 {
					t.Errorf("senders %v", b.senders)
				}
				for s := range b.senders {
					if want := configure(kind, v6, 0, 0).Local; s.Link != 0 || want.IsValid() && s.Addr.Addr() != want ||
						s.Addr.Port() == 3780 {
						t.Errorf("sender %v, want %v", s, want)
					}
				}
				sent, received := a.set.Stats()[0], b.set.Stats()[0]
				if sent.SentPackets != 7 || sent.SentBytes != count*size || sent.SendErrors != 0 || sent.RecvPackets != 0 ||
					sent.Status != "RUNNING" || !sent.Active {
					t.Errorf("sender: %+v", sent)
				}
				if received.RecvPackets != 7 || received.RecvBytes != count*size || received.SentPackets != 0 {
					t.Errorf("receiver: %+v", received)
				}
				if !a.set.Room() {
					t.Error("no room on an idle link")
				}
			})
		}
	}
}
