package tablefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// What stands beside the table.
const (
	lockSuffix = ".lock"
	tempSuffix = ".tmp"
)

const (
	// newMode is the mode of a file that did not exist: who talks to whom is
	// nobody else's business.
	newMode fs.FileMode = 0o600
	// lockMode is that of the lock, which is empty: whoever may write the table
	// must be able to take it, whoever made it.
	lockMode fs.FileMode = 0o644
)

// begin makes the table this run's alone, until the commit.
func (f *File) begin() error {
	if f.lock != nil {
		return nil
	}
	lock, err := f.takeLock(func(l *flock.Flock) (bool, error) { return true, l.Lock() })
	if err != nil {
		return f.failed(err)
	}
	return f.own(lock)
}

// tryBegin is begin that does not wait for another run.
func (f *File) tryBegin() (bool, error) {
	if f.lock != nil {
		return true, nil
	}
	lock, err := f.takeLock((*flock.Flock).TryLock)
	if err != nil || lock == nil {
		return false, err
	}
	return true, f.own(lock)
}

// takeLock takes the lock, once it is known that the file may be replaced.
func (f *File) takeLock(take func(*flock.Flock) (bool, error)) (*flock.Flock, error) {
	switch file, err := os.OpenFile(f.path, os.O_WRONLY, 0); {
	case err == nil:
		file.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case f.o.Optional:
		if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
			return nil, err
		}
	}
	lock := flock.New(f.path+lockSuffix, flock.SetPermissions(lockMode))
	if ok, err := take(lock); !ok || err != nil {
		return nil, err
	}
	return lock, nil
}

// own goes on with the lock taken.
func (f *File) own(lock *flock.Flock) error {
	f.lock, f.changes = lock, 0
	var err error
	if f.journal, err = f.openJournal(); err == nil {
		if f.journal != nil {
			f.table = nil // to be loaded with what ended in it
		}
		err = f.refresh()
	}
	if err != nil {
		f.release()
	}
	return err
}

// release gives the table to others.
func (f *File) release() {
	if f.journal != nil {
		f.journal.close()
		f.journal = nil
	}
	_ = f.lock.Unlock() // closing the file, which comes with it, frees it
	f.lock = nil
}

// Commit writes what was changed and lets other runs have the table. When it
// fails the file is what it was, and the changes are lost.
func (f *File) Commit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	err := f.commit()
	if err != nil {
		f.table = nil
		err = f.failed(err)
	}
	if f.zeroing == 0 || err != nil {
		f.release()
	}
	return err
}

func (f *File) commit() error {
	f.table.Expire()
	if err := f.journal.note(); err != nil {
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

// write replaces the file.
func (f *File) write() (next state, err error) {
	now := time.Now()
	next.known = true
	next.time = step(f.state.time, now)
	next.serial = max(f.state.serial+1, uint64(now.UnixNano()))
	file, err := atomicfile.Create(f.path, atomicfile.Options{Temp: tempSuffix})
	if err != nil {
		return next, err
	}
	defer file.Discard()
	ends, err := f.writeTable(file, &next)
	if err == nil {
		err = file.Finish()
	}
	if err != nil {
		return next, err
	}
	next.info = file.Info()
	if err := f.journal.publish(f.state.serial, next.serial, ends); err != nil {
		return next, err
	}
	return next, file.Commit()
}

// writeTable writes the snapshot and returns when the first entry times out, the
// zero time if none does.
func (f *File) writeTable(file io.Writer, next *state) (ends time.Time, err error) {
	const block = 1 << 20
	f.clock.stop(next.time)
	defer f.clock.start()
	var w snapshot.Writer
	b := make([]byte, 0, block+1<<16)
	b = w.AppendHeader(b, snapshot.Header{Time: next.time, Serial: next.serial})
	first := ^uint32(0)
	for msg := range f.table.All() {
		b = w.Append(b, msg)
		if t := timeout(msg); t != nil {
			first = min(first, be32(t))
		}
		if len(b) >= block {
			if _, err := file.Write(b); err != nil {
				return ends, err
			}
			b = b[:0]
		}
	}
	if first != ^uint32(0) {
		ends = next.time.Add(time.Duration(first) * time.Second)
	}
	_, err = file.Write(w.AppendEnd(b))
	return ends, err
}
