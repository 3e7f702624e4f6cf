package console

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// ErrorText returns the text of a failed system call as C programs print it,
// without the path and the call that Go puts in front. The text of another error
// is not changed.
func ErrorText(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var n syscall.Errno
	if !errors.As(err, &n) {
		return err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "No such file or directory" // Windows has another text
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
