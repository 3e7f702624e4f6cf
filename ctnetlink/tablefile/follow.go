package tablefile

import (
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
	// pollInterval is the time between two looks at the spool.
	pollInterval = 20 * time.Millisecond
	// trimSize is the size in bytes from which a spool that was read is
	// emptied.
	trimSize = 1 << 20
	// retryInterval is the time after which a removal of expired entries is
	// tried again that another process's lock, or an error, prevented.
	retryInterval = 200 * time.Millisecond
	// backoffFactor times the duration of such a removal is the least time
	// until the next, so that a large table is not written all the time.
	backoffFactor = 4
)

// follower receives the events of changes that are committed to the file.
type follower struct {
	file   *File // for the removal of expired entries
	lock   *flock.Flock
	spool  *os.File
	closed chan struct{}
	once   sync.Once

	mu          sync.Mutex
	groups      uint32
	offset      int64 // of the next record in the spool
	ready       []byte
	lost        uint64
	lossPending bool      // the next call reports a loss
	expiry      time.Time // of the next entry; zero: none has a timeout
	notBefore   time.Time // no removal of expired entries before this
}

// follow makes a spool and starts to follow the file.
func (f *File) follow() (*follower, error) {
	own := &File{name: f.name, path: f.path, o: f.o}
	own.o.Optional = true // the file may be created later
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
		return nil, f.wrap(err)
	}
	w := &follower{
		file:   &File{name: f.name, path: f.path, o: own.o},
		spool:  file,
		closed: make(chan struct{}),
		offset: int64(len(spoolMagic)),
	}
	_, err = file.WriteString(spoolMagic)
	if err == nil && own.state.info != nil {
		_ = atomicfile.KeepAccess(file, own.state.info) // on failure the owner cannot write events
	}
	if err == nil {
		w.lock = flock.New(name, flock.SetFlag(os.O_RDWR))
		err = w.lock.Lock()
	}
	if err != nil {
		file.Close()
		_ = os.Remove(name)
		return nil, f.wrap(err)
	}
	w.expiry = own.firstExpiry()
	return w, nil
}

// firstExpiry returns when the first entry of the table times out, the zero
// time if none does.
func (f *File) firstExpiry() (expiry time.Time) {
	f.clock.stop(f.state.time)
	defer f.clock.start()
	for msg := range f.table.All() {
		if t := timeout(msg); t != nil {
			if end := f.state.time.Add(time.Duration(be32(t)) * time.Second); expiry.IsZero() || end.Before(expiry) {
				expiry = end
			}
		}
	}
	return expiry
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

// poll returns events that have arrived; EAGAIN if there are none.
func (w *follower) poll(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		select {
		case <-w.closed:
			return 0, os.ErrClosed
		default:
		}
		if w.lossPending {
			w.lossPending = false
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

// take moves events of the joined groups from ready to b, as many as fit.
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
		// This was not written by a commit; the rest cannot be read.
		w.ready, w.lossPending = nil, true
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

// read reads the records of changes that are in the file by now, and reports
// whether there were any.
func (w *follower) read() (bool, error) {
	info, err := w.spool.Stat()
	if err != nil || info.Size() == w.offset {
		return false, err
	}
	// The file's serial is read before the records. If the last record leads to
	// that serial, its change is in the file.
	now, err := w.file.serial()
	if err != nil {
		return false, err
	}
	b := make([]byte, max(info.Size()-w.offset, 0))
	n, err := w.spool.ReadAt(b, w.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	b = b[:n] // another process may have truncated an incomplete record
	records, size := parseRecords(b), 0
	for i, r := range records {
		last := i == len(records)-1
		if last && r.after != now {
			break // this change is not in the file, or not yet
		}
		size += recordHeadLen + len(r.events)
		if !last && records[i+1].before != r.after {
			continue // the process was killed before it replaced the file
		}
		w.ready = append(w.ready, r.events...)
		w.expiry = r.expiry
		if r.lost > 0 {
			w.lost += uint64(r.lost)
			w.lossPending = true
		}
	}
	w.offset += int64(size)
	if w.offset > trimSize {
		w.trim()
	}
	return size > 0, nil
}

// trim empties the spool if all of it was read and no commit is running.
func (w *follower) trim() {
	lock, err := w.file.takeLock(false)
	if err != nil || lock == nil {
		return
	}
	defer lock.Unlock()
	if info, err := w.spool.Stat(); err != nil || info.Size() != w.offset {
		return
	}
	if w.spool.Truncate(int64(len(spoolMagic))) == nil {
		w.offset = int64(len(spoolMagic))
	}
}

// expire removes expired entries from the file if there are any. Another
// process may have removed them, in a record that was not read yet. If it
// cannot be done (the file is not writable, another process holds the lock) it
// is tried again later.
func (w *follower) expire() {
	now := time.Now()
	if w.expiry.IsZero() || now.Before(w.expiry) || now.Before(w.notBefore) {
		return
	}
	w.expiry = now.Add(retryInterval)
	f := &File{name: w.file.name, path: w.file.path, o: w.file.o}
	f.mu.Lock()
	begun, err := f.tryBegin()
	f.mu.Unlock()
	if begun && err == nil {
		_ = f.Commit()
	}
	w.notBefore = time.Now().Add(backoffFactor * time.Since(now))
}

// serial returns the serial of the file as it is now, 0 if there is no file.
func (f *File) serial() (uint64, error) {
	file, err := atomicfile.Open(f.path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, f.wrap(err)
	}
	defer file.Close()
	h, err := snapshot.ReadHeader(file)
	if err != nil {
		return 0, f.wrap(err)
	}
	return h.Serial, nil
}

// queued returns the size of the events that were not received yet, in bytes.
func (w *follower) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.spool.Stat()
	if err != nil {
		return 0
	}
	return len(w.ready) + int(max(info.Size()-w.offset, 0))
}

func (w *follower) lostEvents() uint64 {
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
		_ = os.Remove(name) // fails where a locked file cannot be removed
		_ = w.lock.Unlock()
		_ = os.Remove(name)
		// This is last, since a program may exit when its listener ends.
		close(w.closed)
	})
}
