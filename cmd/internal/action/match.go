package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/filter"
)

// readFilters reads the files of --match: one of their filters must match.
func readFilters(s *console.Streams, r *cmdline.Request) error {
	if r.MatchFrom == nil {
		return nil
	}
	var all []*filter.Filter
	for _, path := range r.MatchFrom {
		text, err := readFile(s.In, path)
		if err != nil {
			return err
		}
		if snapshot.IsSnapshot(text) {
			return cmdline.Usagef("%s is a table file, not a file of filters", path)
		}
		list, err := r.ReadFilters(text, s.Err)
		if wrong := (*cmdline.LineError)(nil); errors.As(err, &wrong) {
			return atPlace(lineOf(path, wrong.Line), wrong.Err)
		}
		all = append(all, list...)
	}
	r.SetMatch(all)
	return nil
}
