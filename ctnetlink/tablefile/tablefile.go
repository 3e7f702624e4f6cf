// Package tablefile keeps a connection tracking table in a file: a
// ctnetlink.Dialer whose sockets answer as the kernel's do, from the in-process
// table (ctnetlink/engine) that the file holds. The file is a snapshot, whose
// layout is described in package snapshot.
//
// # Runs
//
// A [File] is one run of a program. Reading takes no lock and never writes: the
// file is replaced as a whole, so whoever has opened it reads one state of the
// table. A dump is read from the file itself as a stream; everything else loads
// the table. When another run has replaced the file, the next request sees the
// new one.
//
// The first request that changes something takes the lock, an advisory one on
// FILE.lock, and loads the table anew if it was replaced; [File.Commit] writes
// the table and gives the lock back. Between the two all is this run's alone, and
// nothing is in the file. So what a program tells its user as done, it must have
// committed before.
//
// # Writing
//
// Commit writes FILE.tmp, syncs it, renames it to FILE and syncs the directory (where the file system can):
// at any moment, and after a crash at any moment, FILE is the old table or the
// new one, whole. Mode and owner stay. A file that this user may not write is
// not replaced, though the directory would allow it. Symbolic links are followed
// first, so that the file they lead to is the one replaced; hard links are not
// kept.
//
// # Time
//
// The table lives on while nobody looks at it: what remained of each timeout
// counts from the header's time. That time moves by whole seconds only from one
// state to the next. A timeout is sent in whole seconds, so any other step would
// take the rest of a second from every entry with every change made.
//
// # Events
//
// A socket that joins a multicast group follows the file: it makes a spool,
// FILE.events-N, and holds a lock on it as long as it lives. A run that commits
// appends the events of its changes to each spool whose lock is held, and removes
// the others. The record says from which state of the table (its serial) to which
// the events lead, and it is written before the file is replaced: it counts when
// the file, or a later record, has that state. A run that was killed between the
// two leaves a record that never counts. So each change that is in the file is
// seen once, in order, and nothing else is. The record also tells when the next
// entry times out. Then the first follower to notice makes a run of its own, which
// removes what has ended and so tells all of them.
//
// A follower that does not read (it is stopped, say) costs at most maxSpool
// bytes: after that it is told that events were lost, as a socket is whose buffer
// is full.
package tablefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// Options say how a file is used.
type Options struct {
	// Optional: a file that does not exist is an empty table to those who read
	// it too, not an error. Changing one that does not exist makes it, in any
	// case, with its directory if that is missing.
	Optional bool
}

// File is a table in a file, as one run uses it. It is safe for concurrent use.
type File struct {
	name string // as it was given
	path string // with symbolic links resolved
	o    Options

	mu    sync.Mutex
	clock clock
	table *engine.Table    // nil until a request needs it
	state state            // of the file, as table was read from it or written to it
	first ctnetlink.Socket // table's first, until it is asked for: its port id is the process's

	lock    *flock.Flock // held from the first change to the commit
	changes int          // requests sent since, less those that were refused
	zeroing int          // dumps under way that change what they list
	journal *journal     // nil where nobody follows
}

// Error is what went wrong with a table's file.
type Error struct {
	Path string // as it was given to Open
	Err  error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause: a *snapshot.Error where the file's contents
// are not right, else the system's.
func (e *Error) Unwrap() error { return e.Err }

func (f *File) failed(err error) error {
	var told *Error
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &told):
		return err
	case errors.As(err, &path) && (path.Path == f.path || errors.Is(err, fs.ErrNotExist)):
		err = path.Err
	case errors.As(err, &path):
		err = fmt.Errorf("%s %s: %w", path.Op, filepath.Base(path.Path), path.Err)
	case errors.As(err, &link):
		err = fmt.Errorf("cannot replace it: %w", link.Err)
	}
	return &Error{f.name, err}
}

// Open returns the table in the file at path. Nothing is read yet: errors come
// from the first request. The file must be closed.
func Open(path string, o Options) (*File, error) {
	resolved, err := atomicfile.Resolve(path)
	if err != nil {
		return nil, &Error{path, err}
	}
	return &File{name: path, path: resolved, o: o}, nil
}

// Dial opens a socket to the table: File.Dial is a ctnetlink.Dialer.
func (f *File) Dial() (ctnetlink.Socket, error) { return &socket{file: f}, nil }

// Close commits what was changed, and gives the lock back.
func (f *File) Close() error { return f.Commit() }

// Path returns the file's path: absolute, and with symbolic links followed.
func (f *File) Path() string { return f.path }

// Zeroing tells whether a dump is under way that sets to zero what it lists
// (ctnetlink.TableZeroing). Until it ends Commit writes the table, but keeps the
// lock.
func (f *File) Zeroing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.zeroing > 0
}

// Changed tells whether there is something to commit.
func (f *File) Changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lock != nil && f.changes > 0
}
