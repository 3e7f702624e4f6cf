// Package cmd is the command line of conntrack. It chooses between the classic
// grammar of conntrack-tools and the commands with names, and prints the error
// that a run ends with. The packages below it do the work: cmdline reads the
// words, action runs the request.
package cmd

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Exit statuses of the classic command.
const (
	exitOK      = 0
	exitFailure = 1 // something failed, or nothing was found to act on
	exitUsage   = 2 // a wrong command line
)

// program is a run of the command.
type program struct {
	*console.Streams
	// run runs a request in place of action.Run, unless it is nil.
	run func(*cmdline.Request) error
}

// Main runs the command line of the process and returns the exit status.
func Main() int {
	defaultSignals()
	p := &program{Streams: console.NewStreams(os.Stdin, os.Stdout, os.Stderr)}
	return p.main(os.Args[1:])
}

// main chooses the grammar: the first word is a command's name, perhaps after
// options that choose the table, or the line is the classic grammar. It runs a command that is a program of its own.
func (p *program) main(args []string) int {
	args = nameFirst(args)
	if len(args) > 0 {
		if x := externalNamed(args[0]); x != nil {
			status, err := x.run(args[1:])
			return max(status, report(p.Err, err))
		}
	}
	var err error
	switch {
	case slices.Equal(args, []string{"count"}):
		err = p.count()
	case len(args) > 0 && isCommandName(args[0]):
		err = p.named(args)
	default:
		err = p.classic(args)
	}
	if ferr := p.Out.Flush(); err == nil {
		err = ferr
	}
	return report(p.Err, err)
}

// count runs `count' without options. Building the options would take longer than
// the work.
func (p *program) count() error {
	r, err := cmdline.ParseNamed(cmdline.CmdCount, "", nil, p.Err)
	if err != nil {
		return err
	}
	return action.Run(p.Streams, r)
}

// isCommandName reports whether a word is the name of a command. Any other first
// word belongs to the classic grammar, which ignores it.
func isCommandName(s string) bool {
	return !strings.HasPrefix(s, "-") && slices.Contains(commandNames, s)
}

// nameFirst puts the name of a command before the options that choose its table,
// as in `conntrack --netns web list'. Other lines are returned as they are.
func nameFirst(args []string) []string {
	at := cmdline.TargetWords(args)
	if at == 0 || at >= len(args) {
		return args
	}
	if x := externalNamed(args[at]); !isCommandName(args[at]) && (x == nil || !x.live) {
		return args
	}
	return slices.Concat(args[at:at+1], args[:at], args[at+1:])
}

// classic runs a classic command line.
func (p *program) classic(args []string) error {
	r, err := cmdline.ParseClassic(args, p.Err)
	if err != nil {
		p.checkFirst(args)
		return err
	}
	switch r.Command {
	case cmdline.CmdVersion:
		return p.Out.Print(cmdline.CompatVersion + "\n")
	case cmdline.CmdNone, cmdline.CmdHelp:
		if err := p.Out.Print(helpText); err != nil {
			return err
		}
		p.checkFirst(args)
		return nil
	}
	return p.perform(r)
}

// perform runs a request.
func (p *program) perform(r *cmdline.Request) error {
	if p.run != nil {
		return p.run(r)
	}
	return action.Run(p.Streams, r)
}

// checkFirst says that the first word of a line without a command, perhaps after
// options that choose the table, is not the name of one. The classic command
// ignores it, so nothing else changes.
func (p *program) checkFirst(args []string) {
	at := cmdline.TargetWords(args)
	if at < len(args) && !strings.HasPrefix(args[at], "-") && cmdline.ParsePartial(args).Command == cmdline.CmdNone {
		report(p.Err, unknownCommand(args[at]))
	}
}

// report prints an error as the classic command does and returns the exit
// status that goes with it. No error is exitOK.
func report(w *console.Messages, err error) int {
	var usage *cmdline.UsageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, console.ErrQuiet):
		return exitFailure
	case errors.As(err, &usage):
		hint := usage.Hint
		if hint == "" {
			hint = "`conntrack -h' or 'conntrack --help'"
		}
		w.Printf("%s: %s\nTry %s for more information.\n", cmdline.CompatVersion, printable.Lines(usage.Text), hint)
		return exitUsage
	}
	w.Printf("%s: %s\n", cmdline.CompatVersion, err)
	for _, line := range action.Cause(err) {
		w.Printf("%s: %s\n", cmdline.CompatVersion, line)
	}
	return exitFailure
}
