package top

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/help"
	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Exit statuses, those of conntrack.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// Main runs the command line of the process and returns the exit status.
func Main() int {
	s := console.NewStreams(os.Stdin, os.Stdout, os.Stderr)
	err := command(s, os.Args[1:])
	if ferr := s.Out.Flush(); err == nil {
		err = ferr
	}
	return report(s.Err, err)
}

// report prints an error as conntrack does and returns the exit status.
func report(w *console.Messages, err error) int {
	var usage *cmdline.UsageError
	var crashed *crash
	var signalled *signalError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, console.ErrQuiet):
		return exitFailure
	case errors.As(err, &signalled):
		return 128 + signalled.number
	case errors.As(err, &crashed):
		w.Printf("%s: %s\n", cmdline.CompatVersion, printable.Lines(crashed.Error()))
		return exitFailure
	case errors.As(err, &usage):
		w.Printf("%s: %s\nTry 'conntrack top --help' for more information.\n", cmdline.CompatVersion,
			printable.Lines(usage.Text))
		return exitUsage
	}
	w.Printf("%s: %s\n", cmdline.CompatVersion, err)
	for _, line := range action.Cause(err) {
		w.Printf("%s: %s\n", cmdline.CompatVersion, line)
	}
	return exitFailure
}

// command runs a command line.
func command(s *console.Streams, args []string) error {
	o, err := parse(args, s.Err)
	if err != nil {
		return err
	}
	if o.help {
		return s.Out.Print(help.Top)
	}
	if err := action.Check(s, o.request); err != nil {
		return err
	}
	if o.once || o.batch {
		return printLooks(s, o)
	}
	if err := checkTerminal(s); err != nil {
		return err
	}
	return show(s, o)
}

// show shows the screen.
func show(s *console.Streams, o *options) error {
	held := &messages{to: os.Stderr}
	quiet := console.NewStreams(s.In, io.Discard, held)
	set, err := target.Open(choice(o.request), quiet)
	if err != nil {
		return err
	}
	table := newTable(o, set, 0)
	var a *actor
	if !o.readOnly {
		a = &actor{tables: set.Tables}
		if set.Tables[0].File != nil { // the screen is to show what was written only
			changed, err := target.Open(choice(o.request), quiet)
			if err != nil {
				return set.Close(err)
			}
			defer func() { _ = changed.Close(nil) }()
			a.tables = changed.Tables
		}
	}
	m := newModel(table, o, a, terminalStyles(s.Out))
	m.tables = set.Tables
	err = screen(m, func(ctx context.Context) error {
		held.hold(true)
		return notRead(o.request, set, table.Run(ctx))
	})
	held.hold(false)
	if len(set.Tables) == 1 {
		err = set.Tables[0].NameError(err)
	}
	return set.Close(err)
}

// choice returns the tables that a request is about.
func choice(r *cmdline.Request) target.Choice {
	return target.Choice{
		File: r.TableFile, HasFile: r.Has(cmdline.OptTable),
		NetNS: r.NetNS, HasNetNS: r.Has(cmdline.OptNetNS),
		AllNetNS: r.Has(cmdline.OptAllNetNS), Now: r.Has(cmdline.OptNow),
	}
}

// sources returns the tables of a set for a copy of them.
func sources(set *target.Set) []live.Source {
	list := make([]live.Source, len(set.Tables))
	for i, t := range set.Tables {
		list[i] = live.Source{Conn: t.Conn, Now: t.Now}
		if set.Several {
			list[i].Name = t.Name
		}
		if t.InKernel() {
			list[i].Sysctl, list[i].Program = t.Sysctl, t.ProcessName
		}
	}
	return list
}

// messages takes messages that would be written over the screen, and writes them
// after it.
type messages struct {
	mu   sync.Mutex
	to   io.Writer
	held bool
	text []byte
}

// mostHeld is how much of the messages is kept.
const mostHeld = 64 << 10

func (h *messages) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		return h.to.Write(b)
	}
	h.text = append(h.text, b[:min(len(b), max(mostHeld-len(h.text), 0))]...)
	return len(b), nil
}

// hold begins to keep messages, or writes those that were kept.
func (h *messages) hold(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = on
	if !on && len(h.text) > 0 {
		_, _ = h.to.Write(h.text) // there is nobody else to tell
		h.text = nil
	}
}
