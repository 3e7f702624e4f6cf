// Package tablefile keeps a connection tracking table in a file. [File.Dial] is
// a [ctnetlink.Dialer]: its sockets answer requests as the kernel does, from
// the in-process table of package engine that the file holds. The file is a
// snapshot, whose layout is described in package snapshot.
//
// # Reading and changing
//
// A [File] is one user of the file, such as one run of a command. Reading takes
// no lock and writes nothing. The file is only ever replaced as a whole, so
// that a reader sees one state of the table. A dump is read from the file as a
// stream; other requests load the table. When the file was replaced, the next
// request uses the new one.
//
// The first request that changes the table takes an advisory lock on FILE.lock,
// and loads the table again if it was replaced. [File.Commit] writes the table
// and releases the lock. In between only this File sees the changes. A program
// must commit a change before it reports it as done. FILE.lock can be opened by
// those who may write the table, and by nobody else: to open it is to be able to
// hold the lock.
//
// # Writing
//
// Commit writes a temporary file, syncs it, renames it to FILE, and syncs the
// directory where the file system can (package atomicfile). At any moment, and
// after a crash at any moment, FILE is the old table or the new one, complete.
// Mode and owner are kept. A file that the user may not write is not replaced,
// although the directory would allow it. Symbolic links are followed, so that
// the file that they lead to is replaced; hard links are not kept. In a directory
// that all may write, links and files of other users are refused.
//
// # Time
//
// The clock of a table in a file runs or is stopped. It runs in a file that
// Commit has created: the timeouts count from the time in the header, while no
// process has the file open too. From one state of the file to the next that
// time advances by whole seconds only. Timeouts are stored in whole seconds; any
// other step would take the rest of a second from every entry with every commit.
//
// A dump of a table (`conntrack -L -o netlink`) has a stopped clock: whoever reads
// it, and whenever, it is as it was, until somebody changes it. A change leaves
// the time as it is. [Options].Now makes the clock run until now.
//
// # Events
//
// A socket that joins a multicast group follows the file: it creates a spool,
// FILE.events-N, and holds a lock on it while it is open. A commit appends the
// events of its changes to each spool that is locked, and removes the others;
// what does not begin as a spool does is left alone. The record holds the table's serial before and after the changes, and is
// written before the file is replaced. It is valid if the file, or a later
// record, has the serial after the changes: the record of a process that is
// killed in between never becomes valid. So every change in the file is
// received once, in order, and nothing else is.
//
// A record also holds the time when the next entry expires. The first follower
// to see that time pass removes the expired entries from the file, and so
// notifies all of them.
//
// A follower that does not read uses at most 256 MiB. Beyond that its events
// are dropped, and it receives ENOBUFS, as a socket does whose buffer is full.
// It also receives ENOBUFS if the serial has changed without a record: a commit
// could not write the spool, or another program has replaced the file. A
// follower empties a spool that is damaged.
package tablefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// Options configure the use of a file.
type Options struct {
	// Optional makes reading a file that does not exist read an empty table;
	// otherwise it is an error. A change creates the file in any case, and with
	// Optional also its directory.
	Optional bool
	// Now makes the clock of a table run until now that is stopped. A change
	// writes the table as of then, with its clock stopped.
	Now bool
	// Waiting, if not nil, is called after a second of waiting for another
	// process that changes the table, with the path of the lock file. It must
	// not use the File.
	Waiting func(lock string)
}

// File is a table in a file. It is safe for concurrent use.
type File struct {
	name string // as given to Open
	path string // absolute, without symbolic links
	o    Options

	mu    sync.Mutex
	clock clock
	table *engine.Table    // nil until a request needs it
	state state            // of the file when table was read or written
	first ctnetlink.Socket // the table's first socket, which has the process's port id, until it is used

	listed state        // of the file at the last dump from it
	ended  atomic.Int64 // number of entries in it that would have timed out

	lock    *flock.Flock // held from the first change to the commit
	changes int          // number of requests since then, without refused ones
	zeroing int          // number of running dumps that reset counters
	journal *journal     // nil without followers
}

// Error is an error about a table file.
type Error struct {
	Path string // as given to Open
	Err  error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause: a *snapshot.Error if the contents are damaged, else
// the system's error.
func (e *Error) Unwrap() error { return e.Err }

// wrap makes an [Error] of err.
func (f *File) wrap(err error) error {
	var wrapped *Error
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &wrapped):
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

// Open returns the table in the file at path, which must be closed. It only
// resolves symbolic links; the file is read by the first request.
func Open(path string, o Options) (*File, error) {
	resolved, err := atomicfile.Resolve(path)
	if err != nil {
		return nil, &Error{path, err}
	}
	return &File{name: path, path: resolved, o: o}, nil
}

// Dial opens a socket to the table. The method value f.Dial is a
// [ctnetlink.Dialer].
func (f *File) Dial() (ctnetlink.Socket, error) { return &socket{file: f}, nil }

// Close commits the changes, see [File.Commit]. Reading and further changes are
// possible after it.
func (f *File) Close() error { return f.Commit() }

// Path returns the absolute path of the file, without symbolic links.
func (f *File) Path() string { return f.path }

// Past describes a listing of a table whose clock is stopped.
type Past struct {
	// Time is when the clock was stopped; zero: it runs.
	Time time.Time
	// Ended is how many of the entries or expectations that were listed would
	// have timed out since.
	Ended int
}

// Past describes the last dump that was read from the file; it is the zero Past
// if there was none.
func (f *File) Past() Past {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.listed.stopped || f.o.Now {
		return Past{}
	}
	return Past{f.listed.time, int(f.ended.Load())}
}

// Zeroing reports whether a dump is running that resets the counters of what it
// lists ([ctnetlink.DumpRequest] with Zero). Until it ends, Commit writes the table but
// does not release the lock.
func (f *File) Zeroing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.zeroing > 0
}

// Changed reports whether there is something to commit.
func (f *File) Changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lock != nil && f.changes > 0
}
