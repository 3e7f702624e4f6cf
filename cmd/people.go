package cmd

import (
	"bytes"
	"iter"
	"math"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// view is what of the entries is shown, and in which order: --by, --sort,
// --limit. --columns is part of format.Options.
type view struct {
	columns string // as it was typed
	by      []key
	sort    string // as it was typed
	order   []stats.Order
	sortBy  []key // of entries; groups have their own names
	limit   int   // 0: none
}

// shown returns the view that was asked for: everything as it comes, if none
// was.
func (r *Request) shown() *view {
	if r.view == nil {
		return &everything
	}
	return r.view
}

var everything view // never changed: it has no sort and no keys

// viewOption takes an option of the view. Which names there are depends on
// others: judgeView reads them.
func (r *Request) viewOption(o option, value string) (err error) {
	if r.view == nil {
		r.view = new(view)
	}
	switch o {
	case optBy:
		r.view.by, err = parseKeys("by", value)
	case optColumns:
		r.view.columns = value
	case optSort:
		r.view.sort = value
	case optLimit:
		n, ok := parseUint(value, math.MaxInt32)
		if !ok || n == 0 {
			return usagef("unexpected value '%s' with --limit: a number of at least 1 is required", value)
		}
		r.view.limit = int(n)
	}
	return err
}

// judgeView reads the names that the view has, and holds the view against the
// command and the form of output.
func (r *Request) judgeView() error {
	v, out := r.shown(), &r.Output
	if r.has(optColumns) {
		if !r.has(optOutput) {
			out.Style = format.StyleTable
		}
		if out.Style != format.StyleTable && out.Style != format.StyleCSV {
			return usagef("--columns can only be used with -o table and -o csv")
		}
		if v.by != nil {
			return usagef("--columns cannot be used with --by: the keys are the columns")
		}
		var err error
		if out.Columns, err = parseFields("columns", v.columns, r.Table == tableExpect); err != nil {
			return err
		}
	}
	switch {
	case out.Style == format.StyleTable && !oneOf(r.Command, cmdList, cmdGet, cmdStats):
		return usagef("-o table can only be used with -L, -G and -S")
	case out.Style == format.StyleProm && r.Command != cmdStats:
		return usagef("-o prom can only be used with -S")
	}
	if v.by != nil && !oneOfStyles(out.Style, format.StyleClassic, format.StyleTable, format.StyleJSON, format.StyleJSONL, format.StyleCSV) {
		return usagef("--by can only be used with -o table, json, jsonl and csv")
	}
	if v.limit > 0 && r.Zero && v.by == nil {
		return usagef("Can't use -z with --limit: counters that are not shown would be lost")
	}
	return r.judgeSort()
}

// judgeSort reads the order of entries or of groups.
func (r *Request) judgeSort() error {
	v := r.shown()
	if v.sort == "" {
		if r.has(optSort) {
			return usagef("--sort needs a key")
		}
		if v.by != nil {
			v.order = []stats.Order{{Name: "entries", Descending: true}}
		}
		return nil
	}
	for _, o := range stats.ParseOrder(v.sort) {
		if v.by != nil && slices.Contains(stats.Sums, o.Name) {
			v.order = append(v.order, o)
			continue
		}
		keys, err := parseKeys("sort", o.Name)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if v.by != nil && !slices.ContainsFunc(v.by, func(b key) bool { return b.name == k.name }) {
				return usagef("groups have no `%s': --sort takes entries, packets, bytes and the keys of --by", o.Name)
			}
			o.Name = k.name
			v.order = append(v.order, o)
			v.sortBy = append(v.sortBy, k)
		}
	}
	return nil
}

func oneOfStyles(s format.Style, list ...format.Style) bool { return slices.Contains(list, s) }

// dress chooses the form for a terminal: there `list' and the sums of --by are
// tables, unless -o says otherwise. Tables fit the terminal's width. Labels are
// told by name where there are names.
func (p *program) dress(r *Request) {
	out := &r.Output
	if !r.has(optOutput) && out.Style == format.StyleClassic &&
		(r.byName && oneOf(r.Command, cmdList, cmdGet, cmdStats) || r.shown().by != nil) && isTerminal(p.stdout) {
		out.Style = format.StyleTable
	}
	if out.Style == format.StyleTable {
		out.Width, out.Color = lineWidth(p.stdout), useColor(p.stdout)
	}
	if out.Style == format.StyleTable || r.shown().by != nil || r.shown().order != nil {
		if m, err := r.openLabelMap(); err == nil {
			out.LabelNames = m.names
		}
	}
}

// ordered returns the entries of a stream as --sort and --limit want them. c
// is the context in which they come, and in which they are shown.
func (r *Request) ordered(entries iter.Seq2[*ctnetlink.Flow, error], c *format.Context) iter.Seq2[*ctnetlink.Flow, error] {
	v := r.shown()
	switch {
	case v.order != nil:
		return r.sorted(entries, c)
	case v.limit > 0:
		return func(yield func(*ctnetlink.Flow, error) bool) {
			n := 0
			for f, err := range entries {
				if !yield(f, err) {
					return
				}
				if n++; n == v.limit {
					return
				}
			}
		}
	}
	return entries
}

// sorted reads the whole stream and keeps what is shown of it: the namespace's
// name, a NUL, and the message.
func (r *Request) sorted(entries iter.Seq2[*ctnetlink.Flow, error], c *format.Context) iter.Seq2[*ctnetlink.Flow, error] {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		kept := stats.NewSorted(r.shown().order, r.shown().limit)
		reader := r.newKeyReader(r.shown().sortBy, c)
		var record []byte
		for f, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			record = append(append(append(record[:0], c.NetNS...), 0), f.Message()...)
			kept.Add(reader.read(f), record)
		}
		var f ctnetlink.Flow
		for record := range kept.All() {
			name, message, _ := bytes.Cut(record, []byte{0})
			c.NetNS = string(name)
			if err := f.Decode(message); err != nil {
				yield(nil, err)
				return
			}
			if !yield(&f, nil) {
				return
			}
		}
	}
}

// longHelp is the help of a command that has more to tell than its options.
func (t *treeCommand) longHelp() string {
	if t.name == "stats" {
		return statsHelp
	}
	return ""
}

// outputHelp is the help of -o for the command, all where it takes all forms.
func (t *treeCommand) outputHelp(all string) string {
	switch t.name {
	case "summary":
		return "output: table, json, jsonl or csv"
	case "stats":
		return "output: table, prom, json, jsonl or csv"
	case "count":
		return "output: json, jsonl or csv"
	}
	return all
}
