package cmdline

import (
	"slices"

	"github.com/gonntrack/gonntrack/format"
)

// validateProcesses checks --processes against the form of output. In place of the
// classic lines, which have no room for names, it makes a table.
func validateProcesses(r *Request) error {
	if !r.Has(OptProcesses) {
		return nil
	}
	if !r.Has(OptOutput) {
		r.Output.Style = format.StyleTable
	}
	switch {
	case r.View().By != nil:
		return Usagef("--processes cannot be used with --by: process is a key")
	case !oneOfStyles(r.Output.Style, format.StyleTable, format.StyleJSON, format.StyleJSONL, format.StyleCSV):
		return Usagef("--processes can only be used with -o table, json, jsonl and csv")
	}
	r.Output.Processes = true
	return nil
}

// validateNames checks --names and --services in the same way.
func validateNames(r *Request) error {
	for _, o := range []Option{OptNames, OptServices} {
		if !r.Has(o) {
			continue
		}
		if !r.Has(OptOutput) {
			r.Output.Style = format.StyleTable
		}
		if r.Output.Style != format.StyleTable {
			return Usagef("--%s can only be used with -o table", o.Name())
		}
	}
	return nil
}

// WantsProcesses reports whether the local processes of connections are shown,
// sorted by, or counted by.
func (r *Request) WantsProcesses() bool {
	v := r.View()
	of := func(k Key) bool { return k.Field.IsProcess() }
	return r.Has(OptProcesses) || slices.ContainsFunc(v.By, of) || slices.ContainsFunc(v.SortBy, of) ||
		slices.ContainsFunc(r.Output.Columns, (*format.Field).IsProcess)
}
