package top

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
)

// notRead returns the error with which the reading of the tables of a set ended, in the
// words that a listing has for it; nil for nil.
func notRead(r *cmdline.Request, set *target.Set, err error) error {
	var in *live.SourceError
	if errors.As(err, &in) {
		return set.Tables[in.Source].NameError(action.Refused(r, in.Err))
	}
	return action.Refused(r, err)
}
