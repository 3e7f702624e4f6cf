package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

var prefix = regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d \d{4}\] ` +
	`\(pid=\d+\) \[(notice|warning|ERROR)\] `)

// bare returns lines without their prefix, with the level before the text.
func bare(t *testing.T, text string) (lines []string) {
	for line := range strings.Lines(text) {
		m := prefix.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("a line without the prefix: %q", line)
			continue
		}
		lines = append(lines, m[1]+" "+strings.TrimSpace(line[len(m[0]):]))
	}
	return lines
}

// TestStartAndEnd looks at a daemon in the background from its start to -k.
func TestStartAndEnd(t *testing.T) {
	namespace(t)
	f := configure(t, syncSection, "")
	if r := f.run(t, false, "-d"); r != (result{}) {
		t.Fatalf("-d: %+v\n%s", r, f.read("log"))
	}
	for path, mode := range map[string]os.FileMode{f.log: 0o600, f.lock: 0o600, f.socket: 0o600 | os.ModeSocket} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, mode)
		}
	}
	second := f.run(t, false, "-d")
	if second.status != 1 || second.stdout != "" ||
		!strings.Contains(second.stderr, "[ERROR] lockfile `"+f.lock+"' exists, perhaps conntrackd already running?\n") {
		t.Errorf("a second -d: %+v", second)
	}
	if r := f.run(t, false, "-k"); r != (result{}) {
		t.Errorf("-k: %+v", r)
	}
	if exists(f.lock) || exists(f.socket) {
		t.Errorf("after -k: lock %v, socket %v", exists(f.lock), exists(f.socket))
	}
	lines := strings.Join(bare(t, f.read("log")), "\n")
	for _, want := range []string{
		"notice initialization completed\nnotice -- starting in daemon mode --", "notice ---- shutdown received ----",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("the log lacks %q:\n%s", want, lines)
		}
	}
	if r := f.run(t, false, "-s"); r.status != 1 ||
		!strings.HasSuffix(r.stderr, "[ERROR] can't connect: is conntrackd running? appropriate permissions?\n") {
		t.Errorf("-s without a daemon: %+v", r)
	}
	if r := f.run(t, false, "--status"); r.status != 2 {
		t.Errorf("--status without a daemon: %+v", r)
	}
}

// TestStartFails shows what is said of a start that fails, with -d and without.
func TestStartFails(t *testing.T) {
	namespace(t)
	for name, c := range map[string]struct {
		section, general string
		break_           func(f *files)
		want             string
	}{
		"lock directory": {statsSection, "LockFile DIR/no/lock\n", nil,
			"can't create lockfile `DIR/no/lock': No such file or directory"},
		"socket": {statsSection, "UNIX { Path DIR/no/ctl\n }\n", nil,
			"can't open unix socket!\nERROR " + cannotStart},
		"interface": {strings.ReplaceAll(syncSection, "sy0", "sy9"), "", nil,
			"initialization failed\nERROR " + cannotStart},
		"lock of a daemon": {statsSection, "", func(f *files) { os.WriteFile(f.lock, nil, 0o600) },
			"lockfile `DIR/lock' exists, perhaps conntrackd already running?"},
	} {
		t.Run(name, func(t *testing.T) { // on the goroutine of a namespace: a thread of this test
			namespace(t)
			f := configure(t, c.section, c.general)
			if c.break_ != nil {
				c.break_(f)
			}
			want := "ERROR " + strings.ReplaceAll(c.want, "DIR", f.dir)
			for _, words := range [][]string{nil, {"-d"}} {
				r := f.run(t, false, words...)
				got := strings.Join(bare(t, r.stderr), "\n")
				if r.status != 1 || !strings.HasSuffix(got, want) || strings.Contains(r.stdout, "-- starting in") {
					t.Errorf("%q: %+v, want %q", words, r, want)
				}
				if log := strings.Join(bare(t, f.read("log")), "\n"); !strings.HasSuffix(log, want) {
					t.Errorf("%q: the log: %s", words, log)
				}
				if name != "lock of a daemon" && exists(f.lock) {
					t.Errorf("%q: the lock file is left", words)
				}
			}
		})
	}
	f := configure(t, statsSection, "LogFile DIR/no/log\n")
	want := "ERROR: can't open logfile `" + f.dir + "/no/log'.Reason: No such file or directory\n"
	if r := f.run(t, false, "-d"); r.status != 1 || r.stderr != want {
		t.Errorf("%+v, want %q", r, want)
	}
	f.conf += ".not"
	if r := f.run(t, false); r.status != 1 ||
		!strings.HasSuffix(r.stderr, "[ERROR] can't open config file `"+f.conf+"'\n") {
		t.Errorf("%+v", r)
	}
}

// TestStaleLock starts over what a daemon left that was killed, ours or the old one, and
// not over the lock file of one that runs.
func TestStaleLock(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "")
	c, _, _ := f.console(t)
	if f.read("lock") == "" {
		t.Error("there is no process id in the lock file")
	}
	c.Process.Kill()
	c.Wait()
	if !exists(f.lock) || !exists(f.socket) {
		t.Fatal("a daemon that is killed leaves nothing")
	}
	f.start(t, false)
	if !strings.Contains(f.read("log"), "was left by a daemon that is gone: taken over") {
		t.Errorf("the log:\n%s", f.read("log"))
	}

	needOld(t)
	g := configure(t, statsSection, "")
	old := program(t.Context(), true, "-C", g.conf)
	old.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}
	if !testwait.For(20*time.Second, func() bool { return strings.Contains(g.read("log"), "-- starting") }) {
		t.Fatalf("the old daemon did not start: %s", g.read("log"))
	}
	if r := g.run(t, false, "-d"); r.status != 1 {
		t.Errorf("a start beside the old daemon: %+v", r)
	}
	old.Process.Kill()
	old.Wait()
	g.start(t, false)
}

// TestLockRace has daemons start and end at the same time: whoever has the lock has the file
// that others see.
func TestLockRace(t *testing.T) {
	path := t.TempDir() + "/lock"
	var daemons sync.WaitGroup
	for range 4 {
		daemons.Go(func() {
			for range 200 {
				l, _, err := takeLock(path, "")
				if err != nil {
					continue
				}
				if !l.there() {
					t.Error("a daemon has a lock file that is not there")
				}
				l.release()
			}
		})
	}
	daemons.Wait()
	if l, stale, err := takeLock(path, ""); err != nil || stale {
		t.Errorf("after all have ended: %v, %v", stale, err)
	} else {
		l.release()
	}
}

// TestSignals sends signals to a daemon in the foreground.
func TestSignals(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "")
	c, stdout, stderr := f.console(t)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE} {
		c.Process.Signal(s)
	}
	for _, name := range []string{"log", "stats"} {
		os.Rename(f.dir+"/"+name, f.dir+"/"+name+".1")
	}
	f.write(t, statsSection, "PurgeTimeout")
	c.Process.Signal(syscall.SIGHUP)
	if !testwait.For(10*time.Second, func() bool { return exists(f.log) && exists(f.dir+"/stats") }) {
		t.Errorf("HUP with a wrong configuration did not open the logs again:\n%s", f.read("log.1"))
	}
	f.write(t, statsSection, "HashLimit 7")
	c.Process.Signal(syscall.SIGHUP)
	if !testwait.For(10*time.Second, func() bool {
		return strings.Contains(f.read("log"), "changed by a restart only: HashLimit\n")
	}) {
		t.Errorf("HUP did not tell what it does not change:\n%s", f.read("log"))
	}
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Errorf("TERM: %v", err)
	}
	if exists(f.lock) || exists(f.socket) {
		t.Error("TERM: lock or socket are left")
	}
	out := strings.Join(bare(t, stdout.String()), "\n")
	if !strings.Contains(out, "notice -- starting in console mode --\n") ||
		!strings.HasSuffix(out, "notice ---- shutdown received ----") {
		t.Errorf("stdout:\n%s", out)
	}
	for _, line := range bare(t, stderr.String()) {
		if strings.HasPrefix(line, "notice") {
			t.Errorf("on stderr: %s", line)
		}
	}
}

// TestRotation: a daemon in the background does not keep a log file that was moved away.
func TestRotation(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "")
	f.start(t, false)
	pid, err := strconv.Atoi(strings.TrimSpace(f.read("lock")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log", "stats"} {
		os.Rename(f.dir+"/"+name, f.dir+"/"+name+".1")
	}
	unix.Kill(pid, unix.SIGHUP)
	until(t, "the old files are closed", func() bool {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		return exists(f.log) && !slices.ContainsFunc(open, func(fd string) bool {
			to, _ := os.Readlink(fd)
			return strings.HasSuffix(to, ".1")
		})
	})
}

// TestLogHangs has the log of the statistics opened again while its reader does not read.
func TestLogHangs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l := &statsLog{lines: make(chan []byte, 1), done: make(chan struct{}), file: w}
	go l.run()
	defer l.close()
	l.lines <- make([]byte, 1<<20)
	r.Read(make([]byte, 1)) // it is being written
	opened := make(chan error, 1)
	go func() { opened <- l.open(&config.Config{}) }()
	if !testwait.For(5*time.Second, func() bool { return len(opened) == 1 }) {
		t.Error("HUP waits for the reader of the log")
	}
}

// TestSystemd plays systemd.
func TestSystemd(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "Systemd on")
	path := f.dir + "/notify"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	next := func() string {
		b := make([]byte, 4096)
		conn.SetReadDeadline(time.Now().Add(testwait.Scale(10 * time.Second)))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	c, _, _ := f.console(t, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=200000")
	begun := time.Now()
	if got := next(); !strings.HasPrefix(got, "MAINPID=") || !strings.HasSuffix(got, "\nREADY=1") {
		t.Errorf("%q", got)
	}
	for range 3 {
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("%q", got)
		}
	}
	if d := time.Since(begun); d < 200*time.Millisecond {
		t.Errorf("three of 100 ms in %v", d)
	}
	c.Process.Signal(syscall.SIGTERM)
	for got := "WATCHDOG=1"; got != "STOPPING=1"; {
		if got = next(); got != "WATCHDOG=1" && got != "STOPPING=1" {
			t.Errorf("%q", got)
		}
	}
	c.Wait()
}

// TestKernelRefuses starts without the right to hear of the kernel's events, while a peer
// sends all the time: the start fails, and waits for nothing.
func TestKernelRefuses(t *testing.T) {
	namespace(t)
	conn, err := net.Dial("udp", "10.99.0.1:3780")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	sending.Go(func() {
		for alive := []byte{0x1a, 0x10, 0, 8, 0, 0, 0, 1}; ctx.Err() == nil; {
			conn.Write(alive)
		}
		conn.Close()
	})
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&head, &caps[0]); err != nil {
		t.Fatal(err)
	}
	caps[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&head, &caps[0]); err != nil { // of this thread, which ends with the test
		t.Fatal(err)
	}
	c, _ := config.Read(configure(t, syncSection, "").conf)
	ended := make(chan error, 1)
	go func() {
		if !testwait.For(5*time.Second, func() bool { return len(ended) > 0 }) {
			panic("a start that fails does not end")
		}
	}()
	for range 100 {
		d := &daemon{config: c, log: &logger{}, kick: make(chan struct{}, 1)}
		if err := d.open(); err == nil || !strings.HasPrefix(err.Error(), "can't open netlink handler") {
			t.Fatalf("%v", err)
		}
	}
	ended <- nil
}
