package top

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// typeKeys gives keys, and texts that are typed, to a model.
func typeKeys(m *Model, keys ...string) {
	for _, k := range keys {
		if text, ok := strings.CutPrefix(k, "type:"); ok {
			for _, r := range text {
				m.Update(press(string(r)))
			}
			continue
		}
		m.Update(press(k))
	}
}

// bareModel returns a model without data, for what needs none.
func bareModel(width, height int) *Model {
	m := newModel(nil, &options{}, nil, styles{})
	m.quitting = true // nothing is asked
	m.width, m.height = width, height
	return m
}

// lastLines returns the last lines of the screen above the foot.
func lastLines(m *Model, n int) string {
	text, _ := m.screen()
	lines := strings.Split(ansi.Strip(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines[len(lines)-1-n:len(lines)-1], "\n")
}

// TestFilterLine: what is typed is in force as soon as it is right, and the last that
// was right stays while it is wrong.
func TestFilterLine(t *testing.T) {
	m := bareModel(80, 24)
	for _, c := range []struct {
		keys  string
		want  string // of the line and what is below it
		force string // the filter in force
	}{
		{"F", "filter:\noptions of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", ""},
		{"type:-p", "filter: -p\noption `-p' requires an argument", ""},
		{"type: tc", "filter: -p tc\nInvalid value `tc' of --protonum: `tc' is neither the name of a protocol nor a\nnumber; did you mean `tcp'?", ""},
		{"type:p", "filter: -p tcp\noptions of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", "-p tcp"},
		{"type: --dport", "filter: -p tcp --dport\noption `--dport' requires an argument", "-p tcp"},
		{"enter", "filter: -p tcp --dport\noption `--dport' requires an argument", "-p tcp"},
		{"type: 443", "filter: -p tcp --dport 443\noptions of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", "-p tcp --dport 443"},
		{"enter", "", "-p tcp --dport 443"},
		{"f4 type:x", "filter: -p tcp --dport 443x\nInvalid value `443x' of --dport: `443x' is neither a port number nor a service\nof /etc/services", "-p tcp --dport 443"},
		{"esc", "", "-p tcp --dport 443"},
		{"\\ ctrl+u", "filter:\noptions of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", ""},
		{"esc", "", "-p tcp --dport 443"},
		{"esc", "", ""},
		{"F type:-D", "filter: -D\na line is a filter: it has no command, such as --delete", ""},
		{"ctrl+u type:-s type: '!10.0.0.1", "filter: -s '!10.0.0.1\nthe quote ' is not closed", ""},
		{"type:'", "filter: -s '!10.0.0.1'\noptions of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", "-s '!10.0.0.1'"},
		{"enter", "", "-s '!10.0.0.1'"},
		{"esc", "", ""},
	} {
		for k := range strings.SplitSeq(strings.ReplaceAll(c.keys, "type: ", "type:\x00"), " ") {
			typeKeys(m, strings.ReplaceAll(k, "\x00", " "))
		}
		if got := lastLines(m, 3); strings.TrimRight(got, "\n") != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.keys, got, c.want)
		}
		if m.filterText != c.force || (m.filter == nil) != (c.force == "") {
			t.Errorf("%s: in force is %q (%v), want %q", c.keys, m.filterText, m.filter, c.force)
		}
	}
	if err := m.addFilter("-p udp"); err != nil {
		t.Fatal(err)
	}
	if err := m.addFilter("-s 192.0.2.1"); err != nil || m.filterText != "-p udp -s 192.0.2.1" {
		t.Errorf("%q: %v", m.filterText, err)
	}
	if err := m.addFilter("-p tcp"); err == nil || m.filterText != "-p udp -s 192.0.2.1" {
		t.Errorf("two protocols: %q, %v", m.filterText, err)
	}
	if words := filterLineWords(`-p tcp  -s "10.0.0.1"`); strings.Join(words, "|") != "-p|tcp|-s|10.0.0.1" {
		t.Errorf("words %q", words)
	}
	tcp, err := m.parseFilter("-p tcp")
	if f := new(ctnetlink.Flow); err != nil || tcp.Match(f) {
		t.Errorf("an empty entry is one of TCP: %v", err)
	}
}

// TestFilterLinePaste: a paste is text, whatever it has, and errors fit the screen.
func TestFilterLinePaste(t *testing.T) {
	m := bareModel(40, 10)
	typeKeys(m, "F")
	m.Update(tea.PasteMsg{Content: "-p tcp\n--nonsense\x1b[2J " + strings.Repeat("x", 500)})
	if m.filterText != "" {
		t.Errorf("in force: %q", m.filterText)
	}
	text, cursor := m.screen()
	if cursor == nil || cursor.X >= 40 || strings.Contains(text, "\x1b[2J") {
		t.Errorf("the cursor is at %v of\n%s", cursor, text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if n := ansi.StringWidth(line); n > 40 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestSearchLine(t *testing.T) {
	m := bareModel(80, 24)
	typeKeys(m, "/", "type:192.0")
	if got := lastLines(m, 1); got != "rows that have: 192.0" || m.search != "192.0" {
		t.Errorf("%q, searched for %q", got, m.search)
	}
	typeKeys(m, "enter")
	typeKeys(m, "F", "type:-p udp", "enter", "/", "ctrl+u")
	if m.over == nil || m.search != "" {
		t.Errorf("searched for %q", m.search)
	}
	typeKeys(m, "esc")
	if m.over != nil || m.search != "192.0" {
		t.Errorf("Esc in the line: %q", m.search)
	}
	if text, _ := m.screen(); !strings.Contains(text, "filter: -p udp  search: 192.0") {
		t.Errorf("what is selected is not shown:\n%s", text)
	}
	typeKeys(m, "esc")
	if m.search != "" || m.filterText != "-p udp" {
		t.Errorf("first Esc: %q, %q", m.search, m.filterText)
	}
	typeKeys(m, "esc", "esc")
	if m.filterText != "" || m.filter != nil {
		t.Errorf("second Esc: %q", m.filterText)
	}
}
