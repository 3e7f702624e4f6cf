package link

import (
	"bytes"
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

// What cannot be sent waits, gathered in datagrams, and comes first when it can; of too
// much the oldest is dropped.
func TestErrorQueue(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	a := sides[0].start(t, Options{Links: []config.Link{configure(config.UDP, false, 0, 0)}, ErrorQueue: 5})
	b := sides[1].start(t, Options{Links: []config.Link{configure(config.UDP, false, 1, 0)}})
	sides[0].ip(t, "link set sy0 down")
	wait(t, "down", func() bool { return a.set.Stats()[0].Status == "DOWN" })
	if a.set.Room() {
		t.Error("room on a link that is down")
	}
	const size = 92 // 15 in a datagram
	for i := range uint32(80) {
		a.set.Append(message(i, size))
		a.set.Flush()
	}
	if s := a.set.Stats()[0]; s.ErrorQueue != 5 || s.SendErrors == 0 || s.SentPackets != 0 {
		t.Errorf("%+v", s)
	}
	sides[0].ip(t, "link set sy0 up")
	wait(t, "messages", func() bool { return b.count() == 65 })
	a.set.Append(message(80, size))
	a.set.Flush()
	wait(t, "the last message", func() bool { return b.count() == 66 })
	b.mu.Lock()
	for i, m := range b.messages {
		if !bytes.Equal(m, message(uint32(15+i), size)) {
			t.Errorf("message %d: %x", i, m[:8])
		}
	}
	b.mu.Unlock()
	wait(t, "room", a.set.Room)
	wait(t, "word of it", func() bool { return roomCalls(a) > 0 })
	if s := a.set.Stats()[0]; s.ErrorQueue != 0 || s.SentPackets != 6 {
		t.Errorf("%+v", s)
	}
}
