package console

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		width, total, n int
		want            string
	}{
		{0, 0, 1234567, "loading: 1 234 567 lines"},
		{0, 0, 0, "loading: 0 lines"},
		{0, 1000, 0, "loading: [..............................]   0%, 0 of 1 000 lines"},
		{0, 1000, 500, "loading: [###############...............]  50%, 500 of 1 000 lines, 3 s left"},
		{0, 1000, 1000, "loading: [##############################] 100%, 1 000 of 1 000 lines"},
		{0, 10, 12, "loading: [##############################] 100%, 10 of 10 lines"},
		// The bar shrinks, then it is left out, then the numbers.
		{80, 1000, 500, "loading: [###############...............]  50%, 500 of 1 000 lines, 3 s left"},
		{80, 10000000, 5000000, "loading: [###########...........]  50%, 5 000 000 of 10 000 000 lines, 3 s left"},
		{60, 10000000, 5000000, "loading: 50%, 5 000 000 of 10 000 000 lines, 3 s left"},
		{66, 10000000, 5000000, "loading: [####....]  50%, 5 000 000 of 10 000 000 lines, 3 s left"},
		{53, 10000000, 5000000, "loading: 50%, 3 s left"},
		{40, 10000000, 5000000, "loading: 50%, 3 s left"},
		{20, 10000000, 5000000, "loading: 50%, 3 s l"},
		{20, 0, 1234567890, "loading: 1 234 567 "},
		{1, 10, 5, ""},
	} {
		b := &progress{verb: "loading", unit: "lines", total: c.total, width: c.width}
		b.n.Store(int64(c.n))
		if got := b.text(2 * time.Second); got != c.want || c.width > 0 && len(got) >= c.width {
			t.Errorf("%d of %d in %d columns: %q, want %q", c.n, c.total, c.width, got, c.want)
		}
	}
}

// Whatever is written while the line is shown, only that is left on the
// terminal at the end.
func TestProgressMakesRoom(t *testing.T) {
	var screen bytes.Buffer
	s := NewStreams(nil, io.Discard, &screen)
	b := &progress{streams: s, w: &screen, verb: "deleting", unit: "entries", width: 20,
		quit: make(chan struct{}), ended: make(chan struct{})}
	s.progress.Store(b)
	close(b.ended)
	b.draw(time.Second)
	b.n.Store(123456789)
	b.draw(time.Second) // is cut to the terminal's width
	b.n.Store(5)
	b.draw(time.Second) // is shorter than what is shown
	s.Err.Printf("a message\n")
	b.draw(time.Second)
	b.stop()
	if got := terminal(screen.String()); got != "a message\n" {
		t.Errorf("left on the terminal: %q, of %q", got, screen.String())
	}
	if strings.Contains(screen.String(), "123 456 789 entries") {
		t.Error("a line wider than the terminal was drawn")
	}
}

// terminal returns what a terminal shows of a text, without the blanks at the
// ends of lines.
func terminal(text string) string {
	var done strings.Builder
	var line []rune
	at := 0
	for _, r := range text {
		switch r {
		case '\r':
			at = 0
		case '\b':
			at--
		case '\n':
			done.WriteString(strings.TrimRight(string(line), " ") + "\n")
			line, at = nil, 0
		default:
			for len(line) <= at {
				line = append(line, ' ')
			}
			line[at] = r
			at++
		}
	}
	return done.String() + strings.TrimRight(string(line), " ")
}
