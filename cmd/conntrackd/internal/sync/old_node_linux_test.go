package sync

import (
	"math/rand/v2"
	"net"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/netlab"
)

// startOurs starts the node with a socket of its own.
func (p *pair) startOurs() {
	p.t.Helper()
	var sock *net.UDPConn
	err := netlab.Enter(p.ours, func() (err error) {
		sock, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 99, 0, 1), Port: 3780})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := sock.SetReadBuffer(1 << 20); err != nil {
		p.t.Fatal(err)
	}
	n := New(Options{Config: p.c, Link: p, Now: time.Now, Log: func(config.Level, string) {}})
	p.mu.Lock() // the goroutines of the node before may still look
	p.buf, p.sock, p.n = nil, sock, n
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for {
			size, from, err := sock.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			p.mu.Lock()
			if p.loss == 0 || rand.Float64() >= p.loss {
				n.Receive(link.Sender{Addr: from}, b[:size])
			}
			p.mu.Unlock()
			p.kick()
		}
	}()
	go func() {
		timer := time.NewTimer(0)
		for {
			select {
			case <-done:
				return
			case <-p.wake:
			case <-timer.C:
			}
			p.mu.Lock()
			if p.n != n {
				p.mu.Unlock()
				return
			}
			next := n.Tick()
			p.mu.Unlock()
			timer.Reset(max(time.Until(next), 0))
		}
	}()
}

func (p *pair) kick() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pair) stopOurs() {
	if p.sock == nil {
		return
	}
	p.sock.Close()
	p.mu.Lock()
	p.n, p.sock = nil, nil
	p.mu.Unlock()
}

func (p *pair) Append(m []byte) {
	if len(p.buf)+len(m) >= 1472 {
		p.Flush()
	}
	p.buf = append(p.buf, m...)
}

func (p *pair) Flush() {
	if len(p.buf) > 0 && p.sock != nil && (p.loss == 0 || rand.Float64() >= p.loss) {
		_, _ = p.sock.WriteToUDP(p.buf, &net.UDPAddr{IP: net.IPv4(10, 99, 0, 2), Port: 3780})
	}
	p.buf = p.buf[:0]
}

func (p *pair) Room() bool { return true }

// locked calls f with the node's lock held and has the node tick.
func (p *pair) locked(f func()) {
	p.mu.Lock()
	f()
	p.mu.Unlock()
	p.kick()
}

// fill has the node's table have entries from…to-1 of base.
func (p *pair) fill(base, from, to int) {
	for from < to {
		p.locked(func() {
			for end := min(from+500, to); from < end; from++ {
				p.n.Event(wire.New, testObject(base, from, 3, 0), false)
			}
		})
	}
}

// knows returns how many entries the node has of the old daemon.
func (p *pair) knows() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.n.External.Stats.Active)
}

// settled reports whether nothing is to be sent, and all that was sent is acknowledged.
func (p *pair) settled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := &p.n.bulk; b.wanted || b.phase != bulkIdle || b.resync.wanted {
		return false
	}
	return p.n.conns.rs.Len == 0 && p.n.conns.tx.Len == 0 && p.n.Internal.Stats.Active == p.n.Internal.Stats.Total
}
