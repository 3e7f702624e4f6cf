package console

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// Screen is a terminal that shows one text after the other, each in place of the
// one before. It uses the terminal's alternate screen, so that what was there
// before comes back when it is closed. Of a text it keeps only what fits.
type Screen struct {
	w    io.Writer
	size func() (width, height int)

	width, height int // of the text that is being collected
	text          []byte
	lines         int // complete ones in text
	messages      []byte

	mu           sync.Mutex // guards what follows, and w
	open, closed bool
}

// Control sequences (ECMA-48, and DEC private modes as of xterm's ctlseqs).
const (
	// Alternate screen, hidden cursor, no line that continues on the next row.
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	cursorHome  = "\x1b[H"
	eraseLine   = "\x1b[K" // from the cursor to the end
	eraseBelow  = "\x1b[J"
	plainText   = "\x1b[0m"
)

// What a text is assumed to need at most: terminals have fewer columns.
const maxLine = 16 << 10

// NewScreen returns the screen of the terminal that f, one of the streams of a
// run, leads to. It is nil where a text cannot be put in place of another: f is no
// terminal, or a dumb one. Nothing is written before the first Draw.
func NewScreen(f any) *Screen {
	file, ok := underlying(f).(*os.File)
	if !ok || !IsTerminal(f) || os.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" {
		return nil
	}
	return &Screen{w: file, size: func() (int, int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}}
}

// Streams returns the streams s of a run with an output that becomes the text of
// the screen. Messages are shown below it, unless standard error leads elsewhere
// than to a terminal.
func (c *Screen) Streams(s *Streams) *Streams {
	own := NewStreams(s.In, screenText{c}, screenMessages{c})
	if !IsTerminal(s.Err) {
		own.Err = s.Err
	}
	return own
}

// Begin begins a new text. It returns how many lines there are for it and for
// messages.
func (c *Screen) Begin() (lines int) {
	c.text, c.messages, c.lines = c.text[:0], c.messages[:0], 0
	c.width, c.height = c.size()
	return max(c.height-titleLines, 1)
}

// titleLines is the height of the title, with an empty line below it.
const titleLines = 2

// screenText collects the text.
type screenText struct{ screen *Screen }

// Unwrap returns the terminal, whose width and colours the text may have.
func (t screenText) Unwrap() io.Writer { return t.screen.w }

func (t screenText) Write(b []byte) (int, error) {
	c := t.screen
	n := len(b)
	for len(b) > 0 && c.lines < c.height {
		line, rest, complete := bytes.Cut(b, []byte{'\n'})
		start := bytes.LastIndexByte(c.text, '\n') + 1
		c.text = append(c.text, line[:min(len(line), max(maxLine-(len(c.text)-start), 0))]...)
		if complete {
			c.text = append(c.text, '\n')
			c.lines++
		}
		b = rest
	}
	return n, nil
}

// screenMessages collects the messages, up to a screen of them.
type screenMessages struct{ screen *Screen }

func (m screenMessages) Write(b []byte) (int, error) {
	c := m.screen
	c.messages = append(c.messages, b[:min(len(b), max(maxLine-len(c.messages), 0))]...)
	return len(b), nil
}

// Draw shows the text that was collected, under a title and above the messages.
// The error is that of the terminal.
func (c *Screen) Draw(title string) error {
	var messages [][]byte
	if len(c.messages) > 0 {
		messages = bytes.Split(bytes.TrimSuffix(c.messages, []byte{'\n'}), []byte{'\n'})
	}
	messages = messages[max(len(messages)-(c.height-titleLines-1), 0):]
	rows := [][]byte{[]byte(title), nil}
	text := bytes.Split(bytes.TrimSuffix(c.text, []byte{'\n'}), []byte{'\n'})
	rows = append(rows, text[:min(len(text), max(c.height-titleLines-len(messages), 0))]...)
	rows = append(rows, messages...)
	rows = rows[:min(len(rows), c.height)]

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	var b []byte
	if !c.open {
		b = append(b, enterScreen...)
		c.open = true
	}
	b = append(b, cursorHome...)
	for i, row := range rows {
		if i > 0 {
			b = append(b, "\r\n"...)
		}
		// Not after the text: that would erase the last column of a full line.
		b = appendCut(append(b, eraseLine...), row, c.width)
	}
	b = append(b, eraseBelow...)
	_, err := c.w.Write(b)
	return WriteError(err)
}

// appendCut appends a line that is cut to a width. Control sequences, which colour
// the text, take no columns; every other character takes one.
func appendCut(dst, line []byte, width int) []byte {
	coloured := false
	for n := 0; len(line) > 0; {
		if length := sequenceLength(line); length > 0 {
			dst, line = append(dst, line[:length]...), line[length:]
			coloured = true
			continue
		}
		if n++; n > width {
			break
		}
		_, length := utf8.DecodeRune(line)
		dst, line = append(dst, line[:length]...), line[length:]
	}
	if coloured {
		dst = append(dst, plainText...)
	}
	return dst
}

// sequenceLength returns the length of the control sequence that a line begins
// with, 0 if there is none.
func sequenceLength(line []byte) int {
	if !bytes.HasPrefix(line, []byte("\x1b[")) {
		return 0
	}
	for i := 2; i < len(line); i++ {
		if line[i] >= 0x40 && line[i] <= 0x7e {
			return i + 1
		}
	}
	return len(line)
}

// Close makes the terminal as it was before the first Draw. Nothing is drawn after
// it. It may be called at any time, also more than once.
func (c *Screen) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.leave()
}

// suspend makes the terminal as it was before the first Draw until the next one,
// and calls stop before anything is drawn.
func (c *Screen) suspend(stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
	stop()
}

func (c *Screen) leave() {
	if c.open {
		c.open = false
		_, _ = io.WriteString(c.w, leaveScreen) // there is nobody else to tell
	}
}
