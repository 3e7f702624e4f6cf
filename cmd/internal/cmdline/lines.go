package cmdline

import (
	"bytes"
	"errors"
	"iter"
	"runtime"
	"strings"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// LineError is what is wrong with a line of a file.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return e.Err.Error() }

// Unwrap returns the error without its line.
func (e *LineError) Unwrap() error { return e.Err }

// ValidateLines reads and validates every line, several pieces of the text at the
// same time, and returns what is wrong with the first line that is not right as a
// *[LineError]. Warnings about a line begin with its place, unless place is nil.
func ValidateLines(stderr *console.Messages, netns, text string, place func(line int) string) error {
	pieces := splitText(text, runtime.GOMAXPROCS(0))
	checked := make([]lineCheck, len(pieces))
	var wait sync.WaitGroup
	for i, piece := range pieces {
		wait.Go(func() { checked[i].check(netns, piece) })
	}
	wait.Wait()
	// Warnings and errors come as if the lines had been read in turn.
	for i := range checked {
		for _, w := range checked[i].warnings {
			if place != nil {
				stderr.Printf("%s: ", place(inFile(pieces[:i], w).Line))
			}
			stderr.Printf("%s", printable.Lines(w.Error()))
		}
		if checked[i].wrong != nil {
			return inFile(pieces[:i], checked[i].wrong)
		}
	}
	for i := range checked {
		if checked[i].misplaced != nil {
			return inFile(pieces[:i], checked[i].misplaced)
		}
	}
	for i := range checked {
		if checked[i].unfit != nil {
			return inFile(pieces[:i], checked[i].unfit)
		}
	}
	return nil
}

// inFile counts the lines of the pieces before that of an error.
func inFile(before []string, e *LineError) *LineError {
	for _, piece := range before {
		e.Line += strings.Count(piece, "\n")
	}
	return e
}

// lineCheck is what is found in a piece of the text.
type lineCheck struct {
	warnings []*LineError
	// wrong is the error of the first line that cannot be read, misplaced of the
	// first whose command a file may not have, which is reported only when all
	// can be read, and unfit of the first whose options would be refused when it
	// is run. Their lines count from the beginning of the piece.
	wrong, misplaced, unfit *LineError
}

func (c *lineCheck) check(netns, text string) {
	var warnings bytes.Buffer
	for r, err := range readLines(netns, text, console.NewMessages(&warnings)) {
		if warnings.Len() > 0 {
			line := r.lineOr(err)
			c.warnings = append(c.warnings, &LineError{line, errors.New(warnings.String())})
			warnings.Reset()
		}
		switch {
		case err != nil:
			c.wrong = err
			return
		case c.misplaced == nil && !loadable(r):
			c.misplaced = &LineError{r.Line, Usagef("Cannot use command `%s' with --load-file", classicName(r))}
		case c.unfit == nil:
			err := r.ValidateFilter()
			if err == nil {
				err = validateInFile(r)
			}
			if err != nil {
				c.unfit = &LineError{r.Line, err}
			}
		}
	}
}

// lineOr returns the line of a request, or of the error in its place.
func (r *Request) lineOr(err *LineError) int {
	if err != nil {
		return err.Line
	}
	return r.Line
}

// readLines streams the requests of a text's lines, up to the first that
// cannot be read. netns is the network namespace that they are loaded into, ""
// if none was named.
func readLines(netns, text string, stderr *console.Messages) iter.Seq2[*Request, *LineError] {
	return func(yield func(*Request, *LineError) bool) {
		words := make([]string, 0, maxWords)
		n := 0
		for line := range strings.Lines(text) {
			n++
			if skipped(line) {
				continue
			}
			words, err := splitWords(line, words[:0])
			if err != nil {
				yield(nil, &LineError{n, err})
				return
			}
			r, err := ParseLine(netns, words, stderr)
			if err != nil {
				yield(nil, &LineError{n, err})
				return
			}
			r.Line, r.Text = n, line
			if !yield(r, nil) {
				return
			}
		}
	}
}

// ReadAhead reads lines that were validated before, a few hundred ahead of the
// request that is taken. stop ends it.
func ReadAhead(netns, text string) (requests iter.Seq[*Request], stop func()) {
	const batch = 64
	ready := make(chan []*Request, 4)
	stopped := make(chan struct{})
	go func() {
		defer close(ready)
		list := make([]*Request, 0, batch)
		send := func() bool {
			select {
			case ready <- list:
				list = make([]*Request, 0, batch)
				return true
			case <-stopped:
				return false
			}
		}
		for r, err := range readLines(netns, text, nil) {
			if err != nil {
				break // cannot be: all were validated
			}
			if list = append(list, r); len(list) == batch && !send() {
				return
			}
		}
		send()
	}()
	return func(yield func(*Request) bool) {
		for list := range ready {
			for _, r := range list {
				if !yield(r) {
					return
				}
			}
		}
	}, func() { close(stopped) }
}

// splitText cuts a text at line ends into about n pieces. Small texts stay
// whole.
func splitText(text string, n int) []string {
	var pieces []string
	size := max(len(text)/n+1, 64<<10)
	for len(text) > size {
		end := strings.IndexByte(text[size:], '\n')
		if end < 0 {
			break
		}
		pieces = append(pieces, text[:size+end+1])
		text = text[size+end+1:]
	}
	return append(pieces, text)
}

// loadable reports whether a file may hold the command.
func loadable(r *Request) bool {
	return r.Table == TableConntrack && r.Command.Is(CmdCreate, CmdAdd, CmdUpdate, CmdDelete, CmdFlush)
}

// classicName returns the name of a command in the classic message about it, where
// -I expect is -C expect.
func classicName(r *Request) string {
	c := r.Command
	if c == CmdNone {
		return "unknown"
	}
	if r.Table != TableExpect || c.Is(CmdHelp, CmdVersion) {
		return "-" + string(rune(c))
	}
	if c == CmdCreate {
		c = CmdCount
	}
	return "-" + string(rune(c)) + " expect"
}
