package link

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// transmit sends a datagram of messages, if the system takes it at once.
func (l *dedicated) transmit(b []byte) error {
	if l.sessions != nil {
		l.frame = l.sessions.seal(l.frame[:0], data, b)
		b = l.frame
	}
	return l.sendTo(b)
}

// say sends a frame that has no messages, if the system takes it at once.
func (l *dedicated) say(k kind, body []byte) {
	l.set.mu.Lock()
	defer l.set.mu.Unlock()
	if !l.set.closed {
		l.frame = l.sessions.seal(l.frame[:0], k, body)
		l.sendTo(l.frame)
	}
}

func (l *dedicated) sendTo(b []byte) error {
	d := l.datagrams
	if d.to.len == 0 || len(b) == 0 {
		l.sendErrors++
		return unix.EDESTADDRREQ
	}
	err := rawSend(d.out, b, &d.to)
	if err == nil {
		l.sentBytes += uint64(len(b))
		l.sentPackets++
	} else if !errors.Is(err, unix.EAGAIN) {
		l.sendErrors++
	}
	return err
}

// hopeless reports whether sending the same again is of no use.
func hopeless(err error) bool {
	return errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.EDESTADDRREQ)
}

// How long until sending is tried again: after the socket's buffer was full, and after
// an error.
const (
	againFull  = time.Millisecond
	againError = 100 * time.Millisecond
)

// again has what waits sent soon.
func (l *dedicated) again() {
	if l.timer == nil {
		l.timer = l.set.after(againFull, l.drain)
	}
}

// drain sends what waits. The timer calls it.
func (l *dedicated) drain() {
	s := l.set
	s.mu.Lock()
	l.timer = nil
	l.drainLocked()
	s.mu.Unlock()
	s.feed()
}

func (l *dedicated) drainLocked() {
	sent := 0
	var err error
	for ; sent < len(l.queue) && !l.set.closed; sent++ {
		if err = l.transmit(l.queue[sent]); err != nil && !hopeless(err) {
			break
		}
	}
	l.taken(sent)
	if len(l.queue) > 0 && !l.set.closed && l.timer == nil {
		wait := againError
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS) {
			wait = againFull
		}
		l.timer = l.set.after(wait, l.drain)
	}
}
