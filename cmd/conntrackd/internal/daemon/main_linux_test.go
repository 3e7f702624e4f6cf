package daemon

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// asProgram makes the test's program conntrackd.
const asProgram = "CONNTRACKD_TEST_PROGRAM"

// oldProgram is conntrack-tools' program.
const oldProgram = "/usr/sbin/conntrackd"

var skipped atomic.Int32

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(os.Args, os.Stdout, os.Stderr))
	}
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "\n*** %d TESTS WERE SKIPPED: no network namespace or no old conntrackd ***\n\n", n)
	}
	os.Exit(code)
}

func skip(t *testing.T, why any) {
	skipped.Add(1)
	t.Skipf("SKIPPED: %v", why)
}

// namespace moves the rest of the test, which must stay on this goroutine, into a network
// namespace of its own, with a link sy0 to nowhere.
func namespace(t *testing.T) {
	runtime.LockOSThread() // the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		skip(t, err)
	}
	for _, c := range []string{
		"link set lo up", "link add sy0 type veth peer name sy1", "link set sy0 up", "link set sy1 up",
		"addr add 10.99.0.1/24 dev sy0",
	} {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			skip(t, fmt.Sprintf("ip %s: %v: %s", c, err, out))
		}
	}
}

// needOld skips where conntrack-tools' program is not there.
func needOld(t *testing.T) {
	if _, err := os.Stat(oldProgram); err != nil {
		skip(t, err)
	}
}

// node is the files of a daemon.
type files struct{ dir, conf, log, lock, socket string }

// sides are the sections of a mode.
const (
	statsSection = "Stats { LogFile DIR/stats\n }\n"
	syncSection  = "Sync { Mode FTFW { } UDP { IPv4_address 10.99.0.1\n IPv4_Destination_Address 10.99.0.2\n" +
		" Port 3780 Interface sy0 Checksum on } }\n"
)

// configure writes a configuration of a section and more clauses of General.
func configure(t *testing.T, section, general string) *files {
	dir := t.TempDir()
	f := &files{dir, dir + "/conf", dir + "/log", dir + "/lock", dir + "/ctl"}
	f.write(t, section, general)
	return f
}

func (f *files) write(t *testing.T, section, general string) {
	t.Helper()
	text := section + fmt.Sprintf("General { LogFile %s\n LockFile %s\n UNIX { Path %s\n }\n %s }\n",
		f.log, f.lock, f.socket, general)
	text = strings.ReplaceAll(text, "DIR", f.dir)
	if err := os.WriteFile(f.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// read returns what a file has, "" if it is not there.
func (f *files) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(f.dir, name))
	return string(b)
}

// result is what became of a program.
type result struct {
	status         int
	stdout, stderr string
}

// program returns a command of ours, or of the old program.
func program(ctx context.Context, old bool, args ...string) *exec.Cmd {
	if old {
		return exec.CommandContext(ctx, oldProgram, args...)
	}
	c := exec.CommandContext(ctx, "/proc/self/exe", args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// run runs words to their end.
func (f *files) run(t *testing.T, old bool, words ...string) result {
	t.Helper()
	if len(words) > 0 && words[0] != "-d" && !old { // a client need not be a process
		defer syscall.Umask(syscall.Umask(0o022))
		var stdout, stderr bytes.Buffer
		status := Main(append([]string{"conntrackd", "-C", f.conf}, words...), &stdout, &stderr)
		return result{status, stdout.String(), stderr.String()}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Scale(20*time.Second))
	defer cancel()
	c := program(ctx, old, append([]string{"-C", f.conf}, words...)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	c.WaitDelay = time.Second
	c.Run()
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// start starts a daemon in the background, which ends with the test.
func (f *files) start(t *testing.T, old bool) {
	t.Helper()
	r := f.run(t, old, "-d")
	if r.status != 0 {
		t.Fatalf("the daemon did not start: %v\n%s", r, f.read("log"))
	}
	// The old daemon lets go of its parent before it says so.
	if !testwait.For(10*time.Second, func() bool { return strings.Contains(f.read("log"), "-- starting in") }) {
		t.Errorf("the daemon does not say that it has started:\n%s", f.read("log"))
	}
	t.Cleanup(func() {
		c := program(context.Background(), old, "-C", f.conf, "-k")
		c.Run()
		if !testwait.For(10*time.Second, func() bool { return f.read("lock") == "" && !exists(f.lock) }) {
			t.Errorf("the lock file is there after the end:\n%s", f.read("log"))
		}
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// console starts a daemon in the foreground and waits until it runs.
func (f *files) console(t *testing.T, env ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	c := program(context.Background(), false, "-C", f.conf)
	c.Env = append(c.Env, env...)
	stdout, stderr := new(bytes.Buffer), new(bytes.Buffer)
	c.Stdout, c.Stderr = stdout, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			c.Process.Kill()
			c.Wait()
		}
	})
	if !testwait.For(20*time.Second, func() bool { return strings.Contains(f.read("log"), "-- starting in") }) {
		t.Fatalf("the daemon did not start: %s%s", f.read("log"), stderr)
	}
	return c, stdout, stderr
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

var bufferSize = regexp.MustCompile(`\d+ bytes`)

// lines returns the lines of a log without what differs from run to run, and without
// what one of the daemons says and the other does not.
func lines(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log + "\n") {
		switch {
		case strings.Contains(line, "commit has taken"), strings.Contains(line, "no dedicated links"):
		default:
			b.WriteString(bufferSize.ReplaceAllString(line, "N bytes"))
		}
	}
	return b.String()
}

// unlike returns the lines in which two texts differ.
func unlike(old, ours string) string {
	var b strings.Builder
	x, y := strings.Split(old, "\n"), strings.Split(ours, "\n")
	for i := range max(len(x), len(y)) {
		line := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return "(the end)"
		}
		if a, c := line(x), line(y); a != c {
			fmt.Fprintf(&b, "line %d:\n%s\nours:\n%s\n", i, a, c)
		}
	}
	return b.String()
}
