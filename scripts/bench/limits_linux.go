package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// What holds for all namespaces' tables, and is set in the first.
const (
	maxPath     = "/proc/sys/net/netfilter/nf_conntrack_max"
	bucketsPath = "/proc/sys/net/netfilter/nf_conntrack_buckets"
)

// limits are the machine's, raised. The guard puts the old ones back when its
// input ends: when restore says so, or when this process is gone.
type limits struct {
	guard *exec.Cmd
	input io.Closer
}

// raiseLimits makes room for entries, in a hash of at least so many buckets.
// It is called in the namespace that the program was started in.
func raiseLimits(entries, buckets int) (*limits, error) {
	f, err := os.Open(maxPath)
	if err != nil {
		return nil, fmt.Errorf("no connection tracking here: %w", err)
	}
	defer f.Close()
	// The lock goes to the guard, and lasts until it has ended.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.New("another benchmark is running: both would change the table's bound")
	}
	var old [2]int
	for i, path := range []string{maxPath, bucketsPath} {
		if old[i], err = readNumber(path); err != nil {
			return nil, err
		}
	}
	l := &limits{guard: exec.Command("/proc/self/exe", "guard", strconv.Itoa(old[0]), strconv.Itoa(old[1]))}
	l.guard.Stderr = os.Stderr
	l.guard.ExtraFiles = []*os.File{f}
	// Out of the reach of the terminal's ^C.
	l.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if l.input, err = l.guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err := l.guard.Start(); err != nil {
		return nil, err
	}
	for i, path := range []string{maxPath, bucketsPath} {
		if err := writeNumber(path, max(old[i], []int{entries, buckets}[i])); err != nil {
			l.restore()
			return nil, fmt.Errorf("%w (only the first network namespace may)", err)
		}
	}
	return l, nil
}

// restore puts the old limits back.
func (l *limits) restore() {
	l.input.Close()
	if err := l.guard.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: the limits were not put back:", err)
	}
}

// guardRole waits for the end of its input and writes nf_conntrack_max and
// nf_conntrack_buckets: guard MAX BUCKETS.
func guardRole(args []string) error {
	if len(args) != 2 {
		return errors.New("two numbers are needed")
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	var failed []error
	for i, path := range []string{maxPath, bucketsPath} {
		n, err := strconv.Atoi(args[i])
		if err == nil {
			err = writeNumber(path, n)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func readNumber(path string) (int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// writeNumber leaves alone what is right already.
func writeNumber(path string, n int) error {
	if old, err := readNumber(path); err != nil || old == n {
		return err
	}
	return os.WriteFile(path, []byte(strconv.Itoa(n)), 0)
}
