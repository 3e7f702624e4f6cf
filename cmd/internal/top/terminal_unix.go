//go:build unix

package top

import (
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// termNeeded reports that the environment names the type of the terminal.
const termNeeded = true

// endWait is how long a signal waits for the program to end in order.
const endWait = 2 * time.Second

// catchSignals ends the program in order on signals that would leave the terminal as
// it is. restore makes the terminal as it was, for a program that does not end.
// ignore stops that.
func catchSignals(program *tea.Program, restore func()) (ignore func()) {
	signals := make(chan os.Signal, 4)
	ends := []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2,
	}
	signal.Notify(signals, ends...)
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	go func() {
		for range continued {
			if suspending.Load() {
				continue
			}
			// Another process stopped the program. The shell has changed the terminal
			// since, and written on it.
			program.Send(tea.Exec(pause{}, nil)())
		}
	}()
	go func() {
		s, ok := (<-signals).(syscall.Signal)
		if !ok {
			return
		}
		status := 128 + int(s)
		time.AfterFunc(endWait, func() {
			restore()
			os.Exit(status)
		})
		program.Send(endMsg{&signalError{int(s)}})
	}()
	return func() { signal.Stop(signals); signal.Stop(continued) }
}

// suspending reports that the program has stopped itself, or has just been continued.
var suspending atomic.Bool

const (
	// tickerWait is how long bubbletea's ticker needs to stop: it would never tick again
	// if it were started before that.
	tickerWait = 20 * time.Millisecond
	// resumeWait is when a program that was not stopped goes on.
	resumeWait = 300 * time.Millisecond
)

// suspend is the command that stops the program, with the terminal as it was, until
// it is continued.
func suspend() tea.Msg { return tea.Exec(pause{stop: true}, nil)() }

// pause is a program that runs while the terminal is as it was before: it stops the
// process, or does nothing, so that the terminal is set up anew after it.
type pause struct{ stop bool }

func (p pause) Run() error {
	time.Sleep(tickerWait)
	if !p.stop {
		return nil
	}
	suspending.Store(true)
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	_ = syscall.Kill(0, syscall.SIGTSTP)
	// The kernel does not stop a program that nobody could continue, such as one that a
	// terminal was opened for (an orphaned process group).
	select {
	case <-continued:
	case <-time.After(resumeWait):
	}
	time.AfterFunc(resumeWait, func() { suspending.Store(false) })
	return nil
}

func (pause) SetStdin(io.Reader)  {}
func (pause) SetStdout(io.Writer) {}
func (pause) SetStderr(io.Writer) {}
