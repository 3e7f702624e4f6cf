package top

import (
	"context"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
)

// printEntries prints the entries of a look.
func (p *printer) printEntries(ctx context.Context) error {
	head := p.head()
	const around = 2 // the headings, and the columns that are left out
	r := p.options.request
	order := (&entries{order: requestedOrder(r)}).sorted(p.model()) // that of the screen
	page, err := p.table.Page(ctx, &live.Query{Order: order, Limit: p.rows(len(head) + around)})
	if err != nil {
		return err
	}
	var c format.Context
	end, err := action.FindProcesses(p.set, r, &c)
	if err != nil {
		return err
	}
	defer end()
	w := p.entries
	if w == nil || r.Output.Style == format.StyleTable {
		w = format.NewPrinter(r.Output)
	}
	buf := &p.Out.Buf
	switch {
	case r.Output.Style == format.StyleTable:
		p.printHead(head)
	case r.Output.Style == format.StyleJSON:
		*buf = append(p.beginDocument(*buf), `"matched":`...)
		*buf = appendJSON(*buf, page.Matched)
		*buf = append(*buf, `,"entries":`...)
		if len(page.Rows) > 0 {
			*buf = w.AppendHeader(*buf)
		}
	case p.entries == nil:
		*buf = w.AppendHeader(*buf)
	}
	p.entries = w
	if p.options.batch {
		c.Look = p.at
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		t := p.set.Tables[row.Ref.Source()]
		if c.Now, c.Rates = t.Now(), &row.Rates; p.set.Several {
			c.NetNS = t.Name
		}
		*buf = w.AppendFlow(w.AppendSeparator(*buf, i), row.Flow, &c)
		if err := p.Out.Spill(); err != nil {
			return err
		}
	}
	switch r.Output.Style {
	case format.StyleTable:
		*buf = w.AppendFooter(*buf)
	case format.StyleJSON:
		if len(page.Rows) > 0 {
			*buf = w.AppendFooter(*buf)
		} else {
			*buf = w.AppendEmpty(*buf)
		}
		*buf = endDocument(*buf)
	}
	return nil
}
