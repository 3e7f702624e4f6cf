package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
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
	got := [2]error{}
	as(t, 65534, func() { got[0] = write(t, path, "new", Options{}) })
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	as(t, 65534, func() { got[1] = write(t, path, "new", Options{}) })
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

// as calls f as another user, so far as files are concerned.
func as(t *testing.T, uid int, f func()) {
	t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		err := syscall.Setfsuid(uid)
		if err == nil {
			f()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// TestShared: in a directory that all may write, neither the link nor the file
// of another user is trusted. The user's own are, and those of the directory's
// owner, and everything elsewhere.
func TestShared(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	const other, third = 65534, 65533
	dir := t.TempDir()
	for i, tt := range []struct {
		mode      fs.FileMode
		dir, file int // owners
		ok        bool
	}{
		{0o777 | fs.ModeSticky, third, other, false},
		{0o777 | fs.ModeSticky, third, 0, true},
		{0o777 | fs.ModeSticky, other, other, true},
		{0o777, third, other, true},
		{0o755 | fs.ModeSticky, third, other, true},
	} {
		shared := filepath.Join(dir, strconv.Itoa(i))
		target := filepath.Join(dir, "target"+strconv.Itoa(i))
		direct, link := filepath.Join(shared, "file"), filepath.Join(shared, "link")
		through := filepath.Join(shared, "dir")
		must(t, os.Mkdir(shared, 0o700))
		must(t, os.WriteFile(direct, []byte("old"), 0o666))
		must(t, os.WriteFile(target, []byte("old"), 0o666))
		must(t, os.Symlink(target, link))
		must(t, os.Symlink(dir, through))
		for _, path := range []string{direct, link, through} {
			must(t, os.Lchown(path, tt.file, -1))
		}
		must(t, os.Chown(shared, tt.dir, -1))
		must(t, os.Chmod(shared, tt.mode))
		for path, file := range map[string]string{
			direct: direct, link: target, filepath.Join(through, "target"+strconv.Itoa(i)): target,
		} {
			must(t, os.WriteFile(file, []byte("old"), 0o666))
			err := write(t, path, "new", Options{})
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrForeign) {
				t.Errorf("%+v: %s: %v", tt, path, err)
			}
			if got := content(t, file); (got == "new") != tt.ok {
				t.Errorf("%+v: %s: %q", tt, path, got)
			}
			if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("the link: %v, %v", info, err)
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoWaiting: a named pipe that no process has open is an error at once, to
// read and to write; other files that are not regular are not opened.
func TestNoWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(path, 0o600))
	if _, err := Create(path, Options{}); !errors.Is(err, ErrNoReader) {
		t.Errorf("Create: %v", err)
	}
	link := path + "link"
	must(t, os.WriteFile(path+"file", nil, 0o600))
	must(t, os.Symlink(path+"file", link))
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
		for _, path := range []string{path, link, "/dev/null", t.TempDir()} {
			if _, err := Open(path, flag); !errors.Is(err, ErrNotRegular) {
				t.Errorf("%s, flag %d: %v", path, flag, err)
			}
		}
	}
	if file, _, err := openAny(link, os.O_RDONLY); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link that takes the place of the file: %v, %v", file, err)
	}
}

// TestPipe: a file that is not regular is written to.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	read, opened := make(chan string), make(chan bool)
	go func() {
		file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		close(opened)
		if err != nil {
			read <- err.Error()
			return
		}
		defer file.Close()
		b := make([]byte, 100)
		n, _ := file.Read(b)
		for n == 0 { // the writer has not opened it yet
			n, _ = file.Read(b)
		}
		read <- string(b[:n])
	}()
	<-opened
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
