package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// listener is a running -E.
type listener struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	stderr bytes.Buffer
	drops  int // what the kernel says it dropped at this socket
	peak   int64
	ended  chan error
}

var errNotBuilt = errors.New("not built")

// listen starts a program that follows events, and waits until it does.
func (b *bench) listen(argv []string, stdout *os.File) (*listener, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	l := &listener{cmd: command(ctx, argv), cancel: cancel, ended: make(chan error, 1)}
	l.cmd.Stdout, l.cmd.Stderr = stdout, &l.stderr
	if err := l.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() { l.ended <- l.cmd.Wait() }()
	deadline := time.After(10 * time.Second)
	for {
		if _, ok := listening(l.cmd.Process.Pid); ok {
			return l, nil
		}
		select {
		case <-l.ended:
			cancel()
			if l.cmd.ProcessState.ExitCode() == 2 {
				return nil, errNotBuilt
			}
			return nil, fmt.Errorf("%s ended: %s", strings.Join(argv, " "), l.stderr.String())
		case <-deadline:
			cancel()
			<-l.ended
			return nil, fmt.Errorf("%s does not listen", strings.Join(argv, " "))
		case <-time.After(time.Millisecond):
		}
	}
}

// settle waits until the socket is empty and the output has stopped growing,
// for at most so long.
func (l *listener) settle(progress func() int64, most time.Duration) {
	const quiet = 300 * time.Millisecond
	last, since := int64(-1), time.Now()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s, ok := listening(l.cmd.Process.Pid)
		if p := progress(); p != last || s.queued > 0 {
			last, since = p, time.Now()
		}
		if !ok || time.Since(since) > quiet {
			return
		}
	}
}

// stop interrupts the program and waits for its end.
func (l *listener) stop() error {
	defer l.cancel()
	s, _ := listening(l.cmd.Process.Pid)
	l.drops = s.drops
	l.peak = residentPeak(strconv.Itoa(l.cmd.Process.Pid))
	if err := l.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	err := <-l.ended
	l.peak = max(l.peak, rusagePeak(l.cmd.ProcessState))
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return nil // the reference may end with an error: what it printed counts
	}
	return err
}

var (
	droppedText = regexp.MustCompile(`(\d+) events were dropped`)
	lostText    = regexp.MustCompile(`(\d+) events were lost`)
)

// told returns the last number of a kind that the program reported.
func (l *listener) told(what *regexp.Regexp) int {
	all := what.FindAllStringSubmatch(l.stderr.String(), -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1][1])
	return n
}

// sink is where a listener's output goes.
type sink struct {
	w        *os.File
	progress func() int64 // grows while there is output
	lines    func() int   // after the listener's end: how many there were
}

// fileSink is a file.
func fileSink(path string) (*sink, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &sink{w: f,
		progress: func() int64 {
			info, err := f.Stat()
			if err != nil {
				return 0
			}
			return info.Size()
		},
		lines: func() int {
			defer os.Remove(path)
			defer f.Close()
			in, err := os.Open(path)
			if err != nil {
				return 0
			}
			defer in.Close()
			var n lineCounter
			_, _ = io.Copy(&n, in)
			return int(n.n.Load())
		}}, nil
}

// pipeSink is a pipe that is read as fast as it goes, or at a rate of bytes a
// second. What is read goes to w as well.
func pipeSink(rate int, w io.Writer) (*sink, error) {
	var p [2]int
	// Blocking ends: the listener shall find an ordinary pipe.
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	in, out := os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe")
	var n lineCounter
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer in.Close()
		buf := make([]byte, 256<<10)
		const tick = 10 * time.Millisecond
		if rate > 0 {
			buf = buf[:rate/int(time.Second/tick)]
		}
		for next := time.Now(); ; {
			k, err := in.Read(buf)
			_, _ = n.Write(buf[:k])
			_, _ = w.Write(buf[:k])
			if err != nil {
				return
			}
			if rate > 0 {
				next = next.Add(tick * time.Duration(k) / time.Duration(len(buf)))
				time.Sleep(time.Until(next))
			}
		}
	}()
	return &sink{w: out, progress: n.n.Load, lines: func() int {
		out.Close() // the last writer: the reader comes to the end
		<-done
		return int(n.n.Load())
	}}, nil
}

// lineCounter counts the lines written to it.
type lineCounter struct{ n atomic.Int64 }

func (c *lineCounter) Write(b []byte) (int, error) {
	c.n.Add(int64(bytes.Count(b, []byte("\n"))))
	return len(b), nil
}
