package tablefile

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// state identifies the contents of the file: the header's serial, and what the
// system knows of the file, in case something else replaced it.
type state struct {
	known  bool
	info   fs.FileInfo // nil: there is no file
	serial uint64
	time   time.Time // since when timeouts count
	// stopped reports whether the table's clock is stopped at that time.
	stopped bool
}

// same reports whether the file is still the one that was read.
func (s *state) same(now *state) bool {
	if !s.known || (s.info == nil) != (now.info == nil) {
		return false
	}
	return s.info == nil || s.serial == now.serial && sameVersion(s.info, now.info)
}

// sameVersion reports whether a file is the other one and was not written in
// between, as far as the system knows.
func sameVersion(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// open opens the file and reads its header. The file is nil if there is none
// and that is no error.
func (f *File) open() (*os.File, state, error) {
	file, err := atomicfile.Open(f.path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) && (f.o.Optional || f.lock != nil) {
		return nil, state{known: true}, nil
	}
	if err != nil {
		return nil, state{}, f.wrap(err)
	}
	st, err := stateOf(file)
	if err != nil {
		file.Close()
		return nil, state{}, f.wrap(err)
	}
	return file, st, nil
}

// stateOf reads the header of a file and seeks back to the start.
func stateOf(file *os.File) (state, error) {
	info, err := file.Stat()
	if err != nil {
		return state{}, err
	}
	h, err := snapshot.ReadHeader(file)
	if err != nil {
		return state{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return state{}, err
	}
	return state{true, info, h.Serial, h.Time, h.Stopped}, nil
}

// current makes f.table the table that is in the file. Nobody else can have
// replaced the file while the lock is held.
func (f *File) current() error {
	if f.lock != nil && f.table != nil {
		return nil
	}
	return f.refresh()
}

// refresh loads the table unless the file is unchanged.
func (f *File) refresh() error {
	file, now, err := f.open()
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
	}
	if f.table != nil && f.state.same(&now) {
		return nil
	}
	return f.load(file, now)
}

// load loads the table from the file; nil is an empty table.
func (f *File) load(file *os.File, now state) error {
	f.table = nil
	t := engine.New(engine.Options{Now: f.clock.now, Max: math.MaxInt32, AlwaysEvents: true,
		Seed: rand.Uint32()}) // differs from other processes', and so do the ids of new entries
	stopped := f.setClock(&now)
	if at := time.Now(); now.info == nil || !stopped && now.time.After(at) {
		now.time = at // the table is new, or its writer's clock is ahead of ours
	}
	// Entries are restored as they were at that time. Those that have expired
	// since are removed below, with events if there are followers.
	f.clock.hold(now.time)
	defer f.clock.release()
	if file != nil {
		if err := restore(t, file, stopped); err != nil {
			return f.wrap(err)
		}
	}
	first, err := t.Dial()
	if err == nil && f.journal != nil {
		err = f.journal.listen(t)
	}
	if err != nil {
		return f.wrap(err)
	}
	f.clock.release()
	t.Expire()
	f.table, f.state, f.first = t, now, first
	return nil
}

// moment is how much longer the entries of a table with a stopped clock last than
// their timeouts in the file: the least time that the engine measures. Without
// it, those with less than a second left, whose timeout is 0, would have ended.
const moment = 4 * time.Millisecond

// restore reads a snapshot into a table. With stopped it restores also what has
// less than a second left.
func restore(t *engine.Table, r io.Reader, stopped bool) error {
	var age time.Duration
	if stopped {
		age = -moment
	}
	s, err := snapshot.NewReader(r)
	if err != nil {
		return err
	}
	for {
		at := s.Offset()
		msg, err := s.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if left := timeout(msg); !stopped && left != nil && be32(left) == 0 {
			continue // it expired when it was written
		}
		if err := t.Restore(msg, age); err != nil && !harmless(err) {
			return &snapshot.Error{Offset: at, Problem: "it cannot be loaded as an entry: " + err.Error()}
		}
	}
}

// harmless reports whether the table is complete without what Restore refused.
// A dump of the kernel's table has an entry twice if it ended and was created
// again during the dump. It has an expectation without its master if the master
// was created behind the place that the dump had reached.
func harmless(err error) bool {
	return errors.Is(err, ctnetlink.EEXIST) || errors.Is(err, ctnetlink.ENOENT)
}
