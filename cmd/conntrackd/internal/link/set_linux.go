package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// Set is the links of a node. Its methods may be called by several goroutines.
type Set struct {
	handler Handler
	keep    int
	silence time.Duration
	key     []byte // nil: none
	encrypt bool
	enter   func(func() error) error
	context context.Context // until Close
	cancel  context.CancelFunc
	ending  sync.WaitGroup
	began   time.Time
	watch   *os.File // link events

	mu       sync.Mutex // guards what follows, and all of a dedicated link but what is said there
	links    []*dedicated
	active   int
	switched time.Duration // when active changed, since began; 0: never
	none     bool          // logged that no link runs
	hungry   bool          // Room has returned false
	closed   bool
}

// dedicated is one link.
type dedicated struct {
	set    *Set
	index  int
	config config.Link
	state  state
	limit  int // bytes of a datagram, exclusive

	buffer  []byte   // the datagram that is being filled
	queue   [][]byte // datagrams that wait, the oldest first
	writing int      // of queue: what a goroutine is sending
	free    [][]byte // buffers to be used again

	datagrams *datagrams  // of multicast and UDP
	timer     *time.Timer // tries again to send them
	stream    *stream     // of TCP
	stale     bool        // the sockets are those of a device that is gone
	sessions  *sessions   // of datagrams with a key
	frame     []byte      // that is sent
	noted     time.Time   // when something about a peer was logged
	warned    time.Time   // when it was a warning
	strangers []netip.Addr

	sentBytes, sentPackets, sendErrors uint64

	// Not guarded.
	recvBytes, recvPackets, recvErrors, forged, replayed atomic.Uint64
	heard                                                atomic.Int64 // when, in ns since Set.began; 0: never
}

// Open opens all links. Its error is the line for the log. The links are those of the
// network namespace of the calling thread; streams are connected again by other threads,
// so all threads should be in it.
func Open(o Options) (*Set, error) {
	s := &Set{handler: o.Handler, keep: o.ErrorQueue, silence: o.Silence, enter: o.enter,
		began: time.Now(), key: o.Key, encrypt: o.Encrypt}
	if s.enter == nil {
		s.enter = func(f func() error) error { return f() }
	}
	if len(o.Links) == 0 {
		return nil, errors.New("no dedicated links")
	}
	if err := checkKey(o.Key); err != nil {
		return nil, err
	}
	s.context, s.cancel = context.WithCancel(context.Background())
	for i, c := range o.Links {
		l := &dedicated{set: s, index: i, config: c}
		if s.key != nil && c.Kind != config.TCP {
			l.sessions = newSessions(s.key, s.encrypt)
		}
		s.links = append(s.links, l)
		if c.Default {
			s.active = i
		}
	}
	if err := s.enter(s.open); err != nil {
		s.shut()
		return nil, err
	}
	s.run()
	return s, nil
}

func (s *Set) open() error {
	var err error
	if s.watch, err = openWatch(); err != nil {
		return channelError(err)
	}
	for _, l := range s.links {
		if l.state, err = readState(l.config.Interface); err != nil {
			return channelError(err)
		}
		l.setLimit()
		if err = l.open(); tentative(err, &l.config) {
			for end := time.Now().Add(tentativeTime); err != nil && time.Now().Before(end); {
				time.Sleep(tentativeTime / 30)
				err = l.open()
			}
		}
		if err != nil {
			return channelError(err)
		}
	}
	return nil
}

// open opens the sockets of a link.
func (l *dedicated) open() (err error) {
	switch l.config.Kind {
	case config.Multicast, config.UDP:
		l.datagrams, err = openDatagrams(&l.config, l.state.index)
	case config.TCP:
		l.stream, err = openStream(&l.config, l.state.index)
	default:
		err = unix.EPROTONOSUPPORT
	}
	return err
}

// tentativeTime is how long an address over IPv6 may take until it can be used.
const tentativeTime = 3 * time.Second

// tentative reports whether an error is that the own address cannot be used yet: the
// kernel asks first whether another machine has it.
func tentative(err error, c *config.Link) bool {
	if !errors.Is(err, unix.EADDRNOTAVAIL) || !c.Local.Is6() {
		return false
	}
	all, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(net.IP(c.Local.AsSlice()))
	})
}

// run starts the goroutines.
func (s *Set) run() {
	s.ending.Go(s.watchLinks)
	if len(s.links) > 1 {
		s.ending.Go(s.watchSilence)
	}
	for _, l := range s.links {
		if l.datagrams != nil {
			s.ending.Go(l.receive)
			if l.sessions != nil {
				l.say(here, nil)
			}
		} else {
			s.ending.Go(l.accept)
			if l.reachable() {
				s.ending.Go(l.connect)
			}
		}
	}
}

// after calls f later, unless the set is closed first. Close waits for it.
func (s *Set) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		s.mu.Lock()
		closed := s.closed
		if !closed {
			s.ending.Add(1)
		}
		s.mu.Unlock()
		if !closed {
			defer s.ending.Done()
			f()
		}
	})
}

// channelError is an error as the log has it.
func channelError(err error) error {
	return errors.New("can't open channel socket: " + errorText(err))
}

// errorText is the text that strerror(3) has for an error number, or that of the error.
func errorText(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := []byte(errno.Error())
	if text[0] >= 'a' && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return string(text)
}

// Append puts a message into the buffer of the active link, and sends what is there
// before if it would become too large for a datagram. It keeps no reference to m.
func (s *Set) Append(m []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	l := s.links[s.active]
	if len(l.buffer) > 0 && len(l.buffer)+len(m) >= l.limit {
		l.push()
	}
	l.buffer = append(l.buffer, m...)
	if len(l.buffer) >= l.limit {
		l.push()
	}
}

// Flush sends what is in the buffer.
func (s *Set) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.links[s.active]; !s.closed && len(l.buffer) > 0 {
		l.push()
	}
}

// push hands on the buffer, which is not empty.
func (l *dedicated) push() {
	if l.datagrams != nil && len(l.queue) == 0 {
		if err := l.transmit(l.buffer); err == nil || hopeless(err) {
			l.buffer = l.buffer[:0]
			return
		}
	}
	if last := len(l.queue) - 1; last >= l.writing && len(l.queue[last])+len(l.buffer) < l.limit {
		l.queue[last] = append(l.queue[last], l.buffer...)
		l.buffer = l.buffer[:0]
		l.goOn()
		return
	}
	l.queue = append(l.queue, l.buffer)
	l.buffer = nil
	if n := len(l.free); n > 0 {
		l.buffer, l.free = l.free[n-1], l.free[:n-1]
	}
	l.trim()
	l.goOn()
}

// trim drops the oldest of what waits and is too much.
func (l *dedicated) trim() {
	bound := l.set.keep
	if l.stream != nil && l.stream.out != nil {
		bound = max(bound, maxQueue)
	}
	if excess := len(l.queue) - l.writing - bound; excess > 0 {
		l.sendErrors += uint64(excess)
		l.queue = slices.Delete(l.queue, l.writing, l.writing+excess)
	}
}

// taken removes the first n datagrams of the queue.
func (l *dedicated) taken(n int) {
	for _, b := range l.queue[:n] {
		if len(l.free) < maxFree {
			l.free = append(l.free, b[:0])
		}
	}
	l.queue = slices.Delete(l.queue, 0, n)
}

const maxFree = 256

// Room reports whether the active link takes more without losing or waiting: for TCP,
// that the peer reads. Bulks wait until it does; Handler.Room tells when.
func (s *Set) Room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.room()
	s.hungry = !room
	return room
}

func (s *Set) room() bool {
	if s.closed {
		return false
	}
	l := s.links[s.active]
	if l.stream != nil {
		return l.state.running() && l.stream.out != nil && len(l.queue) < roomQueue
	}
	return l.state.running() && len(l.queue) == 0
}

// feed tells the handler that there is room, if it was told that there is none. mu must
// not be held.
func (s *Set) feed() {
	s.mu.Lock()
	tell := s.hungry && s.room()
	if tell {
		s.hungry = false
	}
	s.mu.Unlock()
	if tell {
		s.handler.Room()
	}
}

// Close sends what it can at once, and ends all. It waits for the calls of the Handler to return: the caller must not
// hold a lock that they take.
func (s *Set) Close() {
	s.Flush()
	for end := time.Now().Add(lastWords); time.Now().Before(end) && s.sending(); {
		time.Sleep(time.Millisecond)
	}
	s.shut()
	s.ending.Wait()
}

// lastWords is how long Close waits for a peer to take what waits.
const lastWords = 200 * time.Millisecond

// sending reports whether something waits for a peer that is connected.
func (s *Set) sending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[s.active]
	return !s.closed && l.stream != nil && l.stream.out != nil && len(l.queue) > 0
}

func (s *Set) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.cancel()
	if s.watch != nil {
		s.watch.Close()
	}
	for _, l := range s.links {
		if l.datagrams != nil {
			l.datagrams.close()
		}
		if l.timer != nil {
			l.timer.Stop()
		}
		if l.stream != nil {
			l.stream.close()
		}
	}
}

// Stats returns the counters of all links.
func (s *Set) Stats() []Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Stats, len(s.links))
	for i, l := range s.links {
		all[i] = Stats{
			Interface: l.config.Interface, Kind: l.config.Kind, Status: l.state.String(), Active: i == s.active,
			SentBytes: l.sentBytes, SentPackets: l.sentPackets, SendErrors: l.sendErrors,
			RecvBytes: l.recvBytes.Load(), RecvPackets: l.recvPackets.Load(), RecvErrors: l.recvErrors.Load(),
			Forged: l.forged.Load(), Replayed: l.replayed.Load(),
			ErrorQueue: len(l.queue),
		}
		if l.stream != nil {
			all[i].Server, all[i].Client = len(l.stream.in) > 0, l.stream.out != nil
		}
	}
	return all
}
