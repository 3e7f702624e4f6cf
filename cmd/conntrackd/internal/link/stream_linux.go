package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// stream is what a link of TCP has: it listens, and connects to its peer. Messages go
// from who connects to who listens, so that two nodes have two connections.
type stream struct {
	listener *net.TCPListener // guarded by Set.mu
	wake     chan struct{}    // something waits to be sent
	kick     chan struct{}    // connect now
	out      *net.TCPConn     // to the peer; nil: not connected. Guarded by Set.mu
	in       []*net.TCPConn
	ended    time.Duration // when out was lost, since Set.began
	others   chan struct{} // has one element for each connection from another address than the peer's
}

const (
	connectTimeout = 3 * time.Second
	connectEvery   = time.Second            // an attempt to connect
	connectSoonest = 100 * time.Millisecond // after the last one ended
	maxOthers      = 16                     // connections from other addresses than the peer's

	// silentPeer is how long a peer may acknowledge nothing until it is taken for gone.
	silentPeer = 3 * time.Second

	// While fewer datagrams wait than roomQueue there is room; more than maxQueue never
	// wait for a peer that is connected.
	roomQueue = 256
	maxQueue  = 4096

	blockLen = 1 << 16 // of one write
)

// errClosed is that the peer has closed a connection.
var errClosed = errors.New("closed by the peer")

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 3}

// openStream listens.
func openStream(c *config.Link, index int) (*stream, error) {
	st := &stream{wake: make(chan struct{}, 1), kick: make(chan struct{}, 1),
		others: make(chan struct{}, maxOthers)}
	listen := net.ListenConfig{KeepAliveConfig: keepAlive, Control: buffers(c)}
	l, err := listen.Listen(context.Background(), network(c), endpoint(own(c), uint16(c.Port), index).String())
	if err != nil {
		return nil, err
	}
	st.listener = l.(*net.TCPListener)
	return st, nil
}

func network(c *config.Link) string {
	if v6(c) {
		return "tcp6"
	}
	return "tcp4"
}

// endpoint is an address on the device with an index.
func endpoint(a netip.Addr, port uint16, index int) netip.AddrPort {
	if scoped(a) {
		a = a.WithZone(strconv.Itoa(index))
	}
	return netip.AddrPortFrom(a, port)
}

// roomOfStream is how many bytes may wait on a connection, unless the configuration says
// something else or the process may not have them: conntrack-tools' daemon loses a part of
// a message when it is not taken whole.
const roomOfStream = 16 << 20

// buffers sets the sizes of a socket's buffers.
func buffers(c *config.Link) func(network, address string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var inner error
		err := raw.Control(func(fd uintptr) {
			if c.SndBuffer > 0 {
				inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, c.SndBuffer)
			}
			switch {
			case inner != nil:
			case c.RcvBuffer > 0:
				inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, c.RcvBuffer)
			default:
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, roomOfStream)
			}
		})
		return errors.Join(err, inner)
	}
}

// signal puts something into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// close closes the listener and all connections. Set.mu is held.
func (st *stream) close() {
	st.listener.Close()
	if st.out != nil {
		st.out.Close()
	}
	for _, c := range st.in {
		c.Close()
	}
}

// connect keeps a connection to the peer until the set is closed.
func (l *dedicated) connect() {
	for {
		c, err := l.dial()
		if err == nil {
			err = l.serve(c)
			c.Close()
			l.disconnected(err)
		}
		soonest := time.NewTimer(connectSoonest)
		select {
		case <-l.set.context.Done():
			return
		case <-soonest.C:
		}
		select {
		case <-l.set.context.Done():
			return
		case <-l.stream.kick:
		case <-time.After(connectEvery - connectSoonest):
		}
	}
}

func (l *dedicated) dial() (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(l.set.context, connectTimeout)
	defer cancel()
	l.set.mu.Lock()
	index := l.state.index
	l.set.mu.Unlock()
	d := net.Dialer{KeepAliveConfig: keepAlive, Control: buffers(&l.config)}
	if specific(l.config.Local) {
		d.LocalAddr = net.TCPAddrFromAddrPort(endpoint(l.config.Local, 0, index))
	}
	var c net.Conn
	err := l.set.enter(func() (err error) {
		c, err = d.DialContext(ctx, network(&l.config), endpoint(l.config.Remote, uint16(l.config.Port), index).String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// connected takes a connection to the peer into use.
func (l *dedicated) connected(c *net.TCPConn) bool {
	s := l.set
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	l.stream.out = c
	s.mu.Unlock()
	l.note(config.Notice, fmt.Sprintf("connected to %s", c.RemoteAddr()))
	s.handler.Connected(l.index)
	s.feed()
	return true
}

// disconnected takes a connection out of use. What was being sent is sent anew, by the
// active link.
func (l *dedicated) disconnected(err error) {
	s := l.set
	s.mu.Lock()
	was := l.stream.out != nil
	l.stream.out, l.writing = nil, 0
	if was {
		l.stream.ended = time.Since(s.began)
	}
	if active := s.links[s.active]; active != l && len(l.queue) > 0 {
		// Behind what that link is sending, which its goroutine removes from the front.
		active.queue = slices.Insert(active.queue, active.writing, l.queue...)
		l.queue = nil
		active.trim()
		active.goOn()
	}
	l.trim()
	closed := s.closed
	s.mu.Unlock()
	if !was || closed {
		return
	}
	l.note(config.Notice, fmt.Sprintf("connection to %s lost: %s", l.config.Remote, errorText(err)))
	s.handler.Lost(l.index)
}

// note logs a line about a peer, at most one a second, so that a peer cannot fill the log.
func (l *dedicated) note(level config.Level, line string) {
	l.seldom(&l.noted, time.Second, level, line)
}

// warn is note for what a stranger may cause: at most one line a minute.
func (l *dedicated) warn(line string) { l.seldom(&l.warned, time.Minute, config.Warning, line) }

func (l *dedicated) seldom(last *time.Time, every time.Duration, level config.Level, line string) {
	l.set.mu.Lock()
	now := last.IsZero() || time.Since(*last) > every
	if now {
		*last = time.Now()
	}
	l.set.mu.Unlock()
	if now {
		l.set.handler.Log(level, line)
	}
}

// greet begins a connection to a peer that has the same key.
func (l *dedicated) greet(c *net.TCPConn) (*sealer, error) {
	stop := context.AfterFunc(l.set.context, func() { c.Close() })
	defer stop()
	c.SetDeadline(time.Now().Add(connectTimeout))
	x, err := greet(c, l.set.key, l.set.encrypt)
	if err != nil {
		l.warn(fmt.Sprintf("%s does not greet as a node with a key does: %s", l.config.Remote, errorText(err)))
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return x, nil
}

// serve sends what waits by a connection until it is lost, and returns why.
func (l *dedicated) serve(c *net.TCPConn) error {
	var x *sealer
	if l.set.key != nil {
		var err error
		if x, err = l.greet(c); err != nil {
			return err
		}
	}
	lost := make(chan error, 1)
	go func() { // nothing comes on a connection that this node has made but its end
		_, err := io.Copy(io.Discard, c)
		if err == nil {
			err = errClosed
		}
		lost <- err
	}()
	if !l.connected(c) {
		return net.ErrClosed
	}
	tick := time.NewTicker(silentPeer / 6)
	defer tick.Stop()
	var block, frame []byte
	for {
		if block = l.next(block[:0]); len(block) > 0 {
			out := block
			if x != nil {
				frame = x.seal(frame[:0], block)
				out = frame
			}
			if err := write(c, out); err != nil {
				l.set.mu.Lock()
				l.sendErrors++
				l.set.mu.Unlock()
				return err
			}
			l.written(len(block))
			continue
		}
		select {
		case <-l.stream.wake:
		case err := <-lost:
			return err
		case <-tick.C:
			if dead(c) {
				return unix.ETIMEDOUT
			}
		case <-l.set.context.Done():
			return net.ErrClosed
		}
	}
}

// next appends datagrams that wait to block, as many as one write sends.
func (l *dedicated) next(block []byte) []byte {
	l.set.mu.Lock()
	defer l.set.mu.Unlock()
	for l.writing = 0; l.writing < len(l.queue); l.writing++ {
		b := l.queue[l.writing]
		if len(block) > 0 && len(block)+len(b) > blockLen {
			break
		}
		block = append(block, b...)
	}
	return block
}

// written takes that n bytes, of the datagrams that next has returned, were sent.
func (l *dedicated) written(n int) {
	l.set.mu.Lock()
	l.sentBytes += uint64(n)
	l.sentPackets += uint64(l.writing)
	l.taken(l.writing)
	l.writing = 0
	l.set.mu.Unlock()
	l.set.feed()
}

// write writes all of b. A peer that does not read is waited for as long as its machine
// answers.
func write(c *net.TCPConn, b []byte) error {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		n, err := c.Write(b)
		b = b[n:]
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case dead(c):
			return unix.ETIMEDOUT
		}
	}
}

// dead reports whether the machine of the peer has answered nothing for some time. One
// that has no room answers.
func dead(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil ||
		err != nil {
		return true
	}
	return (info.Unacked > 0 || info.Probes > 1) && time.Duration(info.Last_ack_recv)*time.Millisecond > silentPeer
}

// goOn has what waits sent.
func (l *dedicated) goOn() {
	switch {
	case len(l.queue) == 0:
	case l.datagrams != nil:
		l.again()
	default:
		signal(l.stream.wake)
	}
}
