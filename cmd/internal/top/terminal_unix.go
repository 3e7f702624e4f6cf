//go:build unix

package top

import (
	"errors"
	"os"
	"os/signal"
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
	suspended := make(chan os.Signal, 1)
	catchSuspend = func() { signal.Notify(suspended, syscall.SIGTSTP) }
	catchSuspend()
	go func() {
		for range suspended {
			program.Send(suspend())
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
	return func() { signal.Stop(signals); signal.Stop(suspended) }
}

// catchSuspend catches SIGTSTP.
var catchSuspend = func() {}

// resumeWait is when a program that was not stopped goes on.
const resumeWait = 300 * time.Millisecond

// suspend is the command that stops the program, with the terminal as it was, until
// it is continued.
func suspend() tea.Msg {
	signal.Reset(syscall.SIGTSTP)
	// The kernel does not stop a program that nobody could continue, the only one of
	// its terminal for example (an orphaned process group). It continues itself. A
	// program that was stopped gets the signal after it was continued, without effect.
	time.AfterFunc(resumeWait, func() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGCONT) })
	return tea.SuspendMsg{}
}

// resumed is called when the program was continued.
func resumed() { catchSuspend() }

// isGone reports whether an error says that the terminal is gone.
func isGone(err error) bool { return errors.Is(err, syscall.EIO) }
