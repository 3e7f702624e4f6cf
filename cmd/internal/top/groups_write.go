package top

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// newGroupsWriteLine returns the line for the name of the file that all groups are
// written to.
func newGroupsWriteLine(p *groups) *prompt {
	const about = "The ending of the name says what is written: .json, .jsonl, .csv, .txt (a table)."
	return newPrompt("write to:", about, "write", func(m *Model, path string) (tea.Cmd, string) {
		style, ok := endings[strings.ToLower(filepath.Ext(path))]
		switch {
		case !ok:
			return nil, "The name has none of these endings."
		case style == format.StyleNetlink:
			return nil, "A table file has entries: the view of entries writes them."
		}
		q := &live.GroupQuery{
			Keys: p.by, Filter: m.filter, Sort: p.sort, Descending: p.descending, Limit: math.MaxInt32, Search: m.search,
		}
		d, grid := m.data, p.newGrid(m, 0)
		return m.writeTo(path, nil, func(w *bufio.Writer) (string, error) {
			all, err := d.Groups(context.Background(), q)
			if err != nil {
				return "", err
			}
			text := fmt.Sprintf("%d groups were written", len(all.Groups))
			if style == format.StyleTable {
				_, err = w.Write(grid.table(q, all))
			} else {
				_, err = w.Write(groupRecords(style, q, all))
			}
			return text, err
		})
	})
}

// groupRecords returns groups as records.
func groupRecords(style format.Style, q *live.GroupQuery, all *live.Groups) []byte {
	sums := make([]stats.Group, len(all.Groups))
	rates := make([]format.Rates, len(all.Groups))
	for i := range all.Groups {
		sums[i], rates[i] = all.Groups[i].Group, all.Groups[i].Rates
	}
	names, kinds := groupNames(q.Keys)
	return format.NewGroupRecords(style, names, kinds).Append(nil, sums, rates, time.Time{})
}

// table returns groups as a table without limit to its width.
func (g *groupsGrid) table(q *live.GroupQuery, all *live.Groups) []byte {
	names, kinds := groupNames(q.Keys)
	for i := range all.Groups {
		group := &all.Groups[i]
		cells := format.GroupCells(&format.Options{}, names, kinds, &group.Group)
		g.AddCells(append(cells, g.sums(group, &all.Total)...)...)
	}
	g.Fit(0)
	b := append(g.AppendTitles(nil, nil), '\n')
	for row := range g.Len() {
		b = append(g.AppendRow(b, row, nil), '\n')
	}
	return b
}
