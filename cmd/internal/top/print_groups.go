package top

import (
	"context"
	"math"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// printGroups prints the groups of a look.
func (p *printer) printGroups(ctx context.Context) error {
	head := p.head()
	const around = 2 // the headings and the sums
	v := p.options.request.View()
	q := &live.GroupQuery{Keys: v.By, Sort: v.Order[0].Name, Descending: v.Order[0].Descending, Limit: p.rows(len(head) + around)}
	found, err := p.table.Groups(ctx, q)
	if err != nil {
		return err
	}
	buf := &p.Out.Buf
	style := p.options.request.Output.Style
	if style == format.StyleTable {
		p.printHead(head)
		return p.groupTable(found)
	}
	if p.groups == nil {
		names, kinds := groupNames(v.By)
		p.groups = format.NewGroupRecords(style, names, kinds)
	}
	groups := make([]stats.Group, len(found.Groups))
	rates := make([]format.Rates, len(found.Groups))
	for i := range found.Groups {
		groups[i], rates[i] = found.Groups[i].Group, found.Groups[i].Rates
	}
	if style == format.StyleJSON {
		*buf = append(p.beginDocument(*buf), `"matched":`...)
		*buf = append(appendJSON(*buf, found.Matched), `,"groups":`...)
	}
	var look time.Time
	if p.options.batch {
		look = p.at
	}
	*buf = p.groups.Append(*buf, groups, rates, look)
	if style == format.StyleJSON {
		*buf = endDocument(*buf)
	}
	return nil
}

// groupTable prints groups as a table, with the sums of all below.
func (p *printer) groupTable(found *live.Groups) error {
	if found.Matched == 0 {
		return nil
	}
	m := p.model()
	m.status.AccountingOff = true // counters have columns if there are any
	order := p.options.request.View().Order[0]
	out := &p.options.request.Output
	width := out.Width
	if width == 0 {
		width = math.MaxInt16
	}
	g := &groups{by: p.options.request.View().By, sort: order.Name, descending: order.Descending, got: found}
	g.grid = g.newGrid(m, width)
	names, kinds := groupNames(g.by)
	if out.HostNames != nil {
		for i := range found.Groups {
			format.GroupCells(out, names, kinds, &found.Groups[i].Group) // asks for names
		}
		out.HostNames.Wait()
	}
	for i := range found.Groups {
		one := &found.Groups[i]
		g.grid.AddCells(append(format.GroupCells(out, names, kinds, &one.Group), g.grid.sums(one, &found.Total)...)...)
	}
	g.grid.AddCells(g.sums()...)
	g.grid.Fit(width)
	strong := func(_ *format.GridColumn, cell string) string { return cell }
	dress := strong
	if out.Color {
		strong = func(_ *format.GridColumn, cell string) string { return m.style.on(bold, cell) }
		dress = func(c *format.GridColumn, cell string) string {
			return m.style.on(paint(format.CellColor(c.Field, cell)), cell)
		}
	}
	p.Out.Buf = append(g.grid.AppendTitles(p.Out.Buf, strong), '\n')
	for i := range found.Groups {
		p.Out.Buf = append(g.grid.AppendRow(p.Out.Buf, i, dress), '\n')
		if err := p.Out.Spill(); err != nil {
			return err
		}
	}
	p.Out.Buf = append(g.grid.AppendRow(p.Out.Buf, len(found.Groups), strong), '\n')
	return nil
}
