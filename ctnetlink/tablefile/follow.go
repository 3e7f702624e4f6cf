package tablefile

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
	"github.com/gonntrack/gonntrack/internal/wire"
)

const (
	// pollInterval is how soon a follower sees what happened.
	pollInterval = 20 * time.Millisecond
	// trimSize is how much a spool may hold before what was read is cut off.
	trimSize = 1 << 20
	// retryInterval is when an ending that another run's lock, or an error, kept
	// from being noted is tried again.
	retryInterval = 200 * time.Millisecond
	// restFactor is how much longer than such a run took the next one is put
	// off, so that a large table is not written all the time.
	restFactor = 4
)

// follower receives the events of other runs.
type follower struct {
	file   *File // a run of its own, for what times out
	lock   *flock.Flock
	spool  *os.File
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	groups uint32
	at     int64 // where in the spool to read on
	ready  []byte
	lost   uint64
	loss   bool      // is to be told
	ends   time.Time // when the next entry times out; zero: none does
	rest   time.Time // not before that is it noted
}

// follow begins to follow a table.
func (f *File) follow() (*follower, error) {
	own := &File{name: f.name, path: f.path, o: f.o}
	own.o.Optional = true // what does not exist is followed into being
	if err := own.begin(); err != nil {
		return nil, err
	}
	defer own.release()
	name := f.path + spoolSuffix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(uint64(rand.Uint32()), 36)
	mode := newMode
	if own.state.info != nil {
		mode = own.state.info.Mode().Perm()
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, f.failed(err)
	}
	w := &follower{file: &File{name: f.name, path: f.path, o: own.o}, spool: file, closed: make(chan struct{}), at: int64(len(spoolMagic))}
	_, err = file.WriteString(spoolMagic)
	if err == nil && own.state.info != nil {
		_ = atomicfile.KeepAccess(file, own.state.info) // else its owner cannot tell us
	}
	if err == nil {
		w.lock = flock.New(name, flock.SetFlag(os.O_RDWR))
		err = w.lock.Lock()
	}
	if err != nil {
		file.Close()
		_ = os.Remove(name)
		return nil, f.failed(err)
	}
	w.ends = own.firstEnd()
	return w, nil
}

// firstEnd returns when the first entry of the table times out.
func (f *File) firstEnd() (ends time.Time) {
	f.clock.stop(f.state.time)
	defer f.clock.start()
	for msg := range f.table.All() {
		if t := timeout(msg); t != nil {
			if end := f.state.time.Add(time.Duration(be32(t)) * time.Second); ends.IsZero() || end.Before(ends) {
				ends = end
			}
		}
	}
	return ends
}

func (w *follower) join(g ctnetlink.Group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups |= 1 << g
}

// receive waits for events.
func (w *follower) receive(b []byte) (int, error) {
	wait := time.NewTicker(pollInterval)
	defer wait.Stop()
	for {
		n, err := w.poll(b)
		if !errors.Is(err, ctnetlink.EAGAIN) {
			return n, err
		}
		select {
		case <-w.closed:
			return 0, os.ErrClosed
		case <-wait.C:
		}
	}
}

// poll returns events that have happened; EAGAIN when there are none.
func (w *follower) poll(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		select {
		case <-w.closed:
			return 0, os.ErrClosed
		default:
		}
		if w.loss {
			w.loss = false
			return 0, ctnetlink.ENOBUFS
		}
		if n := w.take(b); n > 0 {
			return n, nil
		}
		more, err := w.read()
		if err != nil {
			return 0, err
		}
		if more {
			continue
		}
		w.expire()
		return 0, ctnetlink.EAGAIN
	}
}

// take moves events that were asked for from ready to b, as many as fit.
func (w *follower) take(b []byte) (n int) {
	m := wire.Messages{B: w.ready}
	for m.Next() {
		padded := w.ready[:len(w.ready)-len(m.B)]
		if w.groups>>groupOf(m.Msg)&1 != 0 {
			if n+len(padded) > len(b) {
				return n
			}
			n += copy(b[n:], padded)
		}
		w.ready = m.B
	}
	if m.Malformed {
		// Not an event that a run of ours wrote: the rest cannot be read.
		w.ready, w.loss = nil, true
	}
	return n
}

// groupOf returns the multicast group of an event.
func groupOf(m wire.Message) ctnetlink.Group {
	const create = wire.FlagCreate | wire.FlagExcl
	g := ctnetlink.GroupUpdate
	switch {
	case m.Type()&0xff == wire.MsgDelete:
		g = ctnetlink.GroupDestroy
	case m.Flags()&create != 0:
		g = ctnetlink.GroupNew
	}
	if m.Type()>>8 == wire.SubsysExpect {
		g += ctnetlink.GroupExpectNew - ctnetlink.GroupNew
	}
	return g
}

// record is one of the spool's.
type record struct {
	lost          uint32
	before, after uint64
	ends          int64
	events        []byte
}

// read takes in the records that count by now, and tells whether there were any.
func (w *follower) read() (bool, error) {
	info, err := w.spool.Stat()
	if err != nil || info.Size() == w.at {
		return false, err
	}
	// The table's state is looked at before the records are read: a record of
	// that state, if the last, is then the one that led to it.
	now, err := w.file.serial()
	if err != nil {
		return false, err
	}
	b := make([]byte, max(info.Size()-w.at, 0))
	n, err := w.spool.ReadAt(b, w.at)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	b = b[:n] // a piece that a killed run had left may have been cut off by the next
	var records []record
	size := 0
	for rest := b; len(rest) >= recordHeadLen; {
		n := binary.NativeEndian.Uint32(rest)
		if n < recordHeadLen || uint64(n) > uint64(len(rest)) {
			break
		}
		records = append(records, record{
			lost:   binary.NativeEndian.Uint32(rest[4:]),
			before: binary.NativeEndian.Uint64(rest[8:]),
			after:  binary.NativeEndian.Uint64(rest[16:]),
			ends:   int64(binary.NativeEndian.Uint64(rest[24:])),
			events: rest[recordHeadLen:n],
		})
		rest = rest[n:]
	}
	for i, r := range records {
		last := i == len(records)-1
		if last && r.after != now {
			break // not in the file, or not yet
		}
		size += recordHeadLen + len(r.events)
		if !last && records[i+1].before != r.after {
			continue // its run was killed before it replaced the file
		}
		w.ready = append(w.ready, r.events...)
		w.ends = time.Time{}
		if r.ends != 0 {
			w.ends = time.Unix(0, r.ends)
		}
		if r.lost > 0 {
			w.lost += uint64(r.lost)
			w.loss = true
		}
	}
	w.at += int64(size)
	if w.at > trimSize {
		w.trim()
	}
	return size > 0, nil
}

// trim empties the spool, if all of it was read and nobody is about to write.
func (w *follower) trim() {
	lock, err := w.file.takeLock((*flock.Flock).TryLock)
	if err != nil || lock == nil {
		return
	}
	defer lock.Unlock()
	if info, err := w.spool.Stat(); err != nil || info.Size() != w.at {
		return
	}
	if w.spool.Truncate(int64(len(spoolMagic))) == nil {
		w.at = int64(len(spoolMagic))
	}
}

// expire makes a run that removes what has ended, when something has. It may be
// that another run did so before, and its record is still to be read. That it
// cannot be done (the file may not be written, another run has it) is no end of
// the following: it is tried again.
func (w *follower) expire() {
	now := time.Now()
	if w.ends.IsZero() || now.Before(w.ends) || now.Before(w.rest) {
		return
	}
	w.ends = now.Add(retryInterval)
	f := &File{name: w.file.name, path: w.file.path, o: w.file.o}
	f.mu.Lock()
	begun, err := f.tryBegin()
	f.mu.Unlock()
	if begun && err == nil {
		_ = f.Commit()
	}
	w.rest = time.Now().Add(restFactor * time.Since(now))
}

// serial returns that of the file as it is now, 0 where there is none.
func (f *File) serial() (uint64, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, f.failed(err)
	}
	defer file.Close()
	h, err := snapshot.ReadHeader(file)
	if err != nil {
		return 0, f.failed(err)
	}
	return h.Serial, nil
}

// queued returns how many bytes of events wait.
func (w *follower) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.spool.Stat()
	if err != nil {
		return 0
	}
	return len(w.ready) + int(max(info.Size()-w.at, 0))
}

func (w *follower) lostSoFar() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

func (w *follower) close() {
	w.once.Do(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		name := w.spool.Name()
		w.spool.Close()
		_ = os.Remove(name) // in vain where what is locked cannot be removed
		_ = w.lock.Unlock()
		_ = os.Remove(name)
		// Last, for a program ends when its listener has.
		close(w.closed)
	})
}
