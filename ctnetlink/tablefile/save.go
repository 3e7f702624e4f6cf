package tablefile

import (
	"io"
	"io/fs"
	"math"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// newMode is the mode of spools and locks before there is a table file. Tables
// are private: they tell who communicates with whom.
const newMode fs.FileMode = 0o600

// begin locks the table until the commit, and loads it.
func (f *File) begin() error {
	if f.lock != nil {
		return nil
	}
	lock, err := f.takeLock(true)
	if err != nil {
		return f.wrap(err)
	}
	return f.beginLocked(lock)
}

// tryBegin is begin if no other process holds the lock; else it returns false.
func (f *File) tryBegin() (bool, error) {
	if f.lock != nil {
		return true, nil
	}
	lock, err := f.takeLock(false)
	if err != nil || lock == nil {
		return false, err
	}
	return true, f.beginLocked(lock)
}

// beginLocked is begin after the lock was taken.
func (f *File) beginLocked(lock *flock.Flock) error {
	f.lock, f.changes = lock, 0
	var err error
	if f.journal, err = f.openJournal(); err == nil {
		if f.journal != nil {
			f.table = nil // load it again: what has expired has events
		}
		err = f.refresh()
	}
	if err != nil {
		f.release()
	}
	return err
}

// release releases the lock.
func (f *File) release() {
	if f.journal != nil {
		f.journal.close()
		f.journal = nil
	}
	_ = f.lock.Unlock() // it closes the file, which releases the lock in any case
	f.lock = nil
}

// Commit writes the changes to the file and releases the lock. If it fails the
// file is unchanged and the changes are lost.
func (f *File) Commit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	err := f.commit()
	if err != nil {
		f.table = nil
		err = f.wrap(err)
	}
	if f.zeroing == 0 || err != nil {
		f.release()
	}
	return err
}

func (f *File) commit() error {
	f.table.Expire()
	if err := f.journal.collect(); err != nil {
		return err
	}
	if f.changes == 0 && f.journal.empty() {
		return nil
	}
	next, err := f.write()
	if err != nil {
		return err
	}
	f.state, f.changes = next, 0
	return nil
}

// write replaces the file and returns its new state.
func (f *File) write() (next state, err error) {
	now := time.Now()
	next.known = true
	next.stopped = f.state.stopped
	next.time = f.state.time
	if !next.stopped || f.o.Now {
		next.time = step(f.state.time, now)
	}
	next.serial = max(f.state.serial+1, uint64(now.UnixNano())) & math.MaxInt64
	file, err := atomicfile.Create(f.path, atomicfile.Options{})
	if err != nil {
		return next, err
	}
	defer file.Discard()
	expiry, err := f.writeTable(file, &next)
	if err == nil {
		err = file.Finish()
	}
	if err != nil {
		return next, err
	}
	next.info = file.Info()
	f.journal.publish(f.state.serial, next.serial, expiry)
	return next, file.Commit()
}

// writeTable writes the snapshot and returns when the first entry times out,
// the zero time if none does.
func (f *File) writeTable(file io.Writer, next *state) (expiry time.Time, err error) {
	const block = 1 << 20
	f.clock.hold(next.time)
	defer f.clock.release()
	var w snapshot.Writer
	b := make([]byte, 0, block+1<<16)
	b = w.AppendHeader(b, snapshot.Header{Time: next.time, Serial: next.serial, Stopped: next.stopped})
	first := ^uint32(0)
	for msg := range f.table.All() {
		b = w.Append(b, msg)
		if t := timeout(msg); t != nil {
			first = min(first, be32(t))
		}
		if len(b) >= block {
			if _, err := file.Write(b); err != nil {
				return expiry, err
			}
			b = b[:0]
		}
	}
	if first != ^uint32(0) && !next.stopped {
		expiry = next.time.Add(time.Duration(first) * time.Second)
	}
	_, err = file.Write(w.AppendEnd(b))
	return expiry, err
}
