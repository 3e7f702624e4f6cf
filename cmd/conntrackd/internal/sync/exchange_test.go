package sync

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// exchange is nodes on one link, on which everybody hears everybody, with a clock that
// moves when nothing is left to do.
type exchange struct {
	t     *testing.T
	now   time.Time
	rand  *rand.Rand
	nodes []*station
	queue []*packet
	loss  float64
	delay time.Duration
	count int // packets that were sent
	steps int // calls of Tick
}

type packet struct {
	at   time.Time
	to   *station
	from link.Sender
	b    []byte
}

// station is a node on the link.
type station struct {
	*Node
	x       *exchange
	from    link.Sender
	buf     []byte
	next    time.Time
	off     bool // not running
	deaf    bool // nothing comes or goes
	logs    []string
	inject  []string
	dumping bool
	beside  func()        // called when a dump has been taken and nothing of it was told
	table   []wire.Object // of the kernel, for dumps
	// filter drops what it returns true for, mute Extension messages.
	filter func(h wire.Header) bool
	mute   func(e *extension) bool
}

func newExchange(t *testing.T, seed uint64) *exchange {
	return &exchange{
		t: t, now: time.Unix(1_800_000_000, 0), rand: rand.New(rand.NewPCG(seed, 1)), delay: 200 * time.Microsecond,
	}
}

func testConfig(mode config.Mode) *config.Config {
	return &config.Config{
		Mode: mode, ResendQueueSize: 131072, ACKWindowSize: 300, PurgeTimeout: time.Minute,
		RefreshTime: 10 * time.Second, CacheTimeout: 30 * time.Second, HashLimit: 1 << 20, Extensions: true,
		Links: []config.Link{{Kind: config.Multicast}},
	}
}

// add starts a node at 10.0.0.i, with another port each time.
func (x *exchange) add(i int, c *config.Config) *station {
	s := &station{x: x, next: x.now}
	port := uint16(10000 + x.rand.IntN(50000))
	s.from = link.Sender{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), port)}
	s.Node = New(Options{
		Config: c, Link: s, Inject: s, Source: s, Name: fmt.Sprintf("node%d", i), Now: func() time.Time { return x.now },
		Log: func(_ config.Level, text string) { s.logs = append(s.logs, text) },
	})
	x.nodes = append(x.nodes, s)
	return s
}

func (x *exchange) remove(s *station) {
	s.off = true
	x.nodes = slices.DeleteFunc(x.nodes, func(o *station) bool { return o == s })
}

func (s *station) Append(m []byte) {
	if len(s.buf)+len(m) > 1472 {
		s.Flush()
	}
	s.buf = append(s.buf, m...)
}

func (s *station) Flush() {
	if len(s.buf) == 0 {
		return
	}
	s.x.count++
	for _, o := range s.x.nodes {
		if o == s || s.deaf || o.deaf || s.x.rand.Float64() < s.x.loss {
			continue
		}
		b := slices.Clone(s.buf)
		if s.filter != nil {
			b = strip(b, func(h wire.Header, _ []byte) bool { return s.filter(h) })
		}
		if s.mute != nil {
			b = strip(b, func(h wire.Header, payload []byte) bool {
				var e extension
				return h.Type == wire.Extension && e.parse(payload) && s.mute(&e)
			})
		}
		s.x.queue = append(s.x.queue, &packet{s.x.now.Add(s.x.delay), o, s.from, b})
	}
	s.buf = s.buf[:0]
}

// strip removes the messages for which drop returns true.
func strip(b []byte, drop func(h wire.Header, payload []byte) bool) (out []byte) {
	for len(b) > 0 {
		h, payload, rest, err := wire.Next(b)
		if err != nil || !drop(h, payload) {
			out = append(out, b[:len(b)-len(rest)]...)
		}
		b = rest
	}
	return out
}

func (s *station) Room() bool { return true }

func (s *station) Inject(t wire.Type, o wire.Object) {
	s.inject = append(s.inject, fmt.Sprint(t, o.Key().Ports))
}

// Dump lists the table, as package kernel does it.
func (s *station) Dump() { s.dumping = true }

func (s *station) dump() {
	s.dumping = false
	s.BeginRefresh(false)
	list := s.table
	if s.beside != nil {
		s.beside()
	}
	for len(list) > 0 {
		for s.Node.Room() && len(list) > 0 {
			s.Dumped(wire.Update, list[0])
			list = list[1:]
		}
		if len(list) > 0 {
			s.x.run(5 * time.Millisecond)
		}
	}
	s.EndRefresh()
}

// run lets a time pass.
func (x *exchange) run(d time.Duration) {
	end := x.now.Add(d)
	for steps := 0; ; steps++ {
		if steps > 3_000_000 {
			x.t.Fatal("it does not come to rest")
		}
		at := end
		for _, s := range x.nodes {
			if s.next.Before(at) {
				at = s.next
			}
		}
		if len(x.queue) > 0 && x.queue[0].at.Before(at) {
			at = x.queue[0].at
		}
		if !at.Before(end) {
			x.now = end
			return
		}
		if at.After(x.now) {
			x.now = at
		}
		for len(x.queue) > 0 && !x.queue[0].at.After(x.now) {
			p := x.queue[0]
			x.queue = x.queue[1:]
			if !p.to.off {
				p.to.Receive(p.from, p.b)
				p.to.next = x.now
			}
		}
		for _, s := range slices.Clone(x.nodes) {
			if s.off || s.next.After(x.now) {
				continue
			}
			x.steps++
			if s.next = s.Tick(); !s.next.After(x.now) {
				s.next = x.now.Add(50 * time.Microsecond)
			}
			if s.dumping {
				s.dump()
			}
		}
	}
}

func attr(b []byte, number uint16, payload ...byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(payload)))
	b = binary.BigEndian.AppendUint16(b, number)
	b = append(b, payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// object returns the object of the i-th UDP connection.
func object(t testing.TB, i int, timeout uint32) wire.Object { return natObject(t, i, timeout, 0x8) }

func natObject(t testing.TB, i int, timeout, status uint32) wire.Object {
	var b []byte
	b = attr(b, 0, 10, byte(i>>24), byte(i>>16), 1, 192, 0, 2, 1)
	b = attr(b, 5, binary.BigEndian.AppendUint32(nil, status)...)
	b = attr(b, 2, 17)
	b = attr(b, 3, byte(i>>8), byte(i), 0, 53)
	b = attr(b, 6, binary.BigEndian.AppendUint32(nil, timeout)...)
	o, err := wire.Merge(nil, wire.New, nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// expectation is one of a connection of UDP, to a port.
func expectation(t testing.TB, master wire.Object, port, timeout byte) wire.Object {
	k := master.Key()
	var b []byte
	b = attr(b, 0, append(slices.Clone(k.Src[:4]), k.Dst[:4]...)...)
	b = attr(b, 2, k.Proto)
	b = attr(b, 3, k.Ports[:]...)
	b = attr(b, 4, append(slices.Clone(k.Src[:4]), k.Dst[:4]...)...)
	b = attr(b, 6, 17)
	b = attr(b, 7, 0, 0, 0, port)
	b = attr(b, 8, 255, 255, 255, 255, 255, 255, 255, 255)
	b = attr(b, 10, 17)
	b = attr(b, 11, 0, 0, 255, 255)
	b = attr(b, 12, 0, 0, 0, timeout)
	o, err := wire.Merge(nil, wire.ExpectNew, nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// keys returns the keys of the live objects of a cache.
func keys(c *cache.Cache) map[wire.Key]bool {
	m := map[wire.Key]bool{}
	for s := cache.Slot(1); s != 0; {
		s = c.Walk(s, 1<<20, func(s cache.Slot) {
			if c.Meta(s).Flags&cache.Dead == 0 {
				m[c.Object(s).Key()] = true
			}
		})
	}
	return m
}

// alike fails unless the external cache of a node has what the internal ones of others
// have.
func (s *station) alike(others ...*station) {
	s.x.t.Helper()
	want := map[wire.Key]bool{}
	for _, o := range others {
		maps.Copy(want, keys(o.Internal))
	}
	got := keys(s.External)
	missing, more := 0, 0
	for k := range want {
		if !got[k] {
			missing++
		}
	}
	for k := range got {
		if !want[k] {
			more++
		}
	}
	if missing+more > 0 {
		s.x.t.Errorf("of %d entries %d are missing, and there are %d ghosts", len(want), missing, more)
	}
}

// fill gives a node entries that its peers are not told of, as a dump at the start does.
func (s *station) fill(from, to int) {
	for i := from; i < to; i++ {
		s.Event(wire.Update, object(s.x.t, i, 1000), true)
	}
}

// A node at rest is not called more often than its timers are due.
func TestRest(t *testing.T) {
	for name, mode := range map[string]config.Mode{"FTFW": config.FTFW, "NOTRACK": config.NoTrack, "ALARM": config.Alarm} {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a := x.add(1, testConfig(mode))
			a.fill(0, 100)
			x.run(10 * time.Second)
			for _, peer := range []*config.Config{nil, oldConfig(mode), testConfig(mode)} {
				if peer != nil {
					for len(x.nodes) > 1 {
						x.remove(x.nodes[1])
					}
					x.add(2, peer)
				}
				x.run(60 * time.Second)
				before := x.steps
				x.run(10 * time.Second)
				if n := x.steps - before; n > 10*25*len(x.nodes) {
					t.Errorf("%d nodes are called %d times in 10 seconds", len(x.nodes), n)
				}
			}
		})
	}
}
