package difftest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A lab is a network namespace, and the thread that lives in it. Programs are
// started from that thread and so inherit its namespaces; this costs no more
// than starting them anywhere else.
type lab struct {
	program string
	older   bool // it is 1.4.7: docs/classic.md 12
	jobs    chan func()
}

// A result is what one run of a program wrote, and how it ended.
type result struct {
	status         int // exit status, or 128+N after signal N
	stdout, stderr string
}

// hung is the status of a program that did not end by itself.
const hung = 999

// connlabels is the label map both programs read inside their labs.
const connlabels = "0 zero\n1 one\n2 two words\n7 seven\n127 last\n"

// ruleset enables connection tracking in a lab, with labels.
const ruleset = `table inet difftest {
	chain forward {
		type filter hook forward priority 0
		ct label 7 accept
	}
}
`

// newLab returns a lab in which program runs as "conntrack". The lab, its
// namespaces and its thread end with the test.
func newLab(t *testing.T, program string) *lab {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "xtables"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "xtables", "connlabel.conf"), []byte(connlabels), 0o644); err != nil {
		t.Fatal(err)
	}

	l := &lab{program: program, jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		// Never unlocked: the thread keeps its namespaces and ends with this
		// goroutine.
		runtime.LockOSThread()
		ready <- isolate(dir)
		for job := range l.jobs {
			job()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatalf("cannot set up a namespace: %v", err)
	}
	t.Cleanup(func() { close(l.jobs) })

	l.older = strings.HasPrefix(l.run([]string{"-V"}, nil, "", false, working).stdout, "conntrack v1.4.7 ")
	if out, err := l.tool(ruleset, "nft", "-f", "-"); err != nil {
		t.Logf("WARNING: no nft rules, so no labels: %v: %s", err, out)
	}
	return l
}

// isolate moves the calling thread into namespaces of its own, where overlay is
// mounted on /etc and new entries have counters and time stamps.
func isolate(overlay string) error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("overlay", "/etc", "overlay", syscall.MS_RDONLY, "lowerdir="+overlay+":/etc"); err != nil {
		return fmt.Errorf("overlay /etc: %w", err)
	}
	for _, name := range []string{"acct", "timestamp"} {
		// The thread's own view: /proc/sys follows the network namespace.
		if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_"+name, []byte("1"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inside calls f on the lab's thread and waits for it.
func (l *lab) inside(f func()) {
	done := make(chan struct{})
	l.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
}

// tool runs another program inside the lab.
func (l *lab) tool(stdin, name string, args ...string) (string, error) {
	var out []byte
	var err error
	l.inside(func() {
		cmd := exec.Command(name, args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err = cmd.CombinedOutput()
	})
	return string(out), err
}

// run runs the lab's program. A program that listens for events is interrupted
// after patience; any other is killed after patience, scaled with the load.
func (l *lab) run(args, env []string, stdin string, listens bool, patience time.Duration) result {
	var res result
	l.inside(func() { res = runProgram(l.program, args, env, stdin, listens, patience) })
	return res
}

func runProgram(program string, args, env []string, stdin string, listens bool, patience time.Duration) result {
	var stdout, stderr bytes.Buffer
	cmd := prepare(program, args, env, stdin, &stdout, &stderr)
	if err := cmd.Start(); err != nil {
		return result{status: hung, stderr: err.Error()}
	}

	killed := false
	if !listens {
		patience = testwait.Scale(patience)
	}
	timer := time.AfterFunc(patience, func() {
		if listens {
			_ = cmd.Process.Signal(os.Interrupt)
			return
		}
		killed = true
		_ = cmd.Process.Kill()
	})
	err := cmd.Wait()
	if !timer.Stop() && killed {
		return result{hung, stdout.String(), stderr.String()}
	}
	return ending(err, &stdout, &stderr)
}

// prepare returns a program ready to start.
func prepare(program string, args, env []string, stdin string, stdout, stderr *bytes.Buffer) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Args = append([]string{"conntrack"}, args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), stdout, stderr
	return cmd
}

// ending returns the result of a program that ended with err.
func ending(err error, stdout, stderr *bytes.Buffer) result {
	res := result{0, stdout.String(), stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		res.status = exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			res.status = 128 + int(ws.Signal())
		}
	}
	return res
}
