package difftest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A listener is a program that runs in a lab in the background and prints the
// events there.
type listener struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
	err            error  // how it ended
	inode          string // of the socket it listens on, once that is known
}

// How long a listener may take to start, and to print what happened, on an idle
// machine.
const (
	beginning = 2 * time.Second
	digesting = 10 * time.Second
)

// listen starts the lab's program, to run until it is stopped.
func (l *lab) listen(args, env []string) *listener {
	x := &listener{ended: make(chan struct{})}
	x.cmd = prepare(l.program, args, env, "", &x.stdout, &x.stderr)
	l.inside(func() { x.err = x.cmd.Start() })
	if x.err != nil {
		close(x.ended)
		return x
	}
	go func() {
		defer close(x.ended)
		x.err = x.cmd.Wait()
	}()
	return x
}

// gone reports whether the listener ended.
func (x *listener) gone() bool {
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

// unread returns how much waits in the socket that the listener listens on,
// and whether there is such a socket.
func (x *listener) unread() (int, bool) {
	const netfilter, noGroups = "12", "00000000"
	proc := fmt.Sprintf("/proc/%d/", x.cmd.Process.Pid)
	own := []string{x.inode}
	if x.inode == "" {
		names, _ := filepath.Glob(proc + "fd/*")
		for _, name := range names {
			link, _ := os.Readlink(name)
			if inode, ok := strings.CutPrefix(link, "socket:["); ok {
				own = append(own, strings.TrimSuffix(inode, "]"))
			}
		}
	}
	table, _ := os.ReadFile(proc + "net/netlink")
	for l := range strings.Lines(string(table)) {
		// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		f := strings.Fields(l)
		if len(f) == 10 && f[1] == netfilter && f[3] != noGroups && slices.Contains(own, f[9]) {
			x.inode = f[9]
			n, _ := strconv.Atoi(f[4])
			return n, true
		}
	}
	return 0, false
}

// asleep reports whether all threads of the listener are asleep.
func (x *listener) asleep() bool {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", x.cmd.Process.Pid))
	for _, name := range names {
		stat, _ := os.ReadFile(name)
		if _, state, ok := strings.Cut(string(stat), ") "); ok && !strings.HasPrefix(state, "S") {
			return false
		}
	}
	return len(names) > 0
}

// ready reports whether the listener listens, or never will.
func (x *listener) ready() bool {
	if x.gone() {
		return true
	}
	_, ok := x.unread()
	return ok
}

// idle reports whether the listener has nothing more to do: its socket is
// empty, and it sleeps. (The kernel sends the events of a command before the
// command gets its answer.)
func (x *listener) idle() bool {
	if x.gone() {
		return true
	}
	n, _ := x.unread()
	return n == 0 && x.asleep()
}

// await waits until ok holds for all listeners, twice in a row, and reports
// whether it did before patience ended.
func await(listeners []*listener, ok func(*listener) bool, patience time.Duration) bool {
	times := 0
	for start := time.Now(); times < 2 && time.Since(start) < testwait.Scale(patience); time.Sleep(time.Millisecond) {
		if times++; slices.ContainsFunc(listeners, func(x *listener) bool { return !ok(x) }) {
			times = 0
		}
	}
	return times == 2
}

// stop interrupts the listener.
func (x *listener) stop() {
	if !x.gone() {
		_ = x.cmd.Process.Signal(os.Interrupt)
	}
}

// result waits for the end of the listener, and returns its result.
func (x *listener) result() result {
	if x.cmd.Process == nil {
		return result{status: hung, stderr: x.err.Error()}
	}
	select {
	case <-x.ended:
		return ending(x.err, &x.stdout, &x.stderr)
	case <-time.After(testwait.Scale(working)):
		x.kill()
		return result{hung, x.stdout.String(), x.stderr.String()}
	}
}

// kill ends the listener, if it did not end before.
func (x *listener) kill() {
	if !x.gone() {
		_ = x.cmd.Process.Kill()
		<-x.ended
	}
}
