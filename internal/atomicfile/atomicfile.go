// Package atomicfile replaces files as a whole: at any moment, and after a crash
// at any moment, a file has its old contents or its new ones.
//
// The contents are written to a temporary file in the same directory, synced,
// and renamed; then the directory is synced, where the file system can. On Linux
// the temporary file has no name until it is complete, so that a process that is
// killed leaves nothing; elsewhere, and on file systems that cannot do that, its
// name is .NAME.conntrack-tmp-NUMBER, it is locked while it is written, and the
// next replacement of the same file removes it.
//
// The new file has the owner and the mode of the one that it replaces. A file
// that the user may not write is refused, although the directory would allow the
// rename. Symbolic links are followed, so that the file that they lead to is
// replaced; hard links are not kept. In a directory that all may write (sticky,
// as /tmp is) neither the link nor the file of another user is trusted, see
// [Resolve]. A device or a pipe is opened and written directly.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// newMode is the mode of a file that did not exist.
const newMode fs.FileMode = 0o600

// Options say how a file is written.
type Options struct {
	// ExitOnSignal makes an interrupt, SIGTERM or SIGHUP, unless it is ignored,
	// remove the temporary file and end the process with status 128 plus the
	// signal's number.
	ExitOnSignal bool

	named bool // for tests: the temporary file has a name from the beginning
}

// File is a file being written. Commit or Discard must be called. Several may
// be written in place of the same file at the same time; the last one that
// commits wins.
type File struct {
	file    *os.File
	path    string      // of the file to replace; empty where file is that file
	old     fs.FileInfo // of the file to replace; nil if there is none
	info    fs.FileInfo // of the finished file
	signals chan os.Signal
	closed  bool
	done    bool

	mu   sync.Mutex // guards temp, which a signal removes
	temp string     // name of the temporary file; empty: it has none
}

// Create begins to write the file at path. A file that does not exist will have
// mode 0600. Errors are the system's, or wrap [ErrForeign].
func Create(path string, o Options) (*File, error) {
	path, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	// Whether the file may be replaced is whether it may be written.
	file, old, err := openAny(path, os.O_WRONLY)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return nil, err
	case !old.Mode().IsRegular():
		return &File{file: file}, nil
	default:
		file.Close()
		if foreign(filepath.Dir(path), old) {
			return nil, fmt.Errorf("the file %w", ErrForeign)
		}
	}
	f := &File{path: path, old: old}
	if f.file, f.temp, err = createTemp(path, o.named); err != nil {
		return nil, err
	}
	if o.ExitOnSignal {
		f.exitOnSignal()
	}
	if old != nil {
		if err := keepOwner(f.file, old); err != nil {
			f.Discard()
			return nil, err
		}
	}
	return f, nil
}

// createTemp creates the temporary file for path. The name is empty if it has
// none.
func createTemp(path string, named bool) (file *os.File, name string, err error) {
	removeAbandoned(path)
	if !named {
		if file := createNameless(filepath.Dir(path)); file != nil {
			return file, "", nil
		}
	}
	for range 100 {
		name = tempName(path)
		file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, newMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		if lockTemp(file, name) {
			return file, name, nil
		}
		file.Close() // another process took it for an abandoned one
	}
	return nil, "", fmt.Errorf("no name for a temporary file: %w", fs.ErrExist)
}

// tempPrefix returns what the names of the temporary files for path begin with.
func tempPrefix(path string) string {
	const room = 200 // of the 255 bytes of a name
	name := filepath.Base(path)
	return "." + name[:min(len(name), room)] + ".conntrack-tmp-"
}

func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), tempPrefix(path)+strconv.FormatUint(uint64(rand.Uint32()), 10))
}

// isTemp reports whether a name is one that tempName makes with that prefix.
func isTemp(name, prefix string) bool {
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return false
	}
	_, err := strconv.ParseUint(name[len(prefix):], 10, 32)
	return err == nil
}

// removeAbandoned removes temporary files for path that processes have left
// which were killed.
func removeAbandoned(path string) {
	dir := filepath.Dir(path)
	entries, _ := os.ReadDir(dir) // a directory that cannot be read: nothing is removed
	prefix := tempPrefix(path)
	for _, e := range entries {
		if isTemp(e.Name(), prefix) && e.Type().IsRegular() {
			removeUnlocked(filepath.Join(dir, e.Name()))
		}
	}
}

// Write appends to the file.
func (f *File) Write(b []byte) (int, error) { return f.file.Write(b) }

// Finish completes the contents: they are on the disk, but do not have the
// file's name. Commit calls it if it was not called before.
func (f *File) Finish() error {
	switch {
	case f.closed || f.info != nil:
		return nil
	case f.path == "":
		f.closed = true
		return f.file.Close()
	}
	if f.old != nil {
		// Last, since a change of the owner and a write clear mode bits.
		if err := keepMode(f.file, f.old); err != nil {
			return err
		}
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	info, err := f.file.Stat()
	if err == nil && !renamesOpen {
		f.closed = true
		err = f.file.Close()
	}
	f.info = info
	return err
}

// Info describes the finished file as the system knows it after Commit too; it
// is nil before Finish.
func (f *File) Info() fs.FileInfo { return f.info }

// Commit gives the file its name. If it fails before that, the temporary file is
// removed and the old file is as it was; if only the directory cannot be synced,
// the file was replaced.
func (f *File) Commit() error {
	defer f.Discard()
	if err := f.Finish(); err != nil || f.path == "" {
		return err
	}
	if err := f.rename(); err != nil {
		return err
	}
	f.Discard() // closes it: the next takes a descriptor
	return syncDir(filepath.Dir(f.path))
}

func (f *File) rename() error {
	f.mu.Lock() // a signal waits
	defer f.mu.Unlock()
	if f.temp == "" && f.old == nil && link(f.file, f.path) == nil {
		return nil // there is still nothing to replace
	}
	for tries := 0; f.temp == ""; tries++ {
		name := tempName(f.path)
		switch err := link(f.file, name); {
		case err == nil:
			f.temp = name
		case !errors.Is(err, fs.ErrExist) || tries == 100:
			return err
		}
	}
	if err := replace(f.temp, f.path); err != nil {
		return err
	}
	f.temp = ""
	return nil
}

// Discard removes what was written. After Commit it does nothing.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	if !f.closed {
		f.closed = true
		_ = f.file.Close()
	}
	f.removeTemp()
	f.releaseSignals()
}

func (f *File) removeTemp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.temp != "" {
		_ = os.Remove(f.temp)
		f.temp = ""
	}
}

func (f *File) exitOnSignal() {
	signals := make(chan os.Signal, 1)
	f.signals = signals
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as under nohup(1)
			signal.Notify(signals, s)
		}
	}
	go func() {
		if s, ok := <-signals; ok {
			f.removeTemp()
			n, _ := s.(syscall.Signal)
			os.Exit(128 + int(n))
		}
	}()
}

func (f *File) releaseSignals() {
	if f.signals != nil {
		signal.Stop(f.signals)
		close(f.signals)
		f.signals = nil
	}
}

// KeepAccess gives a file the owner, group and mode of another, as far as the
// system has them. Where it fails, the file is not to take the other's place.
func KeepAccess(file *os.File, old fs.FileInfo) error {
	if err := keepOwner(file, old); err != nil {
		return err
	}
	return keepMode(file, old)
}

// KeepOwner gives a file the owner and the group of another, or the group alone
// where the user may not give files away. It reports whether the group is that
// of the other.
func KeepOwner(file *os.File, old fs.FileInfo) bool {
	return keepOwner(file, old) == nil || keepGroup(file, old) == nil
}
