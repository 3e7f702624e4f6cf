package top

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
)

// sortFields are the fields that entries are sorted by for a column that combines them.
var sortFields = map[string][]string{
	"source":      {"src", "sport"},
	"destination": {"dst", "dport"},
	"translation": {"nat_src", "nat_sport", "nat_dst", "nat_dport"},
}

// sortKeys returns the keys by which entries are sorted for a column.
func sortKeys(d *format.Field, descending bool) (keys []live.Key) {
	names := sortFields[d.Name]
	if names == nil {
		names = []string{d.Name}
	}
	for _, name := range names {
		d := format.FieldByName(name)
		keys = append(keys, live.Key{Key: cmdline.Key{Name: d.Name, Field: d}, Descending: descending})
	}
	return keys
}

// sortable reports whether entries can be sorted by a column: the processes of entries
// are looked up only for those that are shown.
func sortable(d *format.Field) bool { return d != nil && !d.IsProcess() }

// largestFirst reports whether a column that is newly sorted by begins with the
// largest: that is what is looked for among counters and rates, and the newest among
// times.
func largestFirst(d *format.Field) bool {
	return d.Kind == format.KindRate || d.Kind == format.KindBytes || d.Kind == format.KindTime ||
		strings.HasSuffix(d.Name, "packets")
}

// sortColumn returns the column whose title has the arrow for an order.
func sortColumn(order []live.Key) *format.Field {
	if len(order) == 0 {
		return nil
	}
	for column, names := range sortFields {
		if len(order) >= len(names) && !slices.ContainsFunc(names, func(name string) bool {
			k := &order[slices.Index(names, name)]
			return k.Name != name || k.Descending != order[0].Descending
		}) {
			return format.FieldByName(column)
		}
	}
	return order[0].Field
}

// requestedOrder returns the order of --sort, nil if there is none.
func requestedOrder(r *cmdline.Request) (order []live.Key) {
	if r == nil || r.View().By != nil {
		return nil
	}
	v := r.View()
	for i, k := range v.SortBy {
		order = append(order, live.Key{Key: k, Descending: v.Order[i].Descending})
	}
	return order
}

// sorted returns the order of the entries: the one that was chosen, or the busiest
// first, of those that are idle those with the most bytes; where the kernel does not
// count, the newest first.
func (p *entries) sorted(m *Model) []live.Key {
	switch {
	case p.order != nil:
		return p.order
	case m.status.AccountingOff:
		return sortKeys(format.FieldByName("start"), true)
	}
	return append(sortKeys(format.FieldByName("byte_rate"), true), sortKeys(format.FieldByName("bytes"), true)...)
}

// sortBy sorts by a column, and shows the first entries.
func (p *entries) sortBy(m *Model, d *format.Field, descending bool) {
	p.order = sortKeys(d, descending)
	p.toTop()
	m.refresh()
}

// sortBeside sorts by the column that is next to the current one, by columns to the
// right.
func (p *entries) sortBeside(m *Model, by int) {
	columns := p.columns()
	current := sortColumn(p.sorted(m))
	i := slices.IndexFunc(columns, func(c format.GridColumn) bool { return c.Field == current })
	if i < 0 && by < 0 {
		i = len(columns)
	}
	for i += by; i >= 0 && i < len(columns); i += by {
		if d := columns[i].Field; sortable(d) {
			p.sortBy(m, d, largestFirst(d))
			return
		}
	}
}

// reverse turns the order round.
func (p *entries) reverse(m *Model) {
	order := slices.Clone(p.sorted(m))
	for i := range order {
		order[i].Descending = !order[i].Descending
	}
	p.order = order
	p.toTop()
	m.refresh()
}

// sortByTitle sorts by the column whose title is at a place, or reverses the order if
// it is sorted by that already.
func (p *entries) sortByTitle(m *Model, x int) {
	for _, c := range p.columns() {
		if x < c.X-1 || x > c.X+c.Width {
			continue
		}
		switch {
		case !sortable(c.Field):
			m.say("Entries cannot be sorted by their process.")
		case c.Field == sortColumn(p.sorted(m)):
			p.reverse(m)
		default:
			p.sortBy(m, c.Field, largestFirst(c.Field))
		}
		return
	}
}
