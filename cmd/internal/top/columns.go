package top

import (
	"fmt"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/format"
)

// columnChoice says which columns of entries are shown.
type columnChoice struct {
	base   []*format.Field // those of --columns, nil: the usual ones
	more   []*format.Field // shown on request, in addition
	hidden []*format.Field // not shown on request
}

// request takes what a command line asks for.
func (c *columnChoice) request(r *cmdline.Request) {
	c.base = r.Output.Columns
	if r.Has(cmdline.OptProcesses) {
		c.set(format.FieldByName("process"), true)
	}
}

// shown reports whether a column is shown if it fits and has something to say.
func (c *columnChoice) shown(d *format.Field) bool {
	switch {
	case slices.Contains(c.hidden, d):
		return false
	case slices.Contains(c.more, d):
		return true
	case c.base != nil:
		return slices.Contains(c.base, d)
	}
	return !d.IsProcess() && slices.Contains(format.UsualColumns(), d)
}

// set shows a column, or does not.
func (c *columnChoice) set(d *format.Field, on bool) {
	is := func(other *format.Field) bool { return other == d }
	c.hidden = slices.DeleteFunc(c.hidden, is)
	c.more = slices.DeleteFunc(c.more, is)
	switch {
	case on && !c.shown(d):
		c.more = append(c.more, d)
	case !on && c.shown(d):
		c.hidden = append(c.hidden, d)
	}
}

// wantsProcesses reports whether a column shows processes.
func (c *columnChoice) wantsProcesses() bool {
	for d := range format.Fields() {
		if d.IsProcess() && c.shown(d) {
			return true
		}
	}
	return false
}

// withoutProcesses hides the columns of processes.
func (c *columnChoice) withoutProcesses() {
	for d := range format.Fields() {
		if d.IsProcess() {
			c.set(d, false)
		}
	}
}

// grid returns a grid with the columns, and with the one that entries are sorted by
// wherever it is.
func (c *columnChoice) grid(o format.Options, sorted *format.Field, ascii bool) *format.Grid {
	o.Columns = c.base
	g := format.NewGrid(o, ascii)
	for _, d := range c.more {
		g.Show(d, 1)
	}
	if sorted != nil {
		g.Show(sorted, 0)
	}
	for _, d := range c.hidden {
		if d != sorted {
			g.Hide(d)
		}
	}
	return g
}

// columnsFor returns the grid. Its columns are chosen anew, and forget how wide they
// were, when what is shown changes.
func (p *entries) columnsFor(m *Model) *format.Grid {
	o := format.Options{Rates: !m.status.AccountingOff}
	o.LabelNames = p.labels
	p.lookups.dress(&o)
	sorted := sortColumn(p.sorted(m))
	on := fmt.Sprint(p.choice.base, p.choice.more, p.choice.hidden, sorted, o.Rates, o.HostNames != nil,
		o.ServiceName != nil, p.width, m.style.utf8, m.filterText, m.search, m.group)
	if p.grid == nil || on != p.gridFor {
		p.grid, p.gridFor = p.choice.grid(o, sorted, !m.style.utf8), on
	}
	return p.grid
}
