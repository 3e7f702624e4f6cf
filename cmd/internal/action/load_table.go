package action

import (
	"io"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// tableLines returns the entries of a table file as `conntrack save' writes
// them. Labels are written by number, because the file of their names may be
// another where they are loaded.
func tableLines(path string) (string, error) {
	r, err := cmdline.SaveRequest(path)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = Run(console.NewStreams(strings.NewReader(""), &text, io.Discard), r)
	return text.String(), err
}

// isTableFile returns the error for a table file in place of a file of commands.
func isTableFile(path string) error {
	if path == "-" {
		return cmdline.Usagef("standard input is a table file, not a file of commands; save it to FILE and load its " +
			"entries with `conntrack load --table-file FILE', or use it as the table with --table FILE")
	}
	return cmdline.Usagef("%s is a table file, not a file of commands; load its entries with `conntrack load "+
		"--table-file %s', or use it as the table with --table %s", path, path, path)
}
