package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

// terminal is a program on a pseudo-terminal, with the screen that it draws.
type terminal struct {
	main  *os.File
	cmd   *exec.Cmd
	start time.Time
	ended chan error

	mu      sync.Mutex
	changed sync.Cond
	screen  *vt.Emulator
	drawn   time.Time // when the program wrote last
	closed  bool
}

// openTerminal starts a program on a terminal of a size.
func openTerminal(argv []string, width, height int) (*terminal, error) {
	main, end, err := openPTY(width, height)
	if err != nil {
		return nil, err
	}
	defer end.Close()
	t := &terminal{main: main, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan error, 1),
		screen: vt.NewEmulator(width, height)}
	t.changed.L = &t.mu
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = end, end, end
	t.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8")
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	t.start = time.Now()
	if err := t.cmd.Start(); err != nil {
		main.Close()
		return nil, err
	}
	go t.read()
	go func() { _, _ = io.Copy(main, t.screen) }() // what a terminal answers
	go func() { t.ended <- t.cmd.Wait() }()
	return t, nil
}

// openPTY returns both ends of a pseudo-terminal (pty(7)).
func openPTY(width, height int) (main, end *os.File, err error) {
	main, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	conn, err := main.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	var peer uintptr
	var errno syscall.Errno
	control := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		size := &unix.Winsize{Row: uint16(height), Col: uint16(width)}
		if err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size); err != nil {
			return
		}
		// The argument is the flags to open it with.
		peer, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno != 0 {
			err = os.NewSyscallError("TIOCGPTPEER", errno)
		}
	})
	if err = errors.Join(control, err); err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	return main, os.NewFile(peer, "terminal"), nil
}

// read draws what the program writes.
func (t *terminal) read() {
	buf := make([]byte, 1<<16)
	for {
		n, err := t.main.Read(buf)
		now := time.Now()
		t.mu.Lock()
		_, _ = t.screen.Write(buf[:n])
		t.drawn, t.closed = now, err != nil
		t.changed.Broadcast()
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await waits until the screen is as it should be, and returns when the program
// had written that.
func (t *terminal) await(what string, most time.Duration, good func(screen string) bool) (time.Time, error) {
	deadline := time.Now().Add(most)
	timer := time.AfterFunc(most, t.changed.Broadcast)
	defer timer.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		text := t.screen.String()
		switch {
		case good(text):
			return t.drawn, nil
		case t.closed:
			return time.Time{}, fmt.Errorf("%s: the program has ended:\n%s", what, text)
		case time.Now().After(deadline):
			return time.Time{}, fmt.Errorf("%s: not within %v:\n%s", what, most, text)
		}
		t.changed.Wait()
	}
}

// text returns what the screen shows.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.String()
}

// press types keys, and returns when.
func (t *terminal) press(keys string) (time.Time, error) {
	now := time.Now()
	_, err := t.main.WriteString(keys)
	return now, err
}

// cpu returns the processor time that the program has used.
func (t *terminal) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// proc_pid_stat(5): utime and stime are the fields 14 and 15, in hundredths of a second; the second may have blanks.
	_, rest, _ := strings.Cut(string(text), ") ")
	var user, system int64
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected %q", text)
	}
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0, err
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}

// peak returns the largest resident size of the program.
func (t *terminal) peak() int64 { return residentPeak(fmt.Sprint(t.cmd.Process.Pid)) }

// quit types keys that end the program, and kills it if it does not end.
func (t *terminal) quit(keys string) error {
	_, err := t.press(keys)
	select {
	case <-t.ended:
	case <-time.After(10 * time.Second):
		err = errors.Join(err, errors.New("the program did not end"), t.cmd.Process.Kill())
		<-t.ended
	}
	_ = t.screen.Close()
	return errors.Join(err, t.main.Close())
}
