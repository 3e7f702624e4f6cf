package cmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Exit statuses of the classic command.
const (
	exitOK      = 0
	exitFailure = 1 // something failed, or nothing was found to act on
	exitUsage   = 2 // a wrong command line
)

// compatVersion is the level of conntrack-tools that the classic grammar is
// compatible with; messages carry it, because scripts compare them.
const compatVersion = "conntrack v1.4.9 (conntrack-tools)"

// usageError is a wrong command line. hint is what to type for help, the
// classic command's where it is empty.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

func usagef(form string, args ...any) error { return &usageError{text: fmt.Sprintf(form, args...)} }

// failure is anything else that failed, in words of ours.
type failure struct{ text string }

func (e *failure) Error() string { return e.text }

func failuref(form string, args ...any) error { return &failure{fmt.Sprintf(form, args...)} }

// refusal is a request that the table refused, or that could not be made.
type refusal struct {
	command Command
	table   Table
	err     error
}

func (e *refusal) Unwrap() error { return e.err }

func (e *refusal) Error() string {
	if text := tableFileText(e.err); text != "" {
		return text
	}
	return "Operation failed: " + e.reason()
}

// reason is what made the table refuse, or the request impossible.
func (e *refusal) reason() string {
	if errno, ok := ctnetlink.AsErrno(e.err); ok {
		return refusalText(e.command, e.table, errno)
	}
	return e.err.Error()
}

// refusalText is the classic text of an error number. The sentences of a
// command go before those of every command, which go before glibc's texts.
func refusalText(c Command, t Table, errno ctnetlink.Errno) string {
	expect := t == tableExpect
	switch {
	case errno == ctnetlink.EPERM:
		return "sorry, you must be root or get CAP_NET_ADMIN capability to do this"
	case errno == ctnetlink.EINVAL && !(c == cmdAdd || c == cmdStats || c == cmdCount && expect):
		return "invalid parameters"
	case errno == ctnetlink.EEXIST && c == cmdCreate:
		return "Such conntrack exists, try -U to update"
	case errno == ctnetlink.ENOENT && c == cmdCreate && expect:
		return "master conntrack not found"
	case errno == ctnetlink.ENOENT && !expect && oneOf(c, cmdCreate, cmdAdd, cmdGet, cmdDelete):
		return "such conntrack doesn't exist"
	case errno == ctnetlink.ENOMEM && oneOf(c, cmdCreate, cmdAdd, cmdGet):
		return "not enough memory"
	case errno == ctnetlink.EAFNOSUPPORT && c == cmdGet:
		return "protocol not supported"
	case errno == ctnetlink.ETIME && oneOf(c, cmdCreate, cmdAdd):
		return "conntrack has expired"
	case errno == ctnetlink.ENOTSUPP && c == cmdList:
		return "function not implemented"
	}
	return errno.Error()
}

func oneOf(c Command, list ...Command) bool {
	for _, l := range list {
		if c == l {
			return true
		}
	}
	return false
}

// report prints an error as the classic command does and returns the exit
// status that goes with it. No error is exitOK.
func report(w io.Writer, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errQuiet):
		return exitFailure
	case errors.As(err, &usage):
		hint := usage.hint
		if hint == "" {
			hint = "`conntrack -h' or 'conntrack --help'"
		}
		fmt.Fprintf(w, "%s: %s\nTry %s for more information.\n", compatVersion, usage.text, hint)
		return exitUsage
	}
	fmt.Fprintf(w, "%s: %s\n", compatVersion, err)
	return exitFailure
}

// errQuiet ends the program with status 1 and no message: a reader that went
// away, or a message that was printed already.
var errQuiet = errors.New("")
