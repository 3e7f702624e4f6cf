package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// accept takes the connections of peers until the set is closed.
func (l *dedicated) accept() {
	for {
		l.set.mu.Lock()
		listener, closed := l.stream.listener, l.set.closed
		l.set.mu.Unlock()
		if closed {
			return
		}
		l.acceptBy(listener)
	}
}

// acceptBy is accept for a listener until that is closed.
func (l *dedicated) acceptBy(listener *net.TCPListener) {
	for {
		c, err := listener.AcceptTCP()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !l.failed() {
				return
			}
			continue
		}
		if remote(c).Addr() == l.config.Remote {
			l.set.ending.Go(func() { l.begin(c) })
			continue
		}
		select {
		case l.stream.others <- struct{}{}:
			l.set.ending.Go(func() {
				l.begin(c)
				<-l.stream.others
			})
		default:
			c.Close() // too many
		}
	}
}

// begin has a peer prove that it has the key, if there is one, and reads what it sends.
func (l *dedicated) begin(c *net.TCPConn) {
	r, err := l.greeted(c)
	if err != nil || !l.admit(c) {
		c.Close()
		return
	}
	l.read(c, r)
}

// greeted returns what reads the messages of a connection.
func (l *dedicated) greeted(c *net.TCPConn) (io.Reader, error) {
	if l.set.key == nil {
		return c, nil
	}
	stop := context.AfterFunc(l.set.context, func() { c.Close() })
	defer stop()
	c.SetDeadline(time.Now().Add(connectTimeout))
	o, err := receiveGreeting(c, l.set.key)
	if err != nil {
		if errors.Is(err, errForged) {
			l.forged.Add(1)
		}
		l.warn(fmt.Sprintf("refused a connection from %s: %s", remote(c).Addr(), errorText(err)))
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return o, nil
}

// admit takes a connection into use. It takes the place of the one from the same address,
// whose other end is gone.
func (l *dedicated) admit(c *net.TCPConn) bool {
	s, st := l.set, l.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	address := remote(c).Addr()
	if i := slices.IndexFunc(st.in, func(old *net.TCPConn) bool { return remote(old).Addr() == address }); i >= 0 {
		st.in[i].Close()
		st.in = slices.Delete(st.in, i, i+1)
	}
	st.in = append(st.in, c)
	return true
}

// remote returns the address of a connection's peer.
func remote(c *net.TCPConn) netip.AddrPort {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}

// read hands on the messages of a connection until it ends.
func (l *dedicated) read(c *net.TCPConn, r io.Reader) {
	l.stranger(remote(c).Addr())
	signal(l.stream.kick) // the peer is there: connect to it
	err := l.messages(r, Sender{Link: l.index, Addr: remote(c)})
	c.Close()
	if errors.Is(err, errForged) {
		l.forged.Add(1)
	}
	s := l.set
	s.mu.Lock()
	if i := slices.Index(l.stream.in, c); i >= 0 {
		l.stream.in = slices.Delete(l.stream.in, i, i+1)
	}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return
	}
	l.note(config.Notice, fmt.Sprintf("connection from %s lost: %s", remote(c).Addr(), errorText(err)))
	s.handler.Lost(l.index)
}

// errFraming is that what comes cannot be messages: where the next one begins is not
// known.
var errFraming = errors.New("no message where one must begin")

// messages hands on messages, those that are complete after each read. The rest is kept
// for the next one, in a buffer of this connection.
func (l *dedicated) messages(c io.Reader, from Sender) error {
	b := make([]byte, 1<<17) // a message is shorter than half of it
	kept := 0
	for {
		n, err := c.Read(b[kept:])
		if errors.Is(err, io.EOF) {
			return errClosed
		}
		if err != nil {
			return err
		}
		l.recvBytes.Add(uint64(n))
		l.recvPackets.Add(1)
		kept += n
		whole, last, ok := complete(b[:kept])
		if !ok {
			// conntrack-tools' daemon leaves out the end of a message that was not sent
			// whole: the last one has the beginning of the next as its own.
			kept = last + copy(b[last:], b[whole:kept])
			whole = last
		}
		if whole > 0 {
			l.deliver(from, b[:whole])
			kept = copy(b, b[whole:kept])
		}
		if !ok {
			l.recvErrors.Add(1)
			l.set.handler.Receive(from, b[:min(kept, 8)]) // for the counters
			return errFraming
		}
	}
}

// complete returns the length of the whole messages at the beginning of b, and where the
// last of them begins. ok is false if what follows them cannot be a message.
func complete(b []byte) (whole, last int, ok bool) {
	for {
		n, ok := messageLen(b[whole:])
		if !ok || n == 0 || n > len(b)-whole {
			return whole, last, ok
		}
		whole, last = whole+n, whole
	}
}
