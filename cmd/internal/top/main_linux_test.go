package top

import (
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// asProgram is the environment variable by which the test binary is a program: "main"
// is conntrack-top, the others show a screen whose panel panics or that has no table.
const asProgram = "GONNTRACK_TOP_TEST"

func TestMain(m *testing.M) {
	switch what := os.Getenv(asProgram); what {
	case "":
		time.Local = time.UTC // before there are goroutines that read it
		os.Exit(m.Run())
	case "main":
		os.Exit(Main())
	case "churn":
		os.Exit(churningScreen())
	case "nohup":
		signal.Ignore(syscall.SIGHUP)
		os.Exit(testScreen("", nil))
	case "feed":
		os.Exit(testScreen("", func(context.Context) error {
			time.Sleep(2 * firstWait)
			panic("boom")
		}))
	default:
		os.Exit(testScreen(what, nil))
	}
}

// testScreen shows a screen that panics at a key, and returns the exit status.
func testScreen(what string, feed func(context.Context) error) int {
	if feed == nil {
		feed = func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}
	}
	s := console.NewStreams(os.Stdin, os.Stdout, os.Stderr)
	m := testModel(0, 0, terminalStyles(s.Out))
	m.now = time.Now
	m.panels[0] = &crashingPanel{}
	if what == "stuck" {
		m.panels[0] = &stuckPanel{}
	}
	return report(s.Err, screen(m, feed))
}

// stuckPanel does not return from a key.
type stuckPanel struct{ crashingPanel }

func (*stuckPanel) key(*Model, tea.KeyPressMsg) (tea.Cmd, bool) {
	_, _ = os.Stdout.WriteString("stuck")
	select {}
}

// session is a program on a terminal.
type session struct {
	t      testing.TB
	cmd    *exec.Cmd
	pty    *os.File
	fd     int // of pty
	before *unix.Termios
	ended  chan struct{} // nothing more comes
	mu     sync.Mutex
	screen *terminalScreen
	shown  *sync.Cond // something was written
}

// startSession starts the test binary as a program on a terminal of a size.
func startSession(t testing.TB, as string, width, height int, args ...string) *session {
	t.Helper()
	fd, pty, end := openPTY(t, width, height)
	s := &session{t: t, pty: pty, fd: fd, screen: newTerminalScreen(width, height), ended: make(chan struct{})}
	s.shown = sync.NewCond(&s.mu)
	s.before = termios(t, fd)
	s.cmd = exec.Command(os.Args[0], args...)
	s.cmd.Env = append(os.Environ(), asProgram+"="+as, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "CONNTRACK_TABLE=")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = end, end, end
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		_ = pty.Close()
		_ = end.Close()
	})
	go s.read()
	go func() { _, _ = io.Copy(pty, s.screen) }() // what a terminal answers
	return s
}

func (s *session) read() {
	defer close(s.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := s.pty.Read(buf)
		s.mu.Lock()
		_, _ = s.screen.Write(buf[:n])
		s.mu.Unlock()
		s.shown.Broadcast()
		if err != nil {
			return
		}
	}
}

// shows waits until a text is on the screen.
func (s *session) shows(text string) {
	s.t.Helper()
	s.until("`"+text+"' is on the screen", func() bool { return s.screen.Contains(text) })
}

// until waits for a condition of the screen.
func (s *session) until(what string, is func() bool) {
	s.t.Helper()
	var text string
	if !testwait.For(10*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		text = s.screen.String()
		return is()
	}) {
		s.t.Fatalf("it is not so that %s:\n%s", what, text)
	}
}

func (s *session) typeKeys(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// status waits for the end of the program, checks that the terminal is as it was
// before, and returns the exit status.
func (s *session) status() int {
	s.t.Helper()
	err := s.cmd.Wait()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		s.t.Fatal(err)
	}
	s.restored()
	return s.cmd.ProcessState.ExitCode()
}

// restored checks that the terminal is as it was before the program.
func (s *session) restored() {
	s.t.Helper()
	for _, mode := range []int{1049, 1000, 1002, 1003, 1006, 2004, 2026} {
		s.until("the modes are reset", func() bool { return !s.screen.modes[mode] })
	}
	s.until("the cursor is shown", func() bool { return !s.screen.CursorHidden() })
	if now := termios(s.t, s.fd); *now != *s.before {
		s.t.Errorf("the terminal's settings are %+v, were %+v", now, s.before)
	}
}

func termios(t testing.TB, fd int) *unix.Termios {
	t.Helper()
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return mode
}

func setSize(t testing.TB, fd, width, height int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(height), Col: uint16(width)}); err != nil {
		t.Fatal(err)
	}
}

// openPTY returns the two ends of a pseudo-terminal (pty(7)). The first can be closed
// while it is read.
func openPTY(t testing.TB, width, height int) (fd int, pty, end *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals: %s", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	setSize(t, fd, width, height)
	return fd, os.NewFile(uintptr(fd), "pty"), os.NewFile(n, "terminal")
}

// However the program ends, the terminal is as it was, what went wrong can be read,
// and the exit status tells.
func TestEnd(t *testing.T) {
	for _, c := range []struct {
		name, as string
		keys     string
		signal   syscall.Signal
		status   int
		says     string
	}{
		{name: "q", as: "plain", keys: "q"},
		{name: "^C", as: "plain", keys: "\x03"},
		{name: "SIGINT", as: "plain", signal: syscall.SIGINT, status: 130},
		{name: "SIGTERM", as: "plain", signal: syscall.SIGTERM, status: 143},
		{name: "SIGHUP", as: "plain", signal: syscall.SIGHUP, status: 129},
		{name: "SIGQUIT", as: "plain", signal: syscall.SIGQUIT, status: 131},
		{name: "SIGUSR1", as: "plain", signal: syscall.SIGUSR1, status: 138},
		{name: "panic in Update", as: "plain", keys: "u", status: 1, says: "internal error: boom"},
		{name: "panic in a command", as: "plain", keys: "c", status: 1, says: `internal error: \x1b[2Jboom`},
		{name: "panic in a batch", as: "plain", keys: "b", status: 1, says: "internal error:"},
		{name: "panic in a sequence", as: "plain", keys: "s", status: 1, says: "internal error:"},
		{name: "panic in View", as: "plain", keys: "d", status: 1, says: "internal error: boom"},
		{name: "panic of the feed", as: "feed", status: 1, says: "internal error: boom"},
		{name: "SIGTERM when nothing goes on", as: "stuck", keys: "x", signal: syscall.SIGTERM, status: 143},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startSession(t, c.as, 80, 300) // so high that a stack has room
			if c.as != "feed" {
				s.shows("help")
			}
			s.typeKeys(c.keys)
			if c.as == "stuck" {
				s.shows("stuck")
			}
			if c.signal != 0 {
				if err := s.cmd.Process.Signal(c.signal); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.status(); got != c.status {
				t.Errorf("exit status %d, want %d", got, c.status)
			}
			if c.says != "" {
				s.shows(c.says)
				s.until("every line begins at the left", func() bool {
					for y := range 300 {
						if strings.HasPrefix(s.screen.Line(y), "        ") {
							return false
						}
					}
					return true
				})
			}
		})
	}
}

// A terminal that is closed ends the program, also if nobody tells it by a signal.
func TestTerminalGone(t *testing.T) {
	for _, as := range []string{"plain", "nohup"} {
		s := startSession(t, as, 80, 24)
		s.shows("help")
		if err := s.pty.Close(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(testwait.Scale(20 * time.Second)):
			t.Fatalf("%s: goes on without a terminal", as)
		}
		if got := s.cmd.ProcessState.ExitCode(); got != 129 && got != 1 {
			t.Errorf("%s: exit status %d", as, got)
		}
	}
}

// The program is stopped by ^Z and continued; it also goes on if nobody could continue
// it, as here: its parent is in another session.
func TestSuspend(t *testing.T) {
	s := startSession(t, "plain", 80, 24)
	s.shows("help")
	for _, view := range []string{"2 groups", "3 states"} {
		s.typeKeys("\x1a")
		s.until("the screen was left", func() bool { return !s.screen.modes[1049] })
		s.shows("help")
		s.typeKeys(view[:1])
		s.shows(view)
	}
	s.typeKeys("q")
	if got := s.status(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// The screen fits the terminal when that changes its size.
func TestResize(t *testing.T) {
	s := startSession(t, "plain", 80, 24)
	for _, size := range [][2]int{{40, 10}, {300, 100}, {20, 5}, {120, 40}, {3, 2}, {80, 24}} {
		s.mu.Lock()
		s.screen.Resize(size[0], size[1])
		s.mu.Unlock()
		setSize(t, s.fd, size[0], size[1])
		switch {
		case size[0] >= leastWidth:
			s.until("the last line has the keys", func() bool { return strings.HasPrefix(s.screen.Line(size[1]-1), "? help") })
			s.until("the first line is the head's", func() bool { return strings.Contains(s.screen.Line(0), "reading") })
		case size[0] >= 20:
			s.shows("The terminal is too")
		}
	}
	s.typeKeys("q")
	if got := s.status(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// Without a terminal, or on one that shows no screen, the program says what does
// without.
func TestNoTerminal(t *testing.T) {
	for _, term := range []string{"dumb", ""} {
		_, pty, end := openPTY(t, 80, 24)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asProgram+"=main", "TERM="+term, "CONNTRACK_TABLE=")
		var text strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = end, end, &text
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(text.String(), "conntrack top --once") {
			t.Errorf("TERM=%s: %v, %q", term, err, text.String())
		}
		_ = pty.Close()
		_ = end.Close()
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"=main", "TERM=xterm", "CONNTRACK_TABLE=")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "conntrack top --once") {
		t.Errorf("a pipe: %v, %q", err, out)
	}
}
