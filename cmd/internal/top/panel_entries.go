package top

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
)

// entries is the panel of entries: rows in an order, with a cursor.
//
// The cursor stays on its entry while the rows move, and the screen follows it. Only at
// the very top it stays at the top, so that the first rows are always the first.
type entries struct {
	choice  columnChoice
	order   []live.Key // nil: the usual one
	lookups lookups

	page      *live.Page // the last answer, nil: there was none
	processes processFinder
	failed    error
	group     *live.GroupID // whose entries page has

	// top and cursor are places in the order: of the first row on the screen, and of
	// the cursor. at is the entry at the cursor; zero: whichever is at that place.
	top, cursor int
	at          live.Ref
	lines       int // rows on the screen

	grid     *format.Grid
	gridFor  string // what the columns of grid depend on
	width    int    // of the grid
	clicked  time.Time
	actHints func() []hint
	labels   []string // names of labels
}

func newEntries(m *Model) *entries {
	p := &entries{lines: 1, actHints: m.actHints}
	if m.options != nil && m.options.request != nil {
		p.order = requestedOrder(m.options.request)
		p.choice.request(m.options.request)
		p.labels = m.labelNames()
	}
	p.lookups.init(m)
	return p
}

func (*entries) name() string { return "entries" }

// title tells the place of the cursor, unless it is at the top of all.
func (p *entries) title(*Model) string {
	if p.page == nil || p.cursor == 0 || p.page.Matched == 0 {
		return "entries"
	}
	return fmt.Sprintf("entries %d/%d", p.cursor+1, p.page.Matched)
}

func (p *entries) keys() []hint {
	list := append([]hint{{"< >", "sort"}}, p.actHints()...)
	return append(list, hint{"r", "reverse"}, hint{"c", "columns"}, hint{"↑ ↓ PgUp PgDn Home End", "move"})
}

// pageMsg is the answer to the question for rows.
type pageMsg struct {
	page   *live.Page
	around live.Ref
	group  *live.GroupID
	err    error
}

// query returns the question for all entries that are shown, in their order.
func (p *entries) query(m *Model) live.Query {
	return live.Query{Filter: m.filter, Order: p.sorted(m), Group: m.group, Search: m.search}
}

// ask asks for the rows on the screen, and for as many before and after them, so that
// the keys that move show them at once.
func (p *entries) ask(ctx context.Context, m *Model, _, lines int) tea.Cmd {
	rows := lines - 1
	if rows < 1 {
		return nil
	}
	p.lines = rows
	if m.group != p.group {
		p.toTop() // of the entries of another group
	}
	q := p.query(m)
	q.Offset, q.Limit, q.Around = max(p.top-rows, 0), 3*rows, p.at
	d := m.data
	return func() tea.Msg {
		a := &pageMsg{around: q.Around, group: q.Group}
		a.page, a.err = d.Page(ctx, &q)
		return a
	}
}

func (p *entries) answer(m *Model, msg tea.Msg) (tea.Cmd, bool) {
	a, ok := msg.(*pageMsg)
	if !ok {
		return nil, false
	}
	if p.failed = a.err; a.err != nil {
		return nil, true
	}
	p.take(m, a)
	return p.seek(m), true
}

// take shows new rows. The cursor goes where its entry is now.
func (p *entries) take(m *Model, a *pageMsg) {
	p.page, p.group = a.page, a.group
	found := -1
	if !p.at.IsZero() {
		for i := range p.page.Rows {
			if p.page.Rows[i].Ref == p.at {
				found = i
				break
			}
		}
	}
	switch {
	case found >= 0:
		p.cursor = p.page.Offset + found
	case !p.at.IsZero() && a.around != p.at:
		m.refresh() // the cursor was moved meanwhile: where its entry is now was not asked
	default:
		p.at = live.Ref{} // it has ended, or does not match any more
	}
	p.cursor = max(min(p.cursor, p.page.Matched-1), 0)
	p.follow()
	// Rows that are not there cannot be shown: the answer has more than the screen.
	p.top = max(min(p.top, p.page.Offset+len(p.page.Rows)-p.lines), p.page.Offset)
	p.follow()
	if p.cursor > 0 && p.at.IsZero() {
		if row := p.row(p.cursor); row != nil {
			p.at = row.Ref
		}
	}
}

// follow moves what is shown, so that the cursor is on the screen.
func (p *entries) follow() {
	matched := p.cursor + 1
	if p.page != nil {
		matched = max(p.page.Matched, matched)
	}
	p.top = max(min(p.top, p.cursor, matched-p.lines), p.cursor-p.lines+1, 0)
}

// row returns the row at a place in the order, nil if it is not known.
func (p *entries) row(place int) *live.Row {
	if p.page == nil {
		return nil
	}
	if i := place - p.page.Offset; i >= 0 && i < len(p.page.Rows) {
		return &p.page.Rows[i]
	}
	return nil
}

// current returns the row at the cursor, nil if there is none.
func (p *entries) current() *live.Row { return p.row(p.cursor) }

// toTop moves the cursor to the top, where it stays.
func (p *entries) toTop() { p.top, p.cursor, p.at = 0, 0, live.Ref{} }

// moveTo moves the cursor to a place in the order. Rows that are not known are asked
// for at once.
func (p *entries) moveTo(m *Model, place int) {
	if p.page == nil || p.page.Matched == 0 {
		return
	}
	p.cursor = max(min(place, p.page.Matched-1), 0)
	p.follow()
	p.hold(m)
}

// hold has the cursor stay on the entry at its place, except at the top.
func (p *entries) hold(m *Model) {
	p.at = live.Ref{}
	if row := p.current(); row != nil && p.cursor > 0 {
		p.at = row.Ref
	}
	last := min(p.top+p.lines, p.page.Matched) - 1
	if p.row(p.top) == nil || p.row(last) == nil {
		m.refresh()
	}
}

// movePage moves the cursor and what is shown by pages.
func (p *entries) movePage(m *Model, pages int) {
	if p.page == nil || p.page.Matched == 0 {
		return
	}
	p.top = max(min(p.top+pages*p.lines, p.page.Matched-p.lines), 0)
	p.moveTo(m, p.cursor+pages*p.lines)
}

// roll moves what is shown, and the cursor only where it would be left behind.
func (p *entries) roll(m *Model, by int) {
	if p.page == nil || p.page.Matched == 0 {
		return
	}
	p.top = max(min(p.top+by, p.page.Matched-p.lines), 0)
	p.cursor = max(min(p.cursor, p.top+p.lines-1, p.page.Matched-1), p.top)
	p.hold(m)
}

func (p *entries) key(m *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch k.String() {
	case "up", "k":
		p.moveTo(m, p.cursor-1)
	case "down", "j":
		p.moveTo(m, p.cursor+1)
	case "pgup", "ctrl+b":
		p.movePage(m, -1)
	case "pgdown", "ctrl+f":
		p.movePage(m, 1)
	case "home", "g":
		p.toTop()
		if p.row(0) == nil {
			m.refresh()
		}
	case "end", "G":
		if p.page != nil {
			p.moveTo(m, p.page.Matched-1)
		}
	case "<", "left":
		p.sortBeside(m, -1)
	case ">", "right":
		p.sortBeside(m, 1)
	case "r", "R":
		p.reverse(m)
	case "c":
		m.openOverlay(newColumnList(p))
	default:
		cmd, ok := m.act(k, shown{p.current(), p.query(m)})
		if key := k.String(); ok && (key == "space" || key == "t") {
			p.moveTo(m, p.cursor+1)
		}
		return cmd, ok
	}
	return nil, true
}

func (p *entries) wheel(m *Model, turns int) tea.Cmd {
	p.roll(m, 3*turns)
	return nil
}

// doubleClick is the longest time between the two clicks of one.
const doubleClick = 400 * time.Millisecond

func (p *entries) click(m *Model, x, y int) tea.Cmd {
	if y == 0 {
		p.sortByTitle(m, x-gutter)
		return nil
	}
	place := p.top + y - 1
	row := p.row(place)
	if row == nil {
		return nil
	}
	again := row.Ref == p.ref() && m.now().Sub(p.clicked) < doubleClick
	p.clicked = m.now()
	p.cursor = place
	p.hold(m)
	if again {
		p.clicked = time.Time{}
		cmd, _ := p.key(m, tea.KeyPressMsg{Code: tea.KeyEnter})
		return cmd
	}
	return nil
}

// ref returns the entry at the cursor, the zero Ref if there is none.
func (p *entries) ref() live.Ref {
	if row := p.current(); row != nil {
		return row.Ref
	}
	return live.Ref{}
}
