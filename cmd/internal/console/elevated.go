package console

import (
	"errors"
	"fmt"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// ErrElevated is the error of MayOpen.
var ErrElevated = errors.New("is not opened, because this program has been given more rights to files than its user " +
	"has; give it only those it needs, without a set-user-ID bit: setcap cap_net_admin+ep PROGRAM")

// MayOpen returns an error if the program has rights that its user lacks: those of
// a set-user-ID or set-group-ID program, or capabilities of its file by which it
// opens every file. It must not open a file that the user names, because messages
// show parts of files. CAP_NET_ADMIN opens no files.
func MayOpen(path string) error {
	if !elevated() {
		return nil
	}
	return fmt.Errorf("%s %w", printable.String(path), ErrElevated)
}
