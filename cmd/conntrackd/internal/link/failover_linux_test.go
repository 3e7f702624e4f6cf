package link

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// two starts two nodes with two links each.
func two(t *testing.T, sides [2]namespace, kind config.Kind, o Options) (nodes [2]*node) {
	t.Helper()
	for i := range nodes {
		o.Links = []config.Link{configure(kind, false, i, 0), configure(kind, false, i, 1)}
		nodes[i] = sides[i].start(t, o)
	}
	for _, n := range nodes {
		wait(t, "connected", func() bool {
			return !slices.ContainsFunc(n.set.Stats(), func(s Stats) bool {
				return kind == config.TCP && !(s.Server && s.Client) || s.Status != "RUNNING"
			})
		})
	}
	return nodes
}

// active returns the index of the active link.
func (n *node) active() int {
	return slices.IndexFunc(n.set.Stats(), func(s Stats) bool { return s.Active })
}

// passes fails unless a message passes from a to b.
func passes(t *testing.T, a, b *node) {
	t.Helper()
	a.set.Append(message(0, 92))
	a.set.Flush()
	b.arrived(t, 1, 92)
}

// The next link takes the place of one that stops running, and keeps it; what only one
// node uses, the other uses too.
func TestFailover(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	var all [][2]*node
	for _, kind := range []config.Kind{config.Multicast, config.UDP, config.TCP} {
		all = append(all, two(t, sides, kind, Options{}))
	}
	both := func() {
		t.Helper()
		for _, n := range all {
			passes(t, n[0], n[1])
			passes(t, n[1], n[0])
		}
	}
	each := func(f func(n *node, side int)) {
		for _, nodes := range all {
			f(nodes[0], 0)
			f(nodes[1], 1)
		}
	}
	both()

	sides[1].ip(t, "link set sy0 down")
	each(func(n *node, side int) {
		wait(t, "other link", func() bool { return n.active() == 1 })
		wait(t, "line", func() bool { return n.has("device `sy1' becomes dedicated link") })
		wait(t, "status", func() bool { return n.set.Stats()[0].Status == [2]string{"NO-CARRIER", "DOWN"}[side] })
	})
	both()

	sides[1].ip(t, "link set sy1 down")
	each(func(n *node, side int) {
		wait(t, "line", func() bool { return n.has("no dedicated links available!") })
		if n.active() != 1 || n.set.Room() {
			t.Errorf("active %d, room %v", n.active(), n.set.Room())
		}
	})

	sides[1].ip(t, "link set sy1 up")
	each(func(n *node, side int) {
		wait(t, "running", func() bool { return n.set.Stats()[1].Status == "RUNNING" })
	})
	sides[1].ip(t, "link set sy0 up")
	each(func(n *node, side int) {
		wait(t, "running", func() bool { return n.set.Stats()[0].Status == "RUNNING" })
		wait(t, "room", n.set.Room)
		if n.active() != 1 {
			t.Error("back to the first link")
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if !slices.Contains(n.up, 0) || !slices.Contains(n.up, 1) || !slices.Contains(n.down, 0) ||
			!slices.Contains(n.down, 1) || n.room == 0 {
			t.Errorf("up %d, down %d, room %d", n.up, n.down, n.room)
		}
	})
	both()
}

// A message on a link that is not the active one makes it that, nonsense does not.
func TestFollow(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	links := func(i int) []config.Link {
		return []config.Link{configure(config.UDP, false, i, 0), configure(config.UDP, false, i, 1)}
	}
	a := sides[0].start(t, Options{Links: links(0)})
	o := Options{Links: links(1)}
	o.Links[0].Default, o.Links[1].Default = false, true
	b := sides[1].start(t, o)
	b.set.Append([]byte("nonsense"))
	b.set.Flush()
	wait(t, "datagram", func() bool { return a.count() == 1 })
	if a.active() != 0 {
		t.Error("nonsense made a link active")
	}
	a.messages = nil
	passes(t, b, a)
	if a.active() != 1 || b.active() != 1 {
		t.Errorf("active %d, %d", a.active(), b.active())
	}
	wait(t, "line", func() bool { return a.has("device `sy1' becomes dedicated link") })
	passes(t, a, b)
}

// Nothing heard where something was heard before has the next link tried.
func TestSilence(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	nodes := two(t, sides, config.UDP, Options{Silence: 50 * time.Millisecond})
	a, b := nodes[0], nodes[1]
	if a.active() != 0 {
		t.Error("a link on which nothing was heard yet was left")
	}
	passes(t, b, a) // the last that comes
	wait(t, "other link", func() bool { return a.active() == 1 })
	passes(t, a, b)
	if b.active() != 1 {
		t.Error("the peer does not follow")
	}
}

// A datagram without a message says nothing about the link that it comes on.
func TestEmptyDatagram(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	a := two(t, sides, config.UDP, Options{})[0]
	err := sides[1].enter(func() error {
		c, err := net.Dial("udp", "10.98.0.1:3781")
		if err != nil {
			return err
		}
		defer c.Close()
		for _, b := range [][]byte{nil, {version << 4}, {version << 4, 0, 0, 0}} {
			if _, err := c.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "three datagrams", func() bool { return a.set.Stats()[1].RecvPackets == 3 && a.calls() >= 3 })
	if a.active() != 0 {
		t.Error("a link on which no message came has become the active one")
	}
}

// A device that is made anew is used again, whose groups and addresses the kernel has
// forgotten.
func TestDeviceAnew(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	all := map[string][2]*node{}
	for _, kind := range []config.Kind{config.Multicast, config.UDP, config.TCP} {
		for _, v6 := range []bool{false, true} {
			var nodes [2]*node
			for i := range nodes {
				nodes[i] = sides[i].start(t, Options{Links: []config.Link{configure(kind, v6, i, 0)}})
			}
			all[fmt.Sprintf("%v, IPv6 %v", kind, v6)] = nodes
		}
	}
	sides[0].ip(t, "link del sy0")
	for _, nodes := range all {
		for _, n := range nodes {
			wait(t, "gone", func() bool { return n.set.Stats()[0].Status == "DOWN" })
		}
	}
	pairOf(t, sides, 0)
	for _, n := range sides {
		wait(t, "link-local addresses", n.ready)
	}
	for what, nodes := range all {
		for i, a := range nodes {
			b := nodes[1-i]
			wait(t, what, func() bool {
				if a.set.Room() {
					a.set.Append(message(0, 92))
					a.set.Flush()
				}
				return b.count() > 0
			})
		}
	}
}
