// Package atomicfile replaces files as a whole: at any moment, and after a crash
// at any moment, a file has its old contents or its new ones.
//
// The contents are written to a temporary file in the same directory, synced,
// and renamed; then the directory is synced, where the file system can. The new
// file has the owner and the mode of the one that it replaces. A file that the
// user may not write is refused, although the directory would allow the rename.
// Symbolic links are followed, so that the file that they lead to is replaced;
// hard links are not kept. What is no regular file (a device, a pipe) is opened
// and written directly.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// newMode is the mode of a file that did not exist.
const newMode fs.FileMode = 0o600

// Options say how a file is written. The zero value suits a file that several
// processes may write at the same time; the last one that commits wins.
type Options struct {
	// Temp is appended to the file's name to make the temporary file's, and a
	// file of that name is removed first. It is for callers that hold a lock: a
	// process that was killed leaves a temporary file, which the next one
	// removes. If it is empty the name is a new one.
	Temp string
	// ExitOnSignal makes an interrupt, SIGTERM or SIGHUP, unless it is ignored,
	// remove the temporary file and end the process with status 128 plus the
	// signal's number.
	ExitOnSignal bool
}

// File is a file being written. Commit or Discard must be called.
type File struct {
	file    *os.File
	path    string      // of the file to replace; empty where file is that file
	old     fs.FileInfo // of the file to replace; nil if there is none
	info    fs.FileInfo // of the finished file
	signals chan os.Signal
	closed  bool
	done    bool
}

// Create begins to write the file at path. A file that does not exist will have
// mode 0600. Errors are the system's.
func Create(path string, o Options) (*File, error) {
	path, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	old, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return nil, err
	default:
		// Whether the file may be replaced is whether it may be written.
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if !old.Mode().IsRegular() {
			return &File{file: file}, nil
		}
		file.Close()
	}
	file, err := createTemp(path, o.Temp)
	if err != nil {
		return nil, err
	}
	f := &File{file: file, path: path, old: old}
	if o.ExitOnSignal {
		f.exitOnSignal()
	}
	if old != nil {
		if err := keepOwner(file, old); err != nil {
			f.Discard()
			return nil, err
		}
	}
	return f, nil
}

func createTemp(path, suffix string) (*os.File, error) {
	if suffix == "" {
		return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	}
	// Never write to what is there: it may be a link that somebody else made.
	if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path+suffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, newMode)
}

// Write appends to the file.
func (f *File) Write(b []byte) (int, error) { return f.file.Write(b) }

// Finish completes the contents: they are on the disk, under the temporary name.
// Commit calls it if it was not called before.
func (f *File) Finish() error {
	if f.closed {
		return nil
	}
	f.closed = true
	var err error
	if f.path != "" {
		err = f.finish()
	}
	if cerr := f.file.Close(); err == nil {
		err = cerr
	}
	return err
}

func (f *File) finish() (err error) {
	if f.old != nil {
		// Last, since a change of the owner and a write clear mode bits.
		if err := keepMode(f.file, f.old); err != nil {
			return err
		}
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.info, err = f.file.Stat()
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
	if err := replace(f.file.Name(), f.path); err != nil {
		return err
	}
	f.done = true
	f.releaseSignals()
	return syncDir(filepath.Dir(f.path))
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
	if f.path != "" {
		_ = os.Remove(f.file.Name())
	}
	f.releaseSignals()
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
			_ = os.Remove(f.file.Name())
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
