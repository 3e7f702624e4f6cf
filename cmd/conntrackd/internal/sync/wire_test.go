package sync

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// script is a node whose peer is the test.
type script struct {
	t    *testing.T
	n    *Node
	now  time.Time
	out  []string // messages that were sent, in hex, each word of 4 bytes by itself
	from link.Sender

	injected int
}

func newScript(t *testing.T, change func(c *config.Config)) *script {
	c := testConfig(config.FTFW)
	// Without an external cache a node asks nobody for a bulk.
	c.Extensions, c.DisableExternalCache = false, true
	if change != nil {
		change(c)
	}
	s := &script{t: t, now: time.Unix(1_700_000_000, 0),
		from: link.Sender{Addr: netip.MustParseAddrPort("10.99.0.2:40000")}}
	s.n = New(Options{Config: c, Link: s, Inject: s, Now: func() time.Time { return s.now }})
	s.n.seq = 0x6b07fa82
	return s
}

func (s *script) Append(m []byte) {
	var words []string
	for b := range slices.Chunk(m, 4) {
		words = append(words, hex.EncodeToString(b))
	}
	s.out = append(s.out, strings.Join(words, " "))
}
func (s *script) Flush()     {}
func (s *script) Room() bool { return true }

func (s *script) Inject(wire.Type, wire.Object) { s.injected++ }

// after lets a time pass.
func (s *script) after(d time.Duration) {
	s.now = s.now.Add(d)
	s.n.Tick()
}

// gets gives the node messages of its peer, in hex.
func (s *script) gets(messages ...string) {
	s.t.Helper()
	for _, m := range messages {
		b, err := hex.DecodeString(strings.ReplaceAll(m, " ", ""))
		if err != nil {
			s.t.Fatal(err)
		}
		s.n.Receive(s.from, b)
	}
	s.n.Tick()
}

// sends fails unless the node has sent exactly these messages since the last call.
func (s *script) sends(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.out, want) {
		s.t.Errorf("sent\n%s\nwant\n%s", strings.Join(s.out, "\n"), strings.Join(want, "\n"))
	}
	s.out = nil
}

// udp returns the attributes of a connection of UDP with a source port.
func udp(port int) string {
	return "000c0000 0a000064 c0000264 00080005 00000198 00050002 11000000 00080003 " +
		fmt.Sprintf("%04x0035 00080006 0000001e", port)
}

func udpObject(t *testing.T, port int) wire.Object {
	b, err := hex.DecodeString(strings.ReplaceAll(udp(port), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What a pair of conntrack-tools' daemons was seen to exchange.
func TestFTFWMessages(t *testing.T) {
	s := newScript(t, nil)
	s.n.Tick()
	s.sends("1a300008 6b07fa83")

	// The peer answers the greeting, and is answered.
	s.gets("1a680010 00000064 6b07fa83 6b07fa83")
	s.sends("1a480010 6b07fa84 00000064 00000064")
	s.after(time.Second)
	s.sends("1a100008 6b07fa85")
	s.gets("1a080010 00000065 6b07fa84 6b07fa84")
	s.sends()
	s.after(time.Second)
	s.sends("1a080010 6b07fa86 00000065 00000065")

	// An entry, as it is when it is sent, and what becomes of it.
	s.n.Event(wire.New, udpObject(t, 1), false)
	s.n.Event(wire.New, udpObject(t, 2), false)
	s.n.Event(wire.Update, udpObject(t, 2), false)
	s.n.Event(wire.New, udpObject(t, 3), false)
	s.n.Event(wire.Delete, udpObject(t, 3), false)
	s.n.Tick()
	s.sends("10000034 6b07fa87 "+udp(1), "11000034 6b07fa88 "+udp(2), "12000034 6b07fa89 "+udp(3))
	if got := s.n.Internal.Stats.Total; got != 3 {
		t.Errorf("%d objects, want 3: one ends without being acknowledged", got)
	}

	// The first is acknowledged, the others are lost.
	s.gets("1a080010 00000066 6b07fa85 6b07fa87", "1a040010 00000067 6b07fa88 6b07fa89")
	s.sends("11000034 6b07fa8a "+udp(2), "12000034 6b07fa8b "+udp(3))
	s.gets("1a080010 00000068 6b07fa8a 6b07fa8b")
	s.sends()
	if d := s.n.Internal.Stats; d.Total != 2 || s.n.conns.rs.Len != 0 {
		t.Errorf("%d objects, %d unacknowledged, want 2 and 0", d.Total, s.n.conns.rs.Len)
	}

	// A gap in what the peer sends; what comes late is dropped.
	s.gets("1000003400000069" + udp(11))
	s.gets("100000340000006c" + udp(12))
	s.gets("100000340000006b" + udp(13))
	s.sends("1a080010 6b07fa8c 00000066 00000069", "1a040010 6b07fa8d 0000006a 0000006b")
	if e, d := s.injected, s.n.stats; e != 2 || d.Lost != 2 || d.Before != 1 {
		t.Errorf("%d entries were taken, %d lost, %d before, want 2, 2 and 1", e, d.Lost, d.Before)
	}
	s.after(ackTime)
	s.sends("1a080010 6b07fa8e 0000006c 0000006c")

	// The NACK is lost, and asked for again.
	s.gets("1a040010 0000006d 6b07fa8d 6b07fa8d")
	s.sends("1a040010 6b07fa8f 0000006a 0000006b")
}

// A peer that has just started is sent changes as soon as it acknowledges a message.
// conntrack-tools' daemon answers HELLO with its next message, which may come a second later.
func TestFTFWRestart(t *testing.T) {
	s := newScript(t, nil)
	s.n.Tick()
	s.gets("1a680010 00000064 6b07fa83 6b07fa83", "1a080010 00000065 6b07fa84 6b07fa84")
	s.n.Event(wire.New, udpObject(t, 1), false)
	s.n.Tick()
	s.out = nil

	// A new process, which has heard the entry: HELLO|RESYNC, HELLO|ACK.
	s.from.Addr = netip.MustParseAddrPort("10.99.0.2:40001")
	s.gets("1a220010 00010064 00000000 00000000")
	s.out = nil
	s.n.Event(wire.New, udpObject(t, 2), false)
	s.n.Tick()
	s.sends()
	s.gets("1a280010 00010065 6b07fa85 6b07fa85")
	if sent := strings.Join(s.out, "\n"); !strings.Contains(sent, udp(2)) {
		t.Errorf("the entry is not told:\n%s", sent)
	}
}

// A node acknowledges each window of messages at once.
func TestFTFWWindow(t *testing.T) {
	s := newScript(t, func(c *config.Config) { c.ACKWindowSize = 3 })
	s.n.Tick()
	s.gets("1a680010 00000064 6b07fa83 6b07fa83")
	s.out = nil
	for i := range 7 {
		s.gets(fmt.Sprintf("10000034%08x%s", 0x65+i, udp(i)))
	}
	s.sends("1a080010 6b07fa85 00000065 00000067", "1a080010 6b07fa86 00000068 0000006a")
}

// The resend queue tells what is not acknowledged.
func TestResendQueue(t *testing.T) {
	s := newScript(t, nil)
	s.n.Tick()
	s.gets("1a680010 00000064 6b07fa83 6b07fa83")
	s.n.Event(wire.New, udpObject(t, 1), false)
	s.n.Tick()
	queue := func() (list []string) {
		s.n.ResendQueue(func(control bool, seq uint32, flags wire.Flags) {
			list = append(list, fmt.Sprint(control, seq-0x6b07fa00, flags))
		})
		return list
	}
	if got, want := queue(), []string{"true 132 8", "false 133 0"}; !slices.Equal(got, want) {
		t.Errorf("the queue has %q, want %q", got, want)
	}
	s.gets("1a080010 00000065 6b07fa84 6b07fa85")
	if got := queue(); len(got) > 0 {
		t.Errorf("the queue has %q, want nothing", got)
	}
}

// Whoever sends, and from however many addresses, a node knows few peers, and those
// that go on are among them.
func TestPeersAreBounded(t *testing.T) {
	s := newScript(t, nil)
	s.n.Tick()
	seq := uint32(100)
	alive := func(from link.Sender, seq uint32) {
		h := wire.Header{Type: wire.Control, Flags: wire.FlagAlive, Seq: seq}
		s.n.Receive(from, h.Append(nil, nil))
	}
	for i := range 3000 {
		alive(link.Sender{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1)}, uint32(i))
		if i%10 == 0 {
			alive(s.from, seq)
			seq++
		}
		s.after(100 * time.Millisecond)
	}
	known := 0
	for _, p := range s.n.peers {
		if p != nil {
			known++
		}
	}
	if known > maxPeers {
		t.Errorf("%d peers, want %d at most", known, maxPeers)
	}
	if p := s.peer(s.from); p == nil || p.lost != 0 || p.ft.last != seq-1 {
		t.Errorf("the peer that goes on: %+v", p)
	}
}

// What a peer that was forgotten has told is not taken for what the next one in its place
// tells, nor the reverse.
func TestPeersPlace(t *testing.T) {
	s := newScript(t, func(c *config.Config) { c.DisableExternalCache = false })
	seq := uint32(100)
	tells := func(port int, from link.Sender) {
		seq++
		h := wire.Header{Type: wire.New, Seq: seq}
		s.n.Receive(from, h.Append(nil, udpObject(t, port)))
	}
	sender := func(i int) link.Sender {
		return link.Sender{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}), 1)}
	}
	tells(1, sender(1))
	s.n.Tick() // it is asked for its bulk
	tells(1, sender(1))
	old := s.peer(sender(1))
	s.n.beginSweep(old, true) // of a bulk that has ended
	s.now = s.now.Add(awayTime)
	for i := range maxPeers {
		tells(2+i, sender(2+i))
	}
	next := s.peer(sender(1 + maxPeers))
	if next == nil || next.index != old.index {
		t.Fatalf("the peer in the place of the first: %+v", next)
	}
	s.n.Tick()
	if n := s.n.External.Stats.Active; n != 1+maxPeers {
		t.Errorf("%d entries, want %d", n, 1+maxPeers)
	}
	tells(1+maxPeers, sender(1+maxPeers))
	s.n.beginSweep(next, true)
	s.n.Tick()
	if n := s.n.External.Stats.Active; n != maxPeers {
		t.Errorf("%d entries after a bulk without that of the first peer, want %d", n, maxPeers)
	}
}

func (s *script) peer(from link.Sender) *peer {
	for _, p := range s.n.peers {
		if p != nil && slices.Contains(p.senders, from) {
			return p
		}
	}
	return nil
}

// A peer is the same node by its address, and the same process by its sequence.
func TestPeerIdentity(t *testing.T) {
	remote := func(kind config.Kind) func(c *config.Config) {
		return func(c *config.Config) {
			c.Links = nil
			for _, a := range []string{"10.99.0.2", "10.98.0.2"} {
				c.Links = append(c.Links, config.Link{Kind: kind, Remote: netip.MustParseAddr(a)})
			}
		}
	}
	twice := func(c *config.Config) { c.Links = append(c.Links, c.Links[0]) }
	addr := func(l int, s string) link.Sender { return link.Sender{Link: l, Addr: netip.MustParseAddrPort(s)} }
	udp, tcp := remote(config.UDP), remote(config.TCP)
	a, b := addr(0, "10.99.0.2:4000"), addr(0, "10.99.0.2:4001")
	c, d := addr(1, "10.98.0.2:4001"), addr(0, "10.99.0.3:4001")
	for _, c := range []struct {
		name         string
		change       func(c *config.Config)
		first, again link.Sender
		seq          uint32 // of the second message; that of the first is 100
		flags        wire.Flags
		same, known  bool // the same process; the same node
	}{
		{"goes on", udp, a, a, 101, 0, true, true},
		{"other port of UDP", udp, a, b, 101, 0, false, true},
		{"other link of UDP", udp, a, c, 105, 0, true, true},
		{"other link, new", udp, a, c, 105, wire.FlagHello, false, true},
		{"other node of UDP", udp, a, d, 101, 0, false, false},
		{"other connection", tcp, a, b, 101, 0, true, true},
		{"other connection, new", tcp, a, b, 99, 0, false, true},
		{"other link of multicast", twice, a, c, 105, 0, true, true},
		{"other node of multicast", nil, a, d, 101, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, c.change)
			send := func(from link.Sender, seq uint32, flags wire.Flags) *peer {
				h := wire.Header{Type: wire.Control, Flags: wire.FlagAlive | flags, Seq: seq}
				s.n.Receive(from, h.Append(nil, nil))
				return s.peer(from)
			}
			p := send(c.first, 100, 0)
			since := p.since
			s.after(time.Second)
			q := send(c.again, c.seq, c.flags)
			if known := p == q; known != c.known {
				t.Fatalf("the same node: %v, want %v", known, c.known)
			}
			if same := p == q && q.since.Equal(since); same != c.same {
				t.Errorf("the same process: %v, want %v", same, c.same)
			}
		})
	}
}

// Two processes on one address, such as nodes behind a translation, are two peers.
func TestPeersOnOneAddress(t *testing.T) {
	s := newScript(t, nil)
	other := link.Sender{Addr: netip.AddrPortFrom(s.from.Addr.Addr(), 50000)}
	for i := range uint32(10) {
		for j, from := range []link.Sender{s.from, other} {
			h := wire.Header{Type: wire.Control, Flags: wire.FlagAlive, Seq: uint32(j)*5000 + i}
			s.n.Receive(from, h.Append(nil, nil))
		}
		s.after(400 * time.Millisecond)
	}
	p, q := s.peer(s.from), s.peer(other)
	if p == nil || q == nil || p == q {
		t.Fatalf("peers %v and %v, want two", p, q)
	}
	if p.ft.last != 9 || q.ft.last != 5009 {
		t.Errorf("last sequences %d and %d, want 9 and 5009", p.ft.last, q.ft.last)
	}
}

// Nothing that is received makes a node fail, grow or send without bound.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x1a, 0x68, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, uint8(1))
	f.Add([]byte{0x1a, 0x04, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, uint8(1))
	f.Add(append([]byte{0x10, 0, 0, 0x34, 0, 0, 0, 5}, udpObject(&testing.T{}, 7)...), uint8(2))
	f.Add([]byte{0x19, 0, 0, 44, 0, 0, 0, 5, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 31: 0, 51: 0}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, mode uint8) {
		c := testConfig(config.Mode(1 + mode%3))
		c.HashLimit, c.ResendQueueSize, c.ACKWindowSize = 64, 32, 4
		now := time.Unix(1_700_000_000, 0)
		sent := 0
		n := New(Options{Config: c, Link: counter{&sent}, Now: func() time.Time { return now }})
		r := rand.New(rand.NewPCG(1, uint64(len(b))))
		from := link.Sender{Addr: netip.MustParseAddrPort("10.99.0.2:40000")}
		for i := range 8 {
			n.Event(wire.New, testObject(1, i, 3, 0), false)
			n.Receive(from, b[:r.IntN(len(b)+1)])
			n.Receive(from, b)
			now = now.Add(300 * time.Millisecond)
			n.Tick()
		}
		if sent > 200*(len(b)+10) {
			t.Errorf("%d messages in answer to %d bytes", sent, len(b))
		}
	})
}

type counter struct{ sent *int }

func (c counter) Append([]byte) { *c.sent++ }
func (c counter) Flush()        {}
func (c counter) Room() bool    { return true }
