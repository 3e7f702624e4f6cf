package cmd

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// wholeFile is a file that appears under its name when it is complete, and not
// at all otherwise: it is written under another name beside it, synced, and
// renamed. What is no regular file (a device, a pipe) is written as it is.
type wholeFile struct {
	*os.File
	// path is the name that it gets; "" where it is written as it is.
	path     string
	signals  chan os.Signal
	finished bool
}

// createWhole opens the file that path names. One that exists keeps its mode;
// a new one is its owner's alone, since it tells who talks to whom.
func createWhole(path string) (*wholeFile, error) {
	mode := fs.FileMode(0o600)
	// Through a link, the file that it points to is replaced, or made.
	path, err := tablefile.Resolve(path)
	if err != nil {
		return nil, err
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is a directory")}
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &wholeFile{File: f}, err
	case err == nil:
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	signals := make(chan os.Signal, 1)
	w := &wholeFile{File: f, path: path, signals: signals}
	if runtime.GOOS != "windows" && mode != 0o600 {
		if err := f.Chmod(mode); err != nil {
			w.discard()
			return nil, err
		}
	}
	// Who interrupts it finds nothing left behind.
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup(1) has it
			signal.Notify(signals, s)
		}
	}
	go func() {
		if s, ok := <-signals; ok {
			_ = os.Remove(f.Name())
			n, _ := s.(syscall.Signal)
			os.Exit(128 + int(n))
		}
	}()
	return w, nil
}

// commit gives the file its name, once what was written is on the disk.
func (w *wholeFile) commit() error {
	w.finished = true
	if w.path == "" {
		return w.Close()
	}
	err := w.Sync()
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	w.release()
	if err == nil {
		err = os.Rename(w.Name(), w.path)
	}
	if err != nil {
		_ = os.Remove(w.Name())
	}
	if err == nil && runtime.GOOS != "windows" {
		// The name too is on the disk when its directory is.
		if dir, derr := os.Open(filepath.Dir(w.path)); derr == nil {
			_ = dir.Sync() // not every file system can
			_ = dir.Close()
		}
	}
	return err
}

// discard removes what was written, unless it was committed.
func (w *wholeFile) discard() {
	if w.finished {
		return
	}
	w.finished = true
	w.release()
	_ = w.Close()
	if w.path != "" {
		_ = os.Remove(w.Name())
	}
}

// release gives the signals back.
func (w *wholeFile) release() {
	if w.signals != nil {
		signal.Stop(w.signals)
		close(w.signals)
		w.signals = nil
	}
}
