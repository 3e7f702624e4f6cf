//go:build !unix

package top

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// termNeeded reports that the environment names the type of the terminal.
const termNeeded = false

// endWait is how long a signal waits for the program to end in order.
const endWait = 2 * time.Second

// catchSignals ends the program in order on signals. restore makes the terminal as it
// was, for a program that does not end. ignore stops that.
func catchSignals(program *tea.Program, restore func()) (ignore func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		time.AfterFunc(endWait, func() {
			restore()
			os.Exit(exitFailure)
		})
		program.Send(endMsg{&signalError{int(syscall.SIGTERM)}})
	}()
	return func() { signal.Stop(signals) }
}

// suspend is the command that stops the program: the system has no such thing.
func suspend() tea.Msg { return nil }
