package link

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// A peer whose machine does not answer any more is known to be gone, though no device
// says so.
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	nodes := two(t, sides, config.TCP, Options{})
	a, b := nodes[0], nodes[1]
	passes(t, a, b)
	sides[1].ip(t, "addr del 10.99.0.2/24 dev sy0")
	start := time.Now()
	a.set.Append(message(0, 92))
	a.set.Flush()
	wait(t, "both connections lost", func() bool { s := a.set.Stats()[0]; return !s.Server && !s.Client })
	t.Logf("known after %v", time.Since(start))
	if s := a.set.Stats()[0]; s.Status != "RUNNING" {
		t.Errorf("%+v", s)
	}
	wait(t, "other link", func() bool { return a.active() == 1 })
	passes(t, a, b)
}

// What comes from another address than the peer's is taken, which is logged once; so many
// connections are that none of them keeps the peer out.
func TestStranger(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	sides[1].ip(t, "addr add 10.99.0.3/24 dev sy0")
	const line = "taking what 10.99.0.3 sends, though the peer is 10.99.0.2"
	for _, kind := range []config.Kind{config.UDP, config.TCP} {
		t.Run(kind.String(), func(t *testing.T) {
			a := sides[0].start(t, Options{Links: []config.Link{configure(kind, false, 0, 0)}})
			c := configure(kind, false, 1, 0)
			c.Local = c.Local.Next()
			third := sides[1].start(t, Options{Links: []config.Link{c}})
			wait(t, "room", third.set.Room)
			for range 3 {
				passes(t, third, a)
			}
			wait(t, "line", func() bool { return a.has(line) })
			if kind == config.TCP {
				for i := range maxOthers + 3 { // the last ones are closed at once
					sides[1].ip(t, fmt.Sprintf("addr add 10.99.0.%d/24 dev sy0", 10+i))
					sides[1].enter(func() error {
						d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(10, 99, 0, byte(10+i))}}
						c, err := d.Dial("tcp", "10.99.0.1:3780")
						if err == nil {
							t.Cleanup(func() { c.Close() })
						}
						return err
					})
				}
				wait(t, "all are open that may be", func() bool {
					a.set.mu.Lock()
					defer a.set.mu.Unlock()
					return len(a.set.links[0].stream.in) == maxOthers
				})
			}
			b := sides[1].start(t, Options{Links: []config.Link{configure(kind, false, 1, 0)}})
			wait(t, "room", b.set.Room)
			passes(t, b, a)
			a.mu.Lock()
			defer a.mu.Unlock()
			count := 0
			for _, s := range a.lines {
				if s == line {
					count++
				}
			}
			if count != 1 {
				t.Errorf("%q", a.lines)
			}
		})
	}
}

// A link without destination takes what comes, and what is sent is an error.
func TestNoDestination(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	for _, kind := range []config.Kind{config.UDP, config.TCP} {
		for _, v6 := range []bool{false, true} {
			c := configure(kind, v6, 0, 0)
			c.Remote = netip.Addr{}
			a := sides[0].start(t, Options{Links: []config.Link{c}})
			b := sides[1].start(t, Options{Links: []config.Link{configure(kind, v6, 1, 0)}})
			wait(t, "room", b.set.Room)
			passes(t, b, a)
			a.set.Append(message(0, 92))
			a.set.Flush()
			if s := a.set.Stats()[0]; s.SentPackets != 0 || kind == config.UDP && (s.SendErrors != 1 || s.ErrorQueue != 0) {
				t.Errorf("%+v", s)
			}
			a.set.Close()
			b.set.Close()
		}
	}
}
