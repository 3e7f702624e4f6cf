package top

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/stats"
)

// aGroup returns a group by src and dport.
func aGroup(by []cmdline.Key, src string, dport, entries uint64, known bool) live.Group {
	v := stats.AppendNumber(stats.AppendAddr(nil, netip.MustParseAddr(src)), dport)
	return live.Group{
		Group: stats.Group{
			Values: stats.Values(v), Entries: entries, Packets: 20 * entries, Bytes: 9000 * entries, Counted: known,
		},
		ID:    live.GroupID{Keys: by, Values: string(v)},
		Rates: live.Rates{Known: known, OrigPackets: float64(entries) / 3, ReplyBytes: 1000 * float64(entries)},
	}
}

// groupsModel returns a model that shows groups by source and port.
func groupsModel(t *testing.T, s styles) (*Model, *groups) {
	t.Helper()
	m := panelModel(t, s, groupsPanel)
	p := m.panel().(*groups)
	by, err := cmdline.ParseGroupKeys("src,dport")
	if err != nil {
		t.Fatal(err)
	}
	p.setKeys(by)
	return m, p
}

// someGroups returns an answer.
func someGroups(by []cmdline.Key, around string) groupsMsg {
	g := &live.Groups{
		Groups: []live.Group{
			aGroup(by, "10.0.0.1", 443, 600, true),
			aGroup(by, "2001:db8:1234:5678:9abc:def0:1234:5678", 53, 300, false),
			aGroup(by, "192.168.100.200", 65535, 1, true),
		},
		Matched: 3, At: -1,
		Total: live.Group{
			Group: stats.Group{Entries: 901, Packets: 12345678, Bytes: 1 << 33, Counted: true},
			Rates: live.Rates{Known: true, OrigPackets: 200.3, ReplyBytes: 601000},
		},
	}
	return groupsMsg{&live.GroupQuery{Keys: by, Around: around}, g, nil}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		name         string
		utf8         bool
		width, lines int
		want         string
	}{
		{"the smallest screen", false, 40, 6, `
  SRC            DPORT ▼ENTRIES  BYTES/S
> 10.0.0.1         443      600   586K/s
  2001:d~4:5678     53      300
  192.16~00.200  65535        1   1000/s

  3 groups                  901   587K/s
`},
		{"80", true, 80, 6, `
  SRC                           DPORT ▼ENTRIES  BYTES  PACKETS/S  BYTES/S  SHARE
> 10.0.0.1                        443      600   5.1M      200/s   586K/s    66%
  2001:db8:1234:…ef0:1234:5678     53      300      -                        33%
  192.168.100.200               65535        1   8.8K      0.3/s   1000/s   0.1%

  3 groups                                 901   8.0G      200/s   587K/s   100%
`},
		{"120", true, 120, 7, `
  SRC                                     DPORT ▼ENTRIES  PACKETS  BYTES  PACKETS/S  BYTES/S  SHARE
> 10.0.0.1                                  443      600      12k   5.1M      200/s   586K/s    66% █████████████▍
  2001:db8:1234:5678:9abc:def0:1234:5678     53      300        -      -                        33% ██████▋
  192.168.100.200                         65535        1       20   8.8K      0.3/s   1000/s   0.1% ▏


  3 groups                                           901      12M   8.0G      200/s   587K/s   100%
`},
		{"120 in ASCII", false, 120, 6, `
  SRC                                     DPORT ▼ENTRIES  PACKETS  BYTES  PACKETS/S  BYTES/S  SHARE
> 10.0.0.1                                  443      600      12k   5.1M      200/s   586K/s    66% #############
  2001:db8:1234:5678:9abc:def0:1234:5678     53      300        -      -                        33% #######
  192.168.100.200                         65535        1       20   8.8K      0.3/s   1000/s   0.1% #

  3 groups                                           901      12M   8.0G      200/s   587K/s   100%
`},
		{"few lines", true, 80, 2, `
  SRC       DPORT ▼ENTRIES  PACKETS  BYTES  PACKETS/S  BYTES/S  SHARE
> 10.0.0.1    443      600      12k   5.1M      200/s   586K/s    66% ██████▋
`},
	} {
		m, p := groupsModel(t, styles{utf8: c.utf8})
		p.answer(m, someGroups(p.by, ""))
		t.Run(c.name, func(t *testing.T) { checkPanel(t, m, c.width, c.lines, c.want) })
	}
	m, p := groupsModel(t, styles{color: true})
	p.answer(m, someGroups(p.by, ""))
	checkSizes(t, m)
}

// TestGroupsSort: keys and clicks choose the column to sort by, at first with the
// largest sum or the least key on top.
func TestGroupsSort(t *testing.T) {
	m, p := groupsModel(t, styles{})
	p.answer(m, someGroups(p.by, ""))
	p.draw(m, 120, 10)
	check := func(what, column string, descending bool) {
		t.Helper()
		if p.sort != column || p.descending != descending {
			t.Errorf("%s: sorted by %s, descending %t", what, p.sort, p.descending)
		}
	}
	check("at first", "entries", true)
	pressAll(m, "r")
	check("r", "entries", false)
	pressAll(m, "right")
	check("right", "packets", true)
	pressAll(m, "<", "<")
	check("< <", "dport", false)
	pressAll(m, "left", "left")
	check("left of the first", "src", false)
	pressAll(m, "R")
	check("R", "src", true)
	pressAll(m, ">", ">", ">", ">", ">", ">", ">")
	check("right of the last", "byte_rate", true)
	for _, c := range p.grid.Columns() {
		if c.Title == "BYTES" {
			p.click(m, gutter+c.X+1, 0)
		}
	}
	check("a click on BYTES", "bytes", true)
	p.draw(m, 120, 10)
	columns := p.grid.Columns()
	p.click(m, gutter+columns[len(columns)-1].X, 0)
	check("a click on SHARE", "entries", true)

	m.status.AccountingOff = true
	p.got.Total.Counted = false
	pressAll(m, "right")
	check("nothing is counted", "entries", true)
	p.draw(m, 120, 10)
	for _, c := range p.grid.Columns() {
		if c.Title == "BYTES" || c.Title == "BYTES/S" {
			t.Errorf("%s is shown though nothing is counted", c.Title)
		}
	}
}

// TestGroupsKeys: keys are typed, completed and refused while the program runs.
func TestGroupsKeys(t *testing.T) {
	m, p := groupsModel(t, styles{utf8: true})
	line := func() string {
		text, whole, cursor := m.over.draw(m, 60, 20)
		if whole || cursor == nil {
			t.Error("it is no line")
		}
		return ansi.Strip(text[0] + "\n" + text[1])
	}
	pressAll(m, "g")
	if got, want := line(), "group by: src,dport\n"+"dport: destination port"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	pressAll(m, "x", "enter")
	if got, want := line(), "group by: src,dportx\nunknown key `dportx'; did you mean `dport'?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if keysText(p.by) != "src,dport" {
		t.Errorf("keys %s after an error", keysText(p.by))
	}
	for range "src,dportx" {
		pressAll(m, "backspace")
	}
	pressAll(m, "d", "s", "t", "/", "2", "4", ",", "s", "t", "a", "t", "e", "enter")
	if m.over != nil || keysText(p.by) != "dst/24,state" {
		t.Errorf("keys %s", keysText(p.by))
	}
	pressAll(m, "g", ",", "p", "r", "o", "t", "o", "n", "tab", "enter")
	if m.over != nil || keysText(p.by) != "dst/24,state,protonum" {
		t.Errorf("keys %s", keysText(p.by))
	}
	pressAll(m, "g", ",", "x", "esc")
	if m.over != nil || keysText(p.by) != "dst/24,state,protonum" {
		t.Errorf("keys %s after Esc", keysText(p.by))
	}
	pressAll(m, "g", ",", "b", "y", "t", "e", "_", "r", "a", "t", "e", "enter")
	if text := line(); !strings.Contains(text, "byte_rate") || !strings.Contains(text, "\n") {
		t.Errorf("a rate is a key: %q", text)
	}
	pressAll(m, "esc")

	// b goes through keys that are often wanted, B back.
	seen := map[string]bool{}
	for range groupsPresets {
		pressAll(m, "b")
		seen[keysText(p.by)] = true
	}
	if len(seen) != len(groupsPresets) || seen["dst/24,state,protonum"] {
		t.Errorf("b goes through %v", seen)
	}
	before := keysText(p.by)
	pressAll(m, "b", "B")
	if keysText(p.by) != before {
		t.Errorf("b and B: from %s to %s", before, keysText(p.by))
	}
}

// TestGroupsCursor: the cursor stays on the first row until it is moved, then on its
// group.
func TestGroupsCursor(t *testing.T) {
	m, p := groupsModel(t, styles{})
	order := func(first ...int) {
		a := someGroups(p.by, p.stay)
		all := slices.Clone(a.groups.Groups)
		a.groups.Groups, a.groups.Matched = nil, len(first)
		for _, i := range first {
			a.groups.Groups = append(a.groups.Groups, all[i])
		}
		p.answer(m, a)
		p.draw(m, 80, 10)
	}
	at := func(want int) {
		t.Helper()
		if g := p.group(p.scroll.cursor); g == nil || g.ID.Values != someGroups(p.by, "").groups.Groups[want].ID.Values {
			t.Errorf("the cursor is on row %d", p.scroll.cursor)
		}
	}
	order(0, 1, 2)
	at(0)
	order(2, 1, 0)
	at(2)
	pressAll(m, "down")
	at(1)
	order(1, 0, 2)
	at(1)
	order(0, 2, 1)
	at(1)
	order(0, 2) // it has gone
	at(2)
	pressAll(m, "home")
	order(1, 2, 0)
	at(1)
	order(2, 1, 0)
	at(2)
	p.click(m, 3, 2)
	at(1)
	p.click(m, 3, 8) // below the last
	at(1)
}

// TestDrillGroup: Enter shows the entries of a group, which the head names, and
// Backspace or Esc goes back to the same group.
func TestDrillGroup(t *testing.T) {
	for _, back := range []string{"backspace", "esc"} {
		m, p := groupsModel(t, styles{})
		m.filterText = "-p tcp"
		p.answer(m, someGroups(p.by, ""))
		pressAll(m, "down", "enter")
		if m.current != entriesPanel || m.group == nil || m.group.Values != p.got.Groups[1].ID.Values {
			t.Fatalf("Enter: view %d, group %v", m.current, m.group)
		}
		m.width, m.height = 120, 24
		const group = "group: src=2001:db8:1234:5678:9abc:def0:1234:5678 dport=53"
		if head := ansi.Strip(strings.Join(m.head(), "\n")); !strings.Contains(head, group+"  filter: -p tcp") {
			t.Errorf("the head does not name the group: %s", head)
		}
		pressAll(m, back)
		if m.current != groupsPanel || m.group != nil || m.filterText != "-p tcp" {
			t.Errorf("%s: view %d, group %v, filter %q", back, m.current, m.group, m.filterText)
		}
		if q := p.stay; q != p.got.Groups[1].ID.Values || p.scroll.cursor != 1 {
			t.Errorf("%s: the cursor is on row %d", back, p.scroll.cursor)
		}
		if head := ansi.Strip(strings.Join(m.head(), "\n")); strings.Contains(head, "group: ") {
			t.Errorf("the head names a group: %s", head)
		}
		pressAll(m, back)
		if m.current != groupsPanel {
			t.Errorf("%s leads to view %d", back, m.current)
		}
	}
}

// TestGroupsRates: rates are shown once there are any, or if groups are sorted by them.
func TestGroupsRates(t *testing.T) {
	m, p := groupsModel(t, styles{})
	a := someGroups(p.by, "")
	for i := range a.groups.Groups {
		a.groups.Groups[i].Rates.Known = false
	}
	a.groups.Total.Rates.Known = false
	p.answer(m, a)
	has := func(title string) bool {
		return strings.Contains(strings.Split(panelText(m, 120, 6), "\n")[1], title)
	}
	if has("BYTES/S") || has("PACKETS/S") {
		t.Error("rates are shown that are not known")
	}
	pressAll(m, "right", "right", "right", "right")
	if !has("vBYTES/S") && !has("▼BYTES/S") || has("PACKETS/S") {
		t.Error("the column that groups are sorted by is not shown")
	}
	p.answer(m, someGroups(p.by, ""))
	if !has("BYTES/S") || !has("PACKETS/S") {
		t.Error("rates are not shown")
	}
}
