package cmdline

import (
	"slices"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// CompatVersion is the version of conntrack-tools that the classic grammar is
// compatible with. Messages begin with it, because scripts compare them.
const CompatVersion = "conntrack v1.4.9 (conntrack-tools)"

// UsageError is a wrong command line.
type UsageError struct {
	// Text is the message. It is printable, and may have several lines.
	Text string
	// Hint is what to type for help, "" for the classic command's.
	Hint string
}

func (e *UsageError) Error() string { return e.Text }

// Usagef returns a UsageError. Whatever is put into the text is made printable.
func Usagef(form string, args ...any) error {
	return &UsageError{Text: printable.Sprintf(form, args...)}
}

// Failure is an error in the command line that the classic command reports as a
// failure: with exit status 1, and without a hint.
type Failure struct{ Text string }

func (e *Failure) Error() string { return e.Text }

// Failuref returns a Failure. Whatever is put into the text is made printable.
func Failuref(form string, args ...any) error { return &Failure{printable.Sprintf(form, args...)} }

// Is reports whether the command is one of a list.
func (c Command) Is(list ...Command) bool { return slices.Contains(list, c) }
