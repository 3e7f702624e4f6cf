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
)

// state is what tells one content of the file from another: the header's serial,
// and what the system says of the file, for one that something else put there.
type state struct {
	known  bool
	info   fs.FileInfo // nil: there is no file
	serial uint64
	time   time.Time // from which timeouts count
}

// is tells whether the file is still the one that was read.
func (s *state) is(now *state) bool {
	if !s.known || (s.info == nil) != (now.info == nil) {
		return false
	}
	return s.info == nil || s.serial == now.serial && s.info.Size() == now.info.Size() &&
		s.info.ModTime().Equal(now.info.ModTime()) && os.SameFile(s.info, now.info)
}

// open opens the file and reads its header. The file is nil where there is none
// and that is no mistake.
func (f *File) open() (*os.File, state, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) && (f.o.Optional || f.lock != nil) {
		return nil, state{known: true}, nil
	}
	if err != nil {
		return nil, state{}, f.failed(err)
	}
	st, err := stateOf(file)
	if err != nil {
		file.Close()
		return nil, state{}, f.failed(err)
	}
	return file, st, nil
}

// stateOf reads the header of a file and goes back to its beginning.
func stateOf(file *os.File) (state, error) {
	info, err := file.Stat()
	if err != nil {
		return state{}, err
	}
	if !info.Mode().IsRegular() {
		return state{}, errors.New("not a regular file")
	}
	h, err := snapshot.ReadHeader(file)
	if err != nil {
		return state{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return state{}, err
	}
	return state{true, info, h.Serial, h.Time}, nil
}

// current makes f.table the file's. While the lock is held nobody else can have
// replaced it.
func (f *File) current() error {
	if f.lock != nil && f.table != nil {
		return nil
	}
	return f.refresh()
}

// refresh loads the table, unless the file is what it was.
func (f *File) refresh() error {
	file, now, err := f.open()
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
	}
	if f.table != nil && f.state.is(&now) {
		return nil
	}
	return f.load(file, now)
}

// load makes a table of the file, which is nil for an empty one.
func (f *File) load(file *os.File, now state) error {
	f.table = nil
	t := engine.New(engine.Options{Now: f.clock.now, Max: math.MaxInt32, AlwaysEvents: true,
		Seed: rand.Uint32()}) // another run's entries have other ids
	if at := time.Now(); now.info == nil || now.time.After(at) {
		now.time = at // a table that is new, or written by a clock ahead of ours
	}
	// It is put in as it was when the timeouts began to run. What has ended
	// since then ends below, with its events where somebody follows.
	f.clock.stop(now.time)
	defer f.clock.start()
	if file != nil {
		if err := restore(t, file); err != nil {
			return f.failed(err)
		}
	}
	first, err := t.Dial()
	if err == nil && f.journal != nil {
		err = f.journal.begin(t)
	}
	if err != nil {
		return f.failed(err)
	}
	f.clock.start()
	t.Expire()
	f.table, f.state, f.first = t, now, first
	return nil
}

// restore reads a snapshot into a table.
func restore(t *engine.Table, r io.Reader) error {
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
		if left := timeout(msg); left != nil && be32(left) == 0 {
			continue // it ended as it was written
		}
		if err := t.Restore(msg, 0); err != nil && !harmless(err) {
			return &snapshot.Error{Offset: at, Problem: "it cannot be loaded as an entry: " + err.Error()}
		}
	}
}

// harmless tells whether a table is whole without what Restore refused. A dump
// of a table that lives has an entry twice when it ended and began again
// meanwhile, and expectations whose connection came after its place had been
// passed.
func harmless(err error) bool {
	return errors.Is(err, ctnetlink.EEXIST) || errors.Is(err, ctnetlink.ENOENT)
}
