package top

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// groups is the panel of groups: the entries with the same values of some keys.
type groups struct {
	by         []cmdline.Key
	sort       string
	descending bool
	grid       *groupsGrid // nil: to be made

	got    *live.Groups // the last answer, nil: there is none to these keys yet
	failed error        // why there is none

	scroll scroll
	clicks clicks
	// stays reports that the cursor stays on its group, wherever that goes, and not
	// in its place. The group has the values stay; "": those of the row of the cursor,
	// which is not there yet.
	stays bool
	stay  string
}

// groupsMsg is the answer to a question for groups.
type groupsMsg struct {
	asked  *live.GroupQuery
	groups *live.Groups
	err    error
}

// newGroups returns the panel of groups, by the keys of --by at first.
func newGroups(o *options) *groups {
	p := &groups{sort: "entries", descending: true}
	if o != nil && o.request != nil && o.request.View().By != nil {
		v := o.request.View()
		if len(v.Order) > 0 {
			p.sort, p.descending = v.Order[0].Name, v.Order[0].Descending
		}
		p.setKeys(v.By)
		return p
	}
	by, _ := cmdline.ParseGroupKeys(groupsPresets[0]) // which is right
	p.setKeys(by)
	return p
}

// setKeys changes what entries are grouped by.
func (p *groups) setKeys(by []cmdline.Key) {
	p.by, p.grid, p.got, p.failed = by, nil, nil, nil
	p.unpin()
	if !slices.Contains(p.sortKeys(), p.sort) {
		p.sort, p.descending = "entries", true
	}
}

// unpin puts the cursor in the first row, where it stays whatever group is there.
func (p *groups) unpin() {
	p.scroll.move(-p.scroll.cursor)
	p.stays, p.stay = false, ""
}

// groupNames returns the names of keys, and the kinds of their values.
func groupNames(by []cmdline.Key) (names []string, kinds []format.Kind) {
	for i := range by {
		names, kinds = append(names, by[i].Name), append(kinds, by[i].Kind())
	}
	return names, kinds
}

// keysText returns the keys as they are typed.
func keysText(by []cmdline.Key) string {
	names, _ := groupNames(by)
	return strings.Join(names, ",")
}

// groupText returns what the entries of a group have in common: src=192.0.2.1
// dport=443.
func groupText(g *live.GroupID) string {
	names, kinds := groupNames(g.Keys)
	values := stats.Values([]byte(g.Values))
	return string(format.AppendGroup(nil, names, kinds, values[:min(len(values), len(names))]))
}

func (p *groups) name() string { return "groups" }

func (p *groups) title(*Model) string { return "groups by " + keysText(p.by) }

// groupsFrame is how many lines there are beside groups: the titles and the sums.
const groupsFrame = 2

func (p *groups) ask(ctx context.Context, m *Model, _, lines int) tea.Cmd {
	// A screen above and one below are there when the cursor moves.
	rows := max(lines-groupsFrame, 1)
	first := max(p.scroll.top-rows, 0)
	q := &live.GroupQuery{
		Keys: p.by, Filter: m.filter, Sort: p.sort, Descending: p.descending,
		Offset: first, Limit: p.scroll.top - first + 2*rows, Around: p.stay, Search: m.search,
	}
	d := m.data
	return func() tea.Msg {
		groups, err := d.Groups(ctx, q)
		return groupsMsg{q, groups, err}
	}
}

func (p *groups) answer(_ *Model, msg tea.Msg) (tea.Cmd, bool) {
	answer, ok := msg.(groupsMsg)
	if !ok {
		return nil, false
	}
	if keysText(answer.asked.Keys) != keysText(p.by) {
		return nil, true
	}
	if p.failed = answer.err; answer.err != nil {
		return nil, true
	}
	p.got = answer.groups
	p.scroll.fit(p.got.Matched, p.scroll.lines)
	if !p.stays {
		return nil, true
	}
	at := slices.IndexFunc(p.got.Groups, func(g live.Group) bool { return g.ID.Values == p.stay })
	switch {
	case at >= 0:
		p.scroll.jump(p.got.Offset + at)
	case p.stay == "" || p.stay == answer.asked.Around: // it has no entries any more
		p.pin()
	}
	return nil, true
}

// pin makes the cursor stay on its group.
func (p *groups) pin() {
	p.stays, p.stay = true, ""
	if g := p.group(p.scroll.cursor); g != nil {
		p.stay = g.ID.Values
	}
}

// group returns a group by its index in the order, nil if it is not known.
func (p *groups) group(index int) *live.Group {
	if p.got == nil || index < p.got.Offset || index-p.got.Offset >= len(p.got.Groups) {
		return nil
	}
	return &p.got.Groups[index-p.got.Offset]
}

// moved is called after the cursor was moved. At the top it stays at the top.
func (p *groups) moved(m *Model) {
	if p.pin(); p.scroll.cursor == 0 {
		p.unpin()
	}
	first, last := p.scroll.top, min(p.scroll.top+p.scroll.lines, p.scroll.total)-1
	if p.group(first) == nil || p.group(last) == nil {
		m.refresh()
	}
}

func (p *groups) key(m *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch key := k.String(); key {
	case "enter":
		p.open(m)
	case "g":
		m.openOverlay(newGroupsLine(p))
	case "w":
		m.openOverlay(newGroupsWriteLine(p))
	case "b":
		p.preset(m, 1)
	case "B":
		p.preset(m, -1)
	case "left", "<":
		p.sortNext(m, -1)
	case "right", ">":
		p.sortNext(m, 1)
	case "r", "R":
		p.sortBy(m, p.sort)
	case "home":
		p.unpin()
		m.refresh()
	default:
		if !p.scroll.key(key) {
			return nil, false
		}
		p.moved(m)
	}
	return nil, true
}

// open shows the entries of the group at the cursor, which it is on again afterwards.
func (p *groups) open(m *Model) {
	if g := p.group(p.scroll.cursor); g != nil {
		p.pin()
		m.drillGroup(g.ID)
	}
}

func (p *groups) click(m *Model, x, y int) tea.Cmd {
	if y == 0 {
		if p.grid != nil {
			for _, c := range p.grid.Columns() {
				if x-gutter >= c.X-1 && x-gutter <= c.X+c.Width {
					p.sortBy(m, p.grid.column(&c))
					break
				}
			}
		}
		return nil
	}
	if at := p.scroll.top + y - 1; y <= p.scroll.lines && at < p.scroll.total {
		p.scroll.move(at - p.scroll.cursor)
		p.moved(m)
		if p.clicks.double(at, m.now()) {
			p.open(m)
		}
	}
	return nil
}

// wheelLines is how far a turn of the wheel goes.
const wheelLines = 3

func (p *groups) wheel(m *Model, turns int) tea.Cmd {
	p.scroll.roll(turns * wheelLines)
	p.moved(m)
	return nil
}

func (p *groups) keys() []hint {
	return []hint{
		{"Enter", "entries"}, {"g", "group by"}, {"b B", "other keys"}, {"< >", "sort"}, {"r", "reverse"}, {"w", "write"},
	}
}
