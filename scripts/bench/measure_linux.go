package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// contestant is a command that is measured.
type contestant struct {
	argv    []string
	prepare func() error        // before each run, not measured
	check   func(outcome) error // after each run
	output  string              // a file, or "" for /dev/null
	runs    int                 // 0: as many as all
	mayFail bool                // a refusal is its own affair: the reference has its limits
	figures                     // the result
	samples []outcome
}

// figures is what a row of the table shows of a contestant.
type figures struct {
	wall, cpu time.Duration // medians
	peak      int64         // bytes
	missing   string        // why there are none
}

func (f *figures) ok() bool { return f != nil && f.missing == "" && f.wall > 0 }

// outcome is one run.
type outcome struct {
	wall, cpu time.Duration
	peak      int64
	status    int
	stderr    string
}

// patience bounds a run.
const patience = 5 * time.Minute

// command prepares a process that ends with this one. The caller's goroutine
// stays on the main thread, which is what Pdeathsig is about.
func command(ctx context.Context, argv []string) *exec.Cmd {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// once runs a contestant. With watch its memory is followed, which disturbs
// the time a little.
func (b *bench) once(c *contestant, watch bool) (outcome, error) {
	var o outcome
	if c.prepare != nil {
		if err := c.prepare(); err != nil {
			return o, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := command(ctx, c.argv)
	stdout, err := os.Create(cmp.Or(c.output, os.DevNull))
	if err != nil {
		return o, err
	}
	defer stdout.Close()
	// A file takes what is said without a goroutine beside the run.
	if err := b.stderr.Truncate(0); err != nil {
		return o, err
	}
	if _, err := b.stderr.Seek(0, 0); err != nil {
		return o, err
	}
	cmd.Stdout, cmd.Stderr = stdout, b.stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return o, err
	}
	peak := func() int64 { return 0 }
	if watch {
		peak = watchPeak(cmd.Process.Pid)
	}
	err = cmd.Wait()
	o.wall = time.Since(start)
	o.peak = max(peak(), rusagePeak(cmd.ProcessState))
	if ctx.Err() != nil {
		return o, fmt.Errorf("%s: not done after %v", strings.Join(c.argv, " "), patience)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return o, err
	}
	text, err := os.ReadFile(b.stderr.Name())
	if err != nil {
		return o, err
	}
	o.stderr = string(text)
	o.status = cmd.ProcessState.ExitCode()
	o.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return o, nil
}

// sideBySide runs each contestant once to warm up, for the memory and to see
// whether it can do it at all, then all in turn.
func (b *bench) sideBySide(runs int, cs ...*contestant) error {
	for _, c := range cs {
		o, err := b.once(c, true)
		if err != nil {
			return err
		}
		c.peak = o.peak
		if o.status == 2 {
			c.missing = "not built" // a wrong command line
		} else if err := c.judge(o); err != nil {
			b.failed(c, o, err)
		}
	}
	for i := range runs {
		for _, c := range cs {
			if c.missing != "" || c.runs != 0 && i >= c.runs {
				continue
			}
			o, err := b.once(c, false)
			if err != nil {
				return err
			}
			if err := c.judge(o); err != nil {
				b.failed(c, o, err)
				continue
			}
			c.samples = append(c.samples, o)
		}
	}
	for _, c := range cs {
		if c.missing == "" {
			c.wall = medianOf(c.samples, func(o outcome) time.Duration { return o.wall })
			c.cpu = medianOf(c.samples, func(o outcome) time.Duration { return o.cpu })
		}
	}
	return nil
}

// failed takes a contestant out of its row.
func (b *bench) failed(c *contestant, o outcome, err error) {
	c.missing = "failed"
	if c.mayFail && o.status != 0 {
		b.note("The reference failed: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	b.fail("%v", err)
}

func (c *contestant) judge(o outcome) error {
	if o.status != 0 {
		return fmt.Errorf("%s: exit status %d: %s", strings.Join(c.argv, " "), o.status, strings.TrimSpace(o.stderr))
	}
	if c.check != nil {
		if err := c.check(o); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(c.argv, " "), err)
		}
	}
	return nil
}

func medianOf(all []outcome, value func(outcome) time.Duration) time.Duration {
	values := make([]time.Duration, len(all))
	for i, o := range all {
		values[i] = value(o)
	}
	return median(values)
}

func median(values []time.Duration) time.Duration {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

// watchPeak follows a process's largest resident size until the function it
// returns is called.
func watchPeak(pid int) func() int64 {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			peak = max(peak, residentPeak(strconv.Itoa(pid)))
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() int64 { close(stop); return <-done }
}

// residentPeak reads VmHWM (proc_pid_status(5)), in bytes.
func residentPeak(pid string) int64 {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, text, _ := strings.Cut(string(b), "VmHWM:")
	text, _, _ = strings.Cut(text, "kB")
	n, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n << 10
}

// rusagePeak is what wait4(2) tells of the largest resident size. A process
// inherits the number of the one that started it, so only what is above this
// one's own is its own.
func rusagePeak(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if peak := int64(r.Maxrss) << 10; peak > residentPeak("self") {
		return peak
	}
	return 0
}
