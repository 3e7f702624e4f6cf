package action

import (
	"bytes"
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// list prints the entries that match.
func list(e *Env, r *cmdline.Request) error {
	w := e.Report.printer(e, r)
	end, err := findProcesses(e, r, &w.context)
	if err != nil {
		return err
	}
	defer end()
	entries := matching(e, r, &w.context)
	matched := 0
	if r.View().Limit > 0 {
		entries = counted(entries, &matched)
	}
	for f, err := range ordered(r, entries, &w.context) {
		if err != nil {
			return refused(r, err)
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	if err := appendExpectations(e, r, w); err != nil {
		return err
	}
	w.end()
	of := ""
	if matched > w.n {
		of = fmt.Sprintf(" of %d", matched)
	}
	return e.Report.count(e, w.n, "%d"+of+" flow entries have been shown.", false)
}

// counted adds the number of entries of a stream to n as they come.
func counted(entries flowSeq, n *int) flowSeq {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		for f, err := range entries {
			if err == nil {
				*n++
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// ordered returns the entries of a stream as --sort and --limit want them. It
// reads the whole stream, so that the entries beyond the limit can be counted. c
// is the context in which they come, and in which they are shown.
func ordered(r *cmdline.Request, entries flowSeq, c *format.Context) flowSeq {
	v := r.View()
	switch {
	case v.Order != nil:
		return sorted(r, entries, c)
	case v.Limit > 0:
		return func(yield func(*ctnetlink.Flow, error) bool) {
			n := 0
			for f, err := range entries {
				if n++; (n <= v.Limit || err != nil) && !yield(f, err) {
					return
				}
			}
		}
	}
	return entries
}

// sorted reads the whole stream and keeps of each entry that is shown the
// namespace's name, a NUL, and the message.
func sorted(r *cmdline.Request, entries flowSeq, c *format.Context) flowSeq {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		kept := stats.NewSorted(r.View().Order, r.View().Limit)
		keys := cmdline.NewKeyValues(r.View().SortBy, r.Output.LabelNames, c)
		var record []byte
		for f, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			record = append(append(append(record[:0], c.NetNS...), 0), f.Message()...)
			kept.Add(keys.Read(f), record)
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

// appendExpectations appends the expectations to a table file that is to hold
// the whole table.
func appendExpectations(e *Env, r *cmdline.Request, w *flowPrinter) error {
	if r.Output.Style != format.StyleNetlink || r.Selects() {
		return nil
	}
	w.open()
	for x, err := range e.conn().DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return refused(r, err)
		}
		w.out.Buf = w.AppendExpect(w.out.Buf, x, &w.context)
		if err := w.out.Spill(); err != nil {
			return err
		}
	}
	return nil
}
