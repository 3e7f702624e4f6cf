package daemon

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// detachedEnv tells the process in the background that it is one: it has the number of
// the descriptor that its parent reads.
const detachedEnv = "CONNTRACKD_DETACHED"

// What the process in the background writes to its parent when it has started. With the
// second, the parent tells systemd.
const (
	startedQuietly = "started\n"
	startedSystemd = "started, tell systemd\n"
)

// detach starts the daemon in the background, in a process and a session of its own, and
// returns once it has started as a whole or has failed. A program in Go cannot fork, so
// this one is run again.
func detach(args []string, stdout, stderr io.Writer) int {
	log := &logger{stdout: stdout, stderr: stderr}
	r, w, err := os.Pipe()
	if err != nil {
		log.error("can't detach: %s", reason(err))
		return 1
	}
	defer r.Close()
	exe, err := os.Executable()
	if err != nil {
		exe = args[0]
	}
	child := exec.Command(exe)
	child.Args = args
	// The watchdog is for whoever is the daemon, which systemd cannot know yet.
	child.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "WATCHDOG_PID=")
	}), detachedEnv+"=3")
	child.Stdout, child.Stderr = stdout, stderr
	child.ExtraFiles = []*os.File{w}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = child.Start()
	w.Close()
	if err != nil {
		log.error("can't detach: %s", reason(err))
		return 1
	}
	answer, _ := io.ReadAll(r)
	switch string(answer) {
	case startedQuietly:
	case startedSystemd: // it listens to this process until it knows the other
		systemd.SdNotify(false, "MAINPID="+strconv.Itoa(child.Process.Pid)+"\n"+systemd.SdNotifyReady)
	default:
		child.Wait() // it has said why
		return 1
	}
	child.Process.Release()
	return 0
}

// background is the pipe to the process that waits for the start.
type background struct {
	pipe *os.File
	done bool // the parent was told
}

// inBackground returns it, nil in the foreground.
func inBackground() *background {
	text, ok := os.LookupEnv(detachedEnv)
	os.Unsetenv(detachedEnv)
	fd, err := strconv.Atoi(text)
	if !ok || err != nil || fd != 3 {
		return nil
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil
	}
	unix.CloseOnExec(fd)
	return &background{pipe: os.NewFile(uintptr(fd), "status")}
}

// started leaves the terminal and lets the parent return. If notify is set, the parent
// tells systemd.
func (b *background) started(notify bool) {
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		for fd := range 3 {
			unix.Dup3(int(null.Fd()), fd, 0)
		}
		null.Close()
	}
	answer := startedQuietly
	if notify {
		answer = startedSystemd
	}
	io.WriteString(b.pipe, answer)
	b.pipe.Close()
	b.done = true
}
