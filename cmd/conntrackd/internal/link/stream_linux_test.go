package link

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// pair starts two nodes with one link and waits until both are connected both ways.
func pair(t *testing.T, sides [2]namespace, v6 bool, o Options) (nodes [2]*node) {
	t.Helper()
	for i := range nodes {
		c := configure(config.TCP, v6, i, 0)
		c.SndBuffer, c.RcvBuffer = 64<<10, 64<<10
		o.Links = []config.Link{c}
		nodes[i] = sides[i].start(t, o)
	}
	for _, n := range nodes {
		wait(t, "connected", func() bool { return linked(n) })
	}
	return nodes
}

// linked reports whether both connections of a node exist.
func linked(n *node) bool {
	s := n.set.Stats()[0]
	return s.Server && s.Client
}

// All messages arrive, in order, over a peer that does not read for a while: what it does
// not take is continued when it does, and there is no room meanwhile.
func TestStream(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v6=%v", v6), func(t *testing.T) {
			nodes := pair(t, sides, v6, Options{})
			a, b := nodes[0], nodes[1]
			const count, size = 50_000, 92 // more than the buffers of both ends hold
			b.pause.Lock()
			paused := 0
			for i := range uint32(count) {
				for i%64 == 0 && !a.set.Room() {
					if paused++; paused == 1 {
						b.pause.Unlock()
					}
					before := roomCalls(a)
					if a.set.Room() {
						break
					}
					wait(t, "room", func() bool { return roomCalls(a) > before || a.set.Room() })
				}
				a.set.Append(message(i, size))
			}
			a.set.Flush()
			if paused == 0 {
				t.Fatal("there was always room, but nothing was read")
			}
			b.arrived(t, count, size)
			if roomCalls(a) == 0 {
				t.Error("nobody was told that there is room")
			}
			if s := a.set.Stats()[0]; s.SentBytes != count*size || s.SendErrors != 0 || s.RecvBytes != 0 {
				t.Errorf("%+v", s)
			}
			if s := b.set.Stats()[0]; s.RecvBytes != count*size || s.RecvErrors != 0 {
				t.Errorf("%+v", s)
			}
			if len(b.senders) != 1 {
				t.Errorf("senders %v", b.senders)
			}
		})
	}
}

func roomCalls(n *node) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.room
}

// A peer that is gone is connected to again when it is back, at once because it connects
// too, and the newest of what could not be sent comes first.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	nodes := pair(t, sides, false, Options{ErrorQueue: 3})
	a := nodes[0]
	nodes[1].set.Close()
	wait(t, "lost", func() bool { s := a.set.Stats()[0]; return !s.Server && !s.Client })
	if a.set.Room() {
		t.Error("room without a peer")
	}
	const size = 1400 // one in a datagram
	for i := range uint32(10) {
		a.set.Append(message(i, size))
	}
	a.set.Flush()
	if s := a.set.Stats()[0]; s.ErrorQueue != 3 || s.SendErrors != 7 {
		t.Errorf("%+v, want 3 kept and 7 dropped", s)
	}
	c := configure(config.TCP, false, 1, 0)
	b := sides[1].start(t, Options{Links: []config.Link{c}})
	wait(t, "3 messages", func() bool { return b.count() == 3 })
	for i, m := range b.messages {
		if want := message(uint32(7+i), size); !slices.Equal(m, want) {
			t.Errorf("message %d: %x", i, m[:8])
		}
	}
	wait(t, "connected", func() bool { return linked(a) && linked(b) })
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.up) != 2 || len(a.down) < 2 || a.room == 0 {
		t.Errorf("up %d, down %d, room %d", a.up, a.down, a.room)
	}
}

// Messages that come byte by byte are put together.
func TestStreamPieces(t *testing.T) {
	t.Parallel()
	n := &node{senders: map[Sender]int{}}
	l := &dedicated{set: &Set{handler: n}}
	l.set.links = []*dedicated{l}
	var stream []byte
	for i := range uint32(200) {
		stream = append(stream, message(i, 8+4*int(i%30))...)
	}
	whole := len(stream)
	stream = append(stream, message(200, 92)[:91]...)
	err := l.messages(iotest.OneByteReader(bytes.NewReader(stream)), Sender{Link: 0})
	if !errors.Is(err, errClosed) || len(n.messages) != 200 || len(n.senders) != 1 || l.recvBytes.Load() != uint64(len(stream)) {
		t.Fatalf("%d messages of %d, %v", len(n.messages), 200, err)
	}
	if got := slices.Concat(n.messages...); !slices.Equal(got, stream[:whole]) {
		t.Error("they differ")
	}
	if len(n.sizes) != 200 {
		t.Errorf("%d parts: not each message as soon as it was there", len(n.sizes))
	}
}

// Messages of two connections are put together apart from each other, and a connection
// with nonsense is closed, while the others go on.
func TestStreamSeveral(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	sides[1].ip(t, "addr add 10.99.0.3/24 dev sy0")
	b := sides[0].start(t, Options{Links: []config.Link{configure(config.TCP, false, 0, 0)}})
	dial := func(from string) net.Conn {
		var c net.Conn
		err := sides[1].enter(func() (err error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			c, err = d.Dial("tcp", "10.99.0.1:3780")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	one, two := dial("10.99.0.2"), dial("10.99.0.3")
	var stream []byte
	for i := range uint32(200) {
		stream = append(stream, message(i, 8+4*int(i%30))...)
	}
	for i := 0; i < len(stream); {
		n := min(1+i%91, len(stream)-i)
		for _, c := range []net.Conn{one, two} {
			if _, err := c.Write(stream[i : i+n]); err != nil {
				t.Fatal(err)
			}
		}
		i += n
	}
	wait(t, "messages", func() bool { return b.count() == 400 })
	b.mu.Lock()
	if len(b.senders) != 2 {
		t.Errorf("senders %v", b.senders)
	}
	seen := map[uint32]int{}
	for _, m := range b.messages {
		seq := uint32(m[6])<<8 | uint32(m[7])
		if seen[seq]++; !slices.Equal(m, message(seq, 8+4*int(seq%30))) {
			t.Errorf("message %x", m)
		}
	}
	b.mu.Unlock()
	for seq := range uint32(200) {
		if seen[seq] != 2 {
			t.Errorf("message %d came %d times", seq, seen[seq])
		}
	}

	// The end of message 500 is left out, as conntrack-tools' daemon does after a short write:
	// it has the beginning of the next as its own, and is not taken.
	short := slices.Concat(message(499, 92), message(500, 92)[:88], message(501, 92), message(502, 92))
	if _, err := two.Write(short); err != nil {
		t.Fatal(err)
	}
	if n, err := two.Read(make([]byte, 1)); err == nil || n != 0 {
		t.Errorf("read %d, %v; want the end", n, err)
	}
	wait(t, "a line", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.ContainsFunc(b.lines, func(s string) bool { return strings.Contains(s, errFraming.Error()) })
	})
	if _, err := one.Write(message(503, 92)); err != nil {
		t.Fatal(err)
	}
	wait(t, "the other connection's message", func() bool { return b.count() == 400+3 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.messages[400], message(499, 92)) || len(b.messages[401]) != 8 || !slices.Equal(b.messages[402], message(503, 92)) {
		t.Errorf("%x", b.messages[400:])
	}
	if s := b.set.Stats()[0]; s.RecvErrors != 1 || !s.Server || s.Client {
		t.Errorf("%+v", s)
	}
}

// What a link that is lost has not sent goes behind what the active one is sending, which
// neither gets lost nor is sent twice.
func TestUnsentGoesOn(t *testing.T) {
	s := &Set{keep: 128, active: 1}
	for i := range 2 {
		s.links = append(s.links, &dedicated{set: s, index: i, stream: &stream{wake: make(chan struct{}, 1)}})
	}
	lost, active := s.links[0], s.links[1]
	lost.queue = [][]byte{[]byte("lost ")}
	active.queue = [][]byte{[]byte("sending ")}
	block := active.next(nil)
	active.queue = append(active.queue, []byte("waits"))
	lost.disconnected(errClosed)
	active.written(len(block))
	if rest := active.next(nil); string(block)+string(rest) != "sending lost waits" {
		t.Errorf("%q is sent, then %q", block, rest)
	}
}
