package top

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// endMsg ends the program: what feeds the table has ended, the terminal is gone, or a
// signal was received.
type endMsg struct{ err error }

// signalError is a signal that ended the program.
type signalError struct{ number int }

func (*signalError) Error() string { return "ended by a signal" }

// fps is how many times a second what has changed is drawn at most: a key waits at
// most 8 ms for it.
const fps = 120

// spareThreads is how many threads there are beside one for each core. With them the
// system chooses between a key and the work of the copy of the tables, and prefers
// what has slept; among goroutines a key would wait for its turn, 10 ms each time that
// it is handed on.
const spareThreads = 4

// checkTerminal returns an error if there is no terminal on which the screen can be
// shown.
func checkTerminal(s *console.Streams) error {
	const once = "; `conntrack top --once' prints it as a table"
	switch {
	case !console.IsTerminal(s.Out):
		return cmdline.Failuref("%s", "the screen needs a terminal, and standard output is none"+once)
	case os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" && termNeeded:
		return cmdline.Failuref("%s", "this terminal (TERM="+os.Getenv("TERM")+") cannot show a screen"+once)
	}
	return nil
}

// input is the terminal that keys come from. Its end is told: bubbletea would go on
// without keys.
type input struct {
	*os.File
	ended func()
}

func (i *input) Read(b []byte) (int, error) {
	n, err := i.File.Read(b)
	if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		i.ended()
		err = io.EOF
	}
	return n, err
}

// openInput returns the terminal that keys come from: standard input, or the
// controlling terminal if that is none.
func openInput() (*os.File, error) {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		return os.Stdin, nil
	}
	in, _, err := tea.OpenTTY()
	if err != nil {
		return nil, cmdline.Failuref("%s", "the screen needs a terminal for its keys; `conntrack top --once' does without")
	}
	return in, nil
}

// screen runs the screen until it is quit. feed is called with a context that ends
// then; if it returns an error before, that ends the program.
func screen(m *Model, feed func(context.Context) error) error {
	// Files that bubbletea would write to, also with rights that the user lacks.
	_ = os.Unsetenv("TEA_TRACE")
	_ = os.Unsetenv("TEA_DEBUG")
	file, err := openInput()
	if err != nil {
		return err
	}
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		return cmdline.Failuref("%s", console.ErrorText(err))
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareThreads)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g := &guarded{Model: m}
	in := &input{File: file}
	program := tea.NewProgram(g, tea.WithInput(in), tea.WithOutput(os.Stdout), tea.WithFPS(fps),
		tea.WithoutSignalHandler())
	end := func(err error) { go program.Send(endMsg{err}) }
	in.ended = func() { end(console.ErrQuiet) }
	g.end = func() { go program.Send(tea.QuitMsg{}) }

	fed := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				fed <- newCrash(v)
			}
		}()
		fed <- feed(ctx)
	}()
	// A table that cannot be read is told at once, without a screen.
	select {
	case err := <-fed:
		if err != nil {
			return err
		}
		close(fed)
	case <-time.After(firstWait):
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := <-fed; err != nil {
			end(err)
		}
	}()
	restore := func() { _ = term.Restore(int(file.Fd()), before) }
	rescue := func() {
		restore()
		leave(os.Stdout)
	}
	ignore := catchSignals(program, rescue)
	_, err = program.Run()
	ignore()
	restore()
	cancel()
	select {
	case <-stopped:
	case <-time.After(time.Second): // a table that does not answer
	}
	switch {
	case m.crash != nil:
		return m.crash
	case m.ended != nil:
		return m.ended
	case err != nil && (errors.Is(err, tea.ErrProgramPanic)):
		return console.ErrQuiet // it was shown
	case err != nil:
		return cmdline.Failuref("%s", err)
	}
	return nil
}

// leaveScreen is what bubbletea writes at the end: no mouse, no pasted text between
// marks, the keys as they were, the cursor, and the screen as it was before.
const leaveScreen = "\x1b[?2026l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[>4m\x1b[<1u\x1b[m\x1b[?25h\x1b[?1049l"

// leave shows the screen as it was before the program, for a program that does not
// end in order. It does not wait long: output may have been stopped from the keyboard.
func leave(out io.Writer) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(out, leaveScreen) // there is nobody else to tell
	}()
	select {
	case <-written:
	case <-time.After(leaveWait):
	}
}

const leaveWait = 200 * time.Millisecond

// firstWait is how long the screen waits for a table that cannot be read.
const firstWait = 40 * time.Millisecond
