package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
)

// lockFile is the file that says that a daemon runs. Its existence is what counts, as
// with conntrack-tools, so that scripts may test and remove it. Beside, it is locked, so
// that what a crash has left is known, and has the process id.
type lockFile struct {
	path string
	file *os.File
}

// takeLock makes the lock file. socket is the control socket: where the lock file is one
// of conntrack-tools, which is not locked, a socket that refuses connections shows that
// its daemon is gone. stale reports whether the file was left by a daemon that is gone.
func takeLock(path, socket string) (l *lockFile, stale bool, err error) {
	var file *os.File
	for {
		file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if file, err = takeOver(path, socket); err == nil {
			stale = true
			break
		}
		if !errors.Is(err, fs.ErrNotExist) { // a daemon that has just ended removes it
			return nil, false, fmt.Errorf("lockfile `%s' exists, perhaps conntrackd already running?", path)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("can't create lockfile `%s': %s", path, reason(err))
	}
	// A lock that cannot be had on this file system is not needed while the file exists.
	err = flock(file)
	for i := 0; i < judged && errors.Is(err, unix.EWOULDBLOCK); i++ {
		time.Sleep(time.Millisecond)
		err = flock(file)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		// One that started at the same time has taken the file over before it was locked.
		file.Close()
		return nil, false, fmt.Errorf("lockfile `%s' exists, perhaps conntrackd already running?", path)
	}
	l = &lockFile{path, file}
	l.mark()
	return l, stale, nil
}

// judged is for how many milliseconds other processes may have the lock of a new file to
// find out whether its daemon is gone.
const judged = 100

func flock(file *os.File) error { return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// takeOver opens and locks a lock file that exists if its daemon is gone. The error is
// fs.ErrNotExist if the file has gone meanwhile.
func takeOver(path, socket string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	err = flock(file)
	switch {
	case err != nil:
	case !(&lockFile{path, file}).there():
		err = fs.ErrNotExist
	case !abandoned(file, socket):
		err = fs.ErrExist
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// abandoned reports whether the daemon of a lock file, which nobody has locked, is gone.
func abandoned(file *os.File, socket string) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if info.Size() > 0 { // ours, which would have locked it
		return true
	}
	if socket == "" {
		return false
	}
	conn, err := control.Dial(socket)
	if err == nil {
		conn.Close()
		return false
	}
	return errors.Is(err, unix.ECONNREFUSED)
}

// mark writes the process id.
func (l *lockFile) mark() {
	l.file.Truncate(0)
	l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
}

// release removes the file, unless a script has removed it and another daemon has made
// its own.
func (l *lockFile) release() {
	if l.there() {
		os.Remove(l.path)
	}
	l.file.Close()
}

// there reports whether the path is still that of the file.
func (l *lockFile) there() bool {
	mine, err := l.file.Stat()
	there, err2 := os.Lstat(l.path)
	return err == nil && err2 == nil && os.SameFile(mine, there)
}
