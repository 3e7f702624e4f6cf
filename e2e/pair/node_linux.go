package pair

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A Node is a firewall.
type Node struct {
	*Host
	// Number is 1 for the first.
	Number int
	// Program is the daemon's program and its client's.
	Program string

	dir    string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended
	failed error         // of its end
	out    *testwait.Buffer
}

// startTime bounds a daemon's start and its end.
const startTime = 20 * time.Second

func (n *Node) file(suffix string) string {
	return filepath.Join(n.dir, fmt.Sprintf("%d.%s", n.Number, suffix))
}

// Configuration returns the path of the daemon's configuration.
func (n *Node) Configuration() string { return n.file("conf") }

// LogFile returns the path of its log.
func (n *Node) LogFile() string { return n.file("log") }

// LockFile returns the path of its lock file.
func (n *Node) LockFile() string { return n.file("lock") }

// Socket returns the path of its control socket.
func (n *Node) Socket() string { return n.file("ctl") }

// Configure writes the configuration.
func (n *Node) Configure(s Settings) {
	n.t.Helper()
	if err := os.WriteFile(n.Configuration(), []byte(s.text(n)), 0o600); err != nil {
		n.t.Fatalf("%v", err)
	}
}

// StartDaemon starts the daemon with a configuration, in the foreground, and returns when
// it is ready. It ends with the test.
func (n *Node) StartDaemon(program string, s Settings) {
	n.t.Helper()
	n.Program = program
	n.Configure(s)
	n.Restart()
}

// Restart starts the daemon as it was started before. What a daemon that was killed has
// left is removed first.
func (n *Node) Restart() {
	n.t.Helper()
	if n.Running() {
		n.t.Fatalf("%s: a daemon runs", n.Name)
	}
	for _, path := range []string{n.LockFile(), n.Socket(), n.LogFile()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			n.t.Fatalf("%v", err)
		}
	}
	n.out = new(testwait.Buffer)
	cmd := exec.Command(n.Program, "-C", n.Configuration())
	cmd.Stdout, cmd.Stderr = n.out, n.out
	if err := n.Start(cmd); err != nil {
		n.t.Fatalf("%s: %v", n.Name, err)
	}
	n.cmd, n.ended = cmd, make(chan struct{})
	ended := n.ended
	go func() {
		n.failed = cmd.Wait()
		close(ended)
	}()
	n.t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	ready := testwait.For(startTime, func() bool { return !n.Running() || strings.Contains(n.Log(), "-- starting in ") })
	if !ready || !n.Running() {
		n.t.Fatalf("%s: %s did not start: %s\n%s", n.Name, n.Program, n.out, n.Log())
	}
}

// Running reports whether the daemon runs.
func (n *Node) Running() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// Pid returns the daemon's process, 0 if none runs.
func (n *Node) Pid() int {
	if !n.Running() {
		return 0
	}
	return n.cmd.Process.Pid
}

// Kill kills the daemon as kill -9 does.
func (n *Node) Kill() {
	n.t.Helper()
	if n.cmd == nil {
		return
	}
	n.cmd.Process.Kill()
	<-n.ended
	n.cmd = nil
}

// Stop ends the daemon by SIGTERM. It must succeed.
func (n *Node) Stop() {
	n.t.Helper()
	if !n.Running() {
		n.t.Fatalf("%s: the daemon has ended: %s\n%s", n.Name, n.out, n.Log())
	}
	n.cmd.Process.Signal(unix.SIGTERM)
	if !testwait.For(startTime, func() bool { return !n.Running() }) {
		n.t.Fatalf("%s: the daemon does not end\n%s", n.Name, n.Log())
	}
	if n.failed != nil {
		n.t.Fatalf("%s: the daemon's end: %v\n%s%s", n.Name, n.failed, n.out, n.Log())
	}
	n.cmd = nil
}

// Log returns the log of the daemon that runs or ran last.
func (n *Node) Log() string {
	b, _ := os.ReadFile(n.LogFile())
	return string(b)
}

// Ask runs a request by the daemon's own client, which must succeed, and returns what it
// prints.
func (n *Node) Ask(words ...string) string {
	n.t.Helper()
	return n.Run(n.Program, append([]string{"-C", n.Configuration()}, words...)...)
}
