package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// refusal is a request that the table refused, or that could not be made.
type refusal struct {
	request *cmdline.Request
	err     error
}

func (e *refusal) Unwrap() error { return e.err }

func (e *refusal) Error() string {
	if text := target.FileErrorText(e.err); text != "" {
		return text
	}
	return "Operation failed: " + e.reason()
}

// reason is what made the table refuse, or the request impossible.
func (e *refusal) reason() string {
	if errno, ok := ctnetlink.AsErrno(e.err); ok {
		return refusalText(e.request.Command, e.request.Table, errno)
	}
	return e.err.Error()
}

// refusalText is the classic text of an error number. The sentences of a
// command go before those of every command, which go before glibc's texts.
func refusalText(c cmdline.Command, t cmdline.Table, errno ctnetlink.Errno) string {
	expect := t == cmdline.TableExpect
	switch {
	case errno == ctnetlink.EPERM:
		return "sorry, you must be root or get CAP_NET_ADMIN capability to do this"
	case errno == ctnetlink.EINVAL && !(c == cmdline.CmdAdd || c == cmdline.CmdStats || c == cmdline.CmdCount && expect):
		return "invalid parameters"
	case errno == ctnetlink.EEXIST && c == cmdline.CmdCreate && !expect:
		return "Such conntrack exists, try -U to update"
	case errno == ctnetlink.ENOENT && c == cmdline.CmdCreate && expect:
		return "master conntrack not found"
	case errno == ctnetlink.ENOENT && !expect &&
		c.Is(cmdline.CmdCreate, cmdline.CmdAdd, cmdline.CmdGet, cmdline.CmdDelete):
		return "such conntrack doesn't exist"
	case errno == ctnetlink.ENOMEM && c.Is(cmdline.CmdCreate, cmdline.CmdAdd, cmdline.CmdGet):
		return "not enough memory"
	case errno == ctnetlink.EAFNOSUPPORT && c == cmdline.CmdGet:
		return "protocol not supported"
	case errno == ctnetlink.ETIME && c.Is(cmdline.CmdCreate, cmdline.CmdAdd):
		return "conntrack has expired"
	case errno == ctnetlink.ENOTSUPP && c == cmdline.CmdList:
		return "function not implemented"
	}
	return errno.Error()
}

// Refused returns an error of a table in the words of the command of a request, for
// programs beside conntrack; nil for nil.
func Refused(r *cmdline.Request, err error) error { return refused(r, err) }

// refused returns an error of the table in the words of the command, nil for
// nil.
func refused(r *cmdline.Request, err error) error {
	var in *tableError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &in):
		return inNamespace(in.table, &refusal{r, in.err})
	}
	return &refusal{r, err}
}
