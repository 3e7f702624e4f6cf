package sync

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// network joins nodes by links in memory that lose, double, delay and reorder datagrams,
// with a clock that only the network moves.
type network struct {
	t     *testing.T
	r     *rand.Rand
	now   time.Time
	queue steps
	order int

	loss, double float64
	delay        time.Duration // of a datagram
	jitter       time.Duration // at most as much more: datagrams overtake each other
	cut          func(from, to int) bool
	hosts        []*host
	datagrams    int // that were sent
}

// host is a node of a network, and its link.
type host struct {
	w       *network
	index   int
	c       *config.Config
	port    uint16
	n       *Node
	epoch   int // counts the processes
	buf     []byte
	next    time.Time
	full    bool // the link takes nothing
	logs    []string
	ticks   int
	passed  int            // ticks in a row that returned a time that has passed
	message func(m []byte) // is called for each message sent, if not nil
}

// step is something that happens at a time.
type step struct {
	at    time.Time
	order int
	f     func()
}

type steps []step

func (s steps) Len() int { return len(s) }
func (s steps) Less(i, j int) bool {
	return s[i].at.Before(s[j].at) || s[i].at.Equal(s[j].at) && s[i].order < s[j].order
}
func (s steps) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *steps) Push(x any)   { *s = append(*s, x.(step)) }
func (s *steps) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

// newNetwork returns a network of hosts that run.
func newNetwork(t *testing.T, seed uint64, configs ...*config.Config) *network {
	w := &network{t: t, r: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1_700_000_000, 0), delay: 100 * time.Microsecond}
	for i, c := range configs {
		h := &host{w: w, index: i, c: c, port: 40000}
		w.hosts = append(w.hosts, h)
		h.boot()
	}
	return w
}

// at has f called when d has passed.
func (w *network) at(d time.Duration, f func()) {
	w.order++
	heap.Push(&w.queue, step{w.now.Add(d), w.order, f})
}

// run lets a time pass.
func (w *network) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(end) {
		s := heap.Pop(&w.queue).(step)
		w.now = s.at
		s.f()
	}
	w.now = end
}

// until lets time pass until a condition holds, at most max, and reports whether it does.
func (w *network) until(max time.Duration, f func() bool) bool {
	for end := w.now.Add(max); w.now.Before(end); w.run(10 * time.Millisecond) {
		if f() {
			return true
		}
	}
	return f()
}

// boot starts the process of a host anew: another port, and caches that are empty.
func (h *host) boot() {
	h.epoch++
	h.port++
	h.buf, h.next = nil, time.Time{}
	h.n = New(Options{Config: h.c, Link: h, Now: func() time.Time { return h.w.now },
		Log: func(_ config.Level, s string) { h.logs = append(h.logs, s) }})
	h.tick()
}

// stop ends the process of a host.
func (h *host) stop() {
	h.epoch++
	h.n = nil
}

func (h *host) tick() {
	if h.n == nil {
		return
	}
	next := h.n.Tick()
	h.ticks++
	if h.passed++; !next.Before(h.w.now) {
		h.passed = 0
	}
	if h.passed > 1000 {
		h.w.t.Fatalf("Tick returns a time that has passed again and again: the node does not rest")
	}
	if next.Sub(h.w.now) > 5*time.Second {
		h.w.t.Errorf("Tick returns %v from now, want at most a second or so", next.Sub(h.w.now))
	}
	if !h.next.IsZero() && h.next.After(h.w.now) && !next.Before(h.next) {
		return // it is called before
	}
	epoch := h.epoch
	h.next = next
	h.w.at(max(next.Sub(h.w.now), 20*time.Microsecond), func() {
		if h.epoch == epoch && h.next.Equal(next) {
			h.next = time.Time{}
			h.tick()
		}
	})
}

func (h *host) sender() link.Sender {
	return link.Sender{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 99, 0, byte(h.index + 1)}), h.port)}
}

func (h *host) Append(m []byte) {
	if h.message != nil {
		h.message(m)
	}
	if len(h.buf)+len(m) >= 1472 {
		h.Flush()
	}
	h.buf = append(h.buf, m...)
}

func (h *host) Room() bool { return !h.full }

// Flush sends a datagram to all other hosts.
func (h *host) Flush() {
	if len(h.buf) == 0 {
		return
	}
	w, b, from := h.w, bytes.Clone(h.buf), h.sender()
	h.buf = h.buf[:0]
	w.datagrams++
	for _, to := range w.hosts {
		if to == h || w.cut != nil && w.cut(h.index, to.index) {
			continue
		}
		for copies := 1; copies > 0; copies-- {
			if w.r.Float64() < w.loss {
				continue
			}
			if w.r.Float64() < w.double {
				copies++
			}
			d := w.delay
			if w.jitter > 0 {
				d += time.Duration(w.r.Int64N(int64(w.jitter)))
			}
			w.at(d, func() {
				if to.n == nil {
					return
				}
				to.n.Receive(from, b)
				to.tick()
			})
		}
	}
}

// event gives a host's node an event.
func (h *host) event(t wire.Type, o wire.Object) {
	if h.n != nil {
		h.n.Event(t, o, false)
		h.tick()
	}
}

// testObject returns the object of a TCP connection: number says which one, base whose.
func testObject(base, number int, state byte, mark uint32) wire.Object {
	a := func(b []byte, num uint16, v ...byte) []byte {
		b = binary.BigEndian.AppendUint16(b, uint16(4+len(v)))
		b = binary.BigEndian.AppendUint16(b, num)
		return append(append(b, v...), make([]byte, -len(v)&3)...)
	}
	var b []byte
	b = a(b, 0, 10, byte(base), byte(number>>16), byte(number>>8), 192, 0, 2, 1)
	b = a(b, 5, 0, 0, 1, 0x9e)
	b = a(b, 2, 6)
	b = a(b, 3, byte(number), byte(base), 0, 80)
	b = a(b, 4, state)
	b = a(b, 6, 0, 6, 0x97, 0x80)
	b = a(b, 7, binary.BigEndian.AppendUint32(nil, mark)...)
	o, err := wire.Merge(nil, wire.New, nil, b)
	if err != nil {
		panic(err)
	}
	return o
}

// contents returns the objects of a cache that live, of one sender if it is not nil.
func contents(c *cache.Cache, from *peer) map[wire.Key]string {
	m := make(map[wire.Key]string)
	for s := cache.Slot(1); s != 0; {
		s = c.Walk(s, 1<<16, func(s cache.Slot) {
			if d := c.Meta(s); d.Flags&cache.Dead == 0 && (from == nil || int(d.Sender) == from.index) {
				m[c.Object(s).Key()] = string(c.Object(s))
			}
		})
	}
	return m
}

// peerOf returns what a host knows of another one.
func (h *host) peerOf(other *host) *peer {
	for _, p := range h.n.peers {
		if p != nil && p.sender == other.sender() {
			return p
		}
	}
	return nil
}

// differ returns in what the external cache of to differs from the internal one of from,
// "" if in nothing.
func differ(from, to *host) string {
	p := to.peerOf(from)
	if p == nil {
		return "the peer is not known"
	}
	want, got := contents(from.n.Internal, nil), contents(to.n.External, p)
	missing, wrong := 0, 0
	for k, o := range want {
		switch x, ok := got[k]; {
		case !ok:
			missing++
		case x != o:
			wrong++
		}
	}
	ghosts := len(got) - (len(want) - missing)
	if missing+wrong+ghosts == 0 {
		return ""
	}
	return fmt.Sprintf("host %d at %d: %d entries, %d missing, %d stale, %d ghosts",
		from.index, to.index, len(want), missing, wrong, ghosts)
}

// same waits until all hosts that run know the entries of all others.
func (w *network) same(max time.Duration) {
	w.t.Helper()
	all := func() string {
		for _, a := range w.hosts {
			for _, b := range w.hosts {
				if a != b && a.n != nil && b.n != nil {
					if d := differ(a, b); d != "" {
						return d
					}
				}
			}
		}
		return ""
	}
	for end := w.now.Add(max); w.now.Before(end); w.run(250 * time.Millisecond) {
		if all() == "" {
			return
		}
	}
	if d := all(); d != "" {
		w.t.Errorf("after %v: %s", max, d)
		for _, h := range w.hosts {
			if h.n == nil {
				continue
			}
			h.w.t.Logf("host %d: tx %d rs %d lost %d before %d", h.index, h.n.conns.tx.Len, h.n.conns.rs.Len,
				h.n.stats.Lost, h.n.stats.Before)
			for _, p := range h.n.peers {
				if p != nil {
					h.w.t.Logf("  peer %d %v: away %v need %v ft %+v", p.index, p.sender.Addr, p.away, p.need, p.ft)
				}
			}
		}
	}
}
