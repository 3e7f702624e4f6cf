package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestAccess: a new file has mode 0600; a file that is replaced keeps its mode
// and owner.
func TestAccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	if err := write(t, path, "first", Options{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("a new file: %v, %v", info.Mode(), err)
	}
	want := fs.FileMode(0o664) | fs.ModeSetgid
	owner := uint32(os.Getuid())
	if owner == 0 {
		owner = 12345
		if err := os.Chown(path, int(owner), 54321); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, want); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(t, path, "second", Options{}); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	is, was := after.Sys().(*syscall.Stat_t), before.Sys().(*syscall.Stat_t)
	if os.SameFile(before, after) || after.Mode() != want || is.Uid != owner || is.Uid != was.Uid || is.Gid != was.Gid {
		t.Errorf("mode %v, owner %d, group %d; it was %v, %d, %d", after.Mode(), is.Uid, is.Gid, want, was.Uid, was.Gid)
	}
}

// TestRefused: a user who may write in the directory but not to the file does
// not replace it, nor does one who cannot give the new file the owner of the
// old.
func TestRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "table")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	result := make(chan [2]error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := syscall.Setfsuid(65534); err != nil {
			result <- [2]error{err, err}
			return
		}
		unwritable := write(t, path, "new", Options{})
		if err := syscall.Setfsuid(0); err != nil {
			result <- [2]error{err, err}
			return
		}
		err := os.Chmod(path, 0o666)
		if err == nil {
			err = syscall.Setfsuid(65534)
		}
		if err == nil {
			err = write(t, path, "new", Options{})
		}
		result <- [2]error{unwritable, err}
	}()
	got := <-result
	if !errors.Is(got[0], syscall.EACCES) {
		t.Errorf("a file of mode 0600: %v", got[0])
	}
	if !errors.Is(got[1], syscall.EPERM) {
		t.Errorf("a file of mode 0666 of another user: %v", got[1])
	}
	if list := names(t, dir); content(t, path) != "old" || len(list) != 1 {
		t.Errorf("%q in %q", content(t, path), list)
	}
}

// TestPipe: a file that is not regular is written to.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		file, err := os.Open(path)
		if err != nil {
			read <- err.Error()
			return
		}
		defer file.Close()
		b, _ := io.ReadAll(file)
		read <- string(b)
	}()
	if err := write(t, path, "text", Options{}); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "text" {
		t.Errorf("read %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 || len(names(t, dir)) != 1 {
		t.Errorf("%v, %v; %q", info, err, names(t, dir))
	}
}
