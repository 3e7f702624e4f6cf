package top

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// panelModel returns a model that shows a panel.
func panelModel(t *testing.T, s styles, panel int) *Model {
	t.Helper()
	m := newModel(nil, &options{request: new(cmdline.Request)}, nil, s)
	m.now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	m.width, m.height, m.current = 80, 24, panel
	return m
}

// panelText returns what a panel draws, without colours.
func panelText(m *Model, width, lines int) string {
	text := m.panel().draw(m, width, lines)
	var b strings.Builder
	b.WriteByte('\n')
	for _, line := range text {
		b.WriteString(strings.TrimRight(ansi.Strip(line), " ") + "\n")
	}
	return b.String()
}

// checkPanel checks what a panel draws.
func checkPanel(t *testing.T, m *Model, width, lines int, want string) {
	t.Helper()
	if got := panelText(m, width, lines); got != want {
		t.Errorf("%d columns, %d lines:%s\nwant:%s", width, lines, got, want)
	}
}

// checkSizes checks that what a panel draws fits every size, and is ASCII where nothing
// else can be shown.
func checkSizes(t *testing.T, m *Model) {
	t.Helper()
	for _, utf8 := range []bool{false, true} {
		m.style.utf8 = utf8
		for _, width := range []int{40, 41, 59, 60, 61, 70, 79, 80, 81, 99, 100, 132, 300} {
			for _, lines := range []int{1, 2, 3, 5, 10, 100} {
				text := m.panel().draw(m, width, lines)
				if len(text) > lines {
					t.Errorf("%d columns, %d lines: %d lines are drawn", width, lines, len(text))
				}
				for _, line := range text {
					if n := ansi.StringWidth(line); n > width {
						t.Errorf("%d columns, %d lines: %d columns: %q", width, lines, n, line)
					}
					if strings.ContainsAny(ansi.Strip(line), "\x1b\n\r\t\x00") {
						t.Errorf("%d columns: not clean: %q", width, line)
					}
				}
			}
		}
	}
}

// pressAll presses keys, each by its name.
func pressAll(m *Model, keys ...string) {
	for _, k := range keys {
		m.Update(press(k))
	}
}
