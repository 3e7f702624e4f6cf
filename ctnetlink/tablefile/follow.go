package tablefile

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
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
	seen        state  // the file when its serial was read last
	at          uint64 // serial of the table after the events that were received
	offset      int64  // of the next record in the spool
	ready       []byte // events of a record, those that were not received yet
	lost        uint64
	lossPending bool      // the next call reports a loss
	expiry      time.Time // of the next entry; zero: none has a timeout
	notBefore   time.Time // no removal of expired entries before this
}

// follow makes a spool and starts to follow the file. The lock is held meanwhile, so
// that every change is either in the file that is read or in the spool.
func (f *File) follow() (*follower, error) {
	own := &File{name: f.name, path: f.path, o: f.o}
	var err error
	if own.lock, err = own.takeLock(true); err != nil {
		return nil, f.wrap(err)
	}
	defer own.release()
	if own.journal, err = own.openJournal(); err != nil { // which removes old spools
		return nil, f.wrap(err)
	}
	expiry, err := own.readExpiry()
	if err != nil {
		return nil, err
	}
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
		file:   &File{name: f.name, path: f.path, o: f.o},
		spool:  file,
		closed: make(chan struct{}),
		seen:   own.state,
		at:     own.state.serial,
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
	w.expiry = expiry
	return w, nil
}

// readExpiry reads the file, without loading the table, and returns when the first of the
// entries times out that have not yet; the zero time if none does.
func (f *File) readExpiry() (expiry time.Time, err error) {
	file, now, err := f.open()
	if err != nil {
		return expiry, err
	}
	f.state = now
	if file == nil {
		return expiry, nil
	}
	defer file.Close()
	present := time.Now()
	if now.time.After(present) {
		now.time = present // its writer's clock is ahead of ours
	}
	r, err := snapshot.NewReader(file)
	for err == nil {
		var msg []byte
		if msg, err = r.Next(); err != nil || now.stopped {
			continue
		}
		if t := timeout(msg); t != nil {
			end := now.time.Add(time.Duration(be32(t)) * time.Second)
			if end.After(present) && (expiry.IsZero() || end.Before(expiry)) {
				expiry = end
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		return expiry, f.wrap(err)
	}
	return expiry, nil
}

// firstExpiry returns when the first entry of the table times out, the zero
// time if none does.
func (f *File) firstExpiry() (expiry time.Time) {
	if f.state.stopped {
		return expiry
	}
	f.clock.hold(f.state.time)
	defer f.clock.release()
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
		if n, err := w.take(b); n > 0 || err != nil {
			return n, err
		}
		more, err := w.read()
		if err != nil {
			return 0, err
		}
		if w.offset > trimSize {
			w.trim()
		}
		if more {
			continue
		}
		w.expire()
		return 0, ctnetlink.EAGAIN
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
	if begun && err == nil && f.Commit() == nil {
		// Records that were not read yet may change this.
		w.expiry = f.firstExpiry()
	}
	w.notBefore = time.Now().Add(backoffFactor * time.Since(now))
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
