package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// newTestScreen returns a screen on a buffer with the size of a terminal.
func newTestScreen(width, height int) (*Screen, *bytes.Buffer) {
	var b bytes.Buffer
	return &Screen{w: &b, size: func() (int, int) { return width, height }}, &b
}

// A text longer and wider than the terminal never scrolls it: no more lines than it
// has, none wider than it is, and no line feed after the last.
func TestScreenFits(t *testing.T) {
	const width, height = 20, 6
	c, b := newTestScreen(width, height)
	s := NewStreams(nil, screenText{c}, screenMessages{c})
	for _, messages := range []int{0, 1, 3, 40} {
		c.Begin()
		for i := range 30 {
			fmt.Fprintf(s.Out, "\x1b[33mline %d\x1b[0m of some text that is too wide\n", i)
		}
		if err := s.Out.Flush(); err != nil {
			t.Fatal(err)
		}
		for i := range messages {
			s.Err.Printf("message %d\n", i)
		}
		b.Reset()
		if err := c.Draw("the time and more than fits"); err != nil {
			t.Fatal(err)
		}
		rows := strings.Split(strings.TrimSuffix(b.String(), eraseBelow), "\r\n")
		if len(rows) > height {
			t.Errorf("%d messages: %d rows on a terminal of %d", messages, len(rows), height)
		}
		for _, row := range rows {
			if shown := shownText(row); len(shown) > width {
				t.Errorf("%d messages: a row is %d wide: %q", messages, len(shown), shown)
			}
		}
		if want := fmt.Sprintf("message %d", messages-1); messages > 0 && shownText(rows[len(rows)-1]) != want {
			t.Errorf("the last row is %q, want %q", rows[len(rows)-1], want)
		}
		if messages <= 1 && shownText(rows[2]) != "line 0 of some text " {
			t.Errorf("the third row is %q", rows[2])
		}
	}
	if limit := 2 * height * 80; len(c.text) > limit || cap(c.messages) > 4*maxLine {
		t.Errorf("a text of %d bytes and messages of %d are kept", len(c.text), cap(c.messages))
	}
}

// The terminal is entered by the first text and left once, and nothing is written
// after that.
func TestScreenClose(t *testing.T) {
	c, b := newTestScreen(40, 10)
	c.Close()
	if b.Len() > 0 {
		t.Errorf("a screen that was not drawn wrote %q", b)
	}
	c, b = newTestScreen(40, 10)
	for range 3 {
		c.Begin()
		if err := c.Draw("title"); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	c.Close()
	all := b.String()
	if strings.Count(all, enterScreen) != 1 || strings.Count(all, leaveScreen) != 1 || !strings.HasSuffix(all, leaveScreen) {
		t.Errorf("wrote %q", all)
	}
	if err := c.Draw("late"); err != nil || b.String() != all {
		t.Errorf("drawn after Close: %v, %q", err, b.String()[len(all):])
	}
	c, b = newTestScreen(40, 10)
	c.Begin()
	_ = c.Draw("before")
	c.suspend(func() {
		if !strings.HasSuffix(b.String(), leaveScreen) {
			t.Error("stopped with the screen entered")
		}
	})
	_ = c.Draw("after")
	if strings.Count(b.String(), enterScreen) != 2 {
		t.Errorf("not entered again: %q", b)
	}
}

// Messages that were sent elsewhere do not appear on the screen.
func TestScreenMessagesElsewhere(t *testing.T) {
	c, b := newTestScreen(40, 10)
	var elsewhere bytes.Buffer
	s := c.Streams(NewStreams(nil, io.Discard, &elsewhere))
	c.Begin()
	s.Err.Printf("a message\n")
	if err := c.Draw("title"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "message") || elsewhere.String() != "a message\n" {
		t.Errorf("drawn %q, elsewhere %q", b, &elsewhere)
	}
}

// A line without an end, as of a program that never writes one, is not kept.
func TestScreenLongLine(t *testing.T) {
	c, _ := newTestScreen(40, 10)
	s := NewStreams(nil, screenText{c}, screenMessages{c})
	c.Begin()
	for range 1000 {
		_, _ = s.Out.Write(bytes.Repeat([]byte("x"), 1000))
	}
	_ = s.Out.Flush()
	if len(c.text) > maxLine {
		t.Errorf("%d bytes are kept", len(c.text))
	}
}

// shownText returns the characters of a row without control sequences.
func shownText(row string) string {
	var b strings.Builder
	for len(row) > 0 {
		if n := sequenceLength([]byte(row)); n > 0 {
			row = row[n:]
			continue
		}
		b.WriteByte(row[0])
		row = row[1:]
	}
	return b.String()
}
