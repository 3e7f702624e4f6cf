package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// receive hands on what arrives until the set is closed.
func (l *dedicated) receive() {
	b := make([]byte, 1<<16)
	for {
		l.set.mu.Lock()
		d, closed := l.datagrams, l.set.closed
		l.set.mu.Unlock()
		if closed {
			return
		}
		l.receiveFrom(d, b)
	}
}

// receiveFrom is receive for sockets until they are closed.
func (l *dedicated) receiveFrom(d *datagrams, b []byte) {
	conn, err := d.in.SyscallConn()
	if err != nil {
		return
	}
	r := newReceiver(conn, b, l.config.Interface)
	for {
		b, from, err := r.receive()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !l.failed() {
				return
			}
			continue
		}
		if from == d.from {
			continue // reflected
		}
		l.recvBytes.Add(uint64(len(b)))
		l.recvPackets.Add(1)
		if messages := l.unseal(from, b); messages != nil {
			l.deliver(Sender{Link: l.index, Addr: from}, messages)
		}
	}
}

// unseal returns the messages of a datagram, nil if there are none that may be taken.
func (l *dedicated) unseal(from netip.AddrPort, b []byte) []byte {
	if l.sessions == nil {
		if len(b) > 0 && b[0] == frameMagic {
			l.warn(fmt.Sprintf("%s uses a key, this node has none", from.Addr()))
		}
		if l.config.Kind == config.UDP {
			l.stranger(from.Addr())
		}
		return b
	}
	o := l.sessions.open(b, time.Since(l.set.began))
	if o.answer != nil {
		l.say(answer, o.answer)
	}
	if o.ask != nil {
		l.say(challenge, o.ask)
	}
	if o.forged {
		l.forged.Add(1)
		l.warn(fmt.Sprintf("refused what %s sends: %v", from.Addr(), errForged))
	}
	if o.replayed {
		l.replayed.Add(1)
	}
	return o.messages
}

// maxStrangers is of how many addresses a link says that they are not that of its peer.
const maxStrangers = 16

// stranger says once if what an address sends is taken, though it is not that of the peer:
// it may be another one of the peer, or that of a third node.
func (l *dedicated) stranger(a netip.Addr) {
	a = a.WithZone("")
	if a == l.config.Remote || !l.reachable() || l.set.key != nil {
		return
	}
	l.set.mu.Lock()
	known := slices.Contains(l.strangers, a) || len(l.strangers) >= maxStrangers
	if !known {
		l.strangers = append(l.strangers, a)
	}
	l.set.mu.Unlock()
	if !known {
		l.set.handler.Log(config.Warning, fmt.Sprintf("taking what %s sends, though the peer is %s", a, l.config.Remote))
	}
}

// failed counts an error of receiving, and waits, so that one that stays costs little. It
// reports whether the link is still open.
func (l *dedicated) failed() bool {
	l.recvErrors.Add(1)
	select {
	case <-l.set.context.Done():
		return false
	case <-time.After(againError):
		return true
	}
}

// deliver hands on whole messages.
func (l *dedicated) deliver(from Sender, b []byte) {
	if plausible(b) {
		l.heard.Store(int64(time.Since(l.set.began)))
		l.set.listenTo(l.index)
	}
	l.set.handler.Receive(from, b)
}

// plausible reports whether b begins with a message.
func plausible(b []byte) bool {
	n, ok := messageLen(b)
	return ok && n > 0 && n <= len(b)
}
