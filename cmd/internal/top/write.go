package top

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// endings are the endings of file names, with the form of output that each means.
var endings = map[string]format.Style{
	".json": format.StyleJSON, ".jsonl": format.StyleJSONL, ".csv": format.StyleCSV, ".nl": format.StyleNetlink,
	".txt": format.StyleTable,
}

const endingsText = "The ending of the name says what is written: .json, .jsonl, .csv, .txt (a table), .nl (a table file)."

// newWriteLine returns the line for the name of the file that all entries that a query
// asks for are written to.
func newWriteLine(q live.Query) *prompt {
	return newPrompt("write to:", endingsText, "write", func(m *Model, path string) (tea.Cmd, string) {
		style, ok := endings[strings.ToLower(filepath.Ext(path))]
		if !ok {
			return nil, "The name has none of these endings."
		}
		return m.writeTo(path, nil, func(w *bufio.Writer) (string, error) { return m.writeEntries(w, q, style) })
	})
}

// newCommandsLine returns the line for the name of the file that the commands of a
// question are written to.
func newCommandsLine(_ *Model, c *confirmation) *prompt {
	p := newPrompt("write to:", "A file for `conntrack -R FILE', with a command for each entry.", "write",
		func(m *Model, path string) (tea.Cmd, string) {
			if path == "" {
				return nil, "A name is needed."
			}
			return m.writeTo(path, c, func(w *bufio.Writer) (string, error) { return c.write(w) })
		})
	p.back = c
	return p
}

// write writes the lines for conntrack -R.
func (c *confirmation) write(w *bufio.Writer) (string, error) {
	n, source := 0, -1
	for row := range c.choice.All() {
		if s := row.Ref.Source(); source >= 0 && s != source {
			return "", errors.New("the entries are in several network namespaces, and a file is loaded into one: mark those of one")
		} else if source < 0 {
			source = s
			words := append([]string{"conntrack"}, c.words(s)...)
			fmt.Fprintf(w, "# %s -R FILE\n", shellLine(words))
		}
		fmt.Fprintln(w, c.change.entryLine(row.Flow))
		n++
	}
	return fmt.Sprintf("%d commands were written", n), nil
}

// writeTo writes a file whole or not at all, after a question if there is one of that
// name. contents writes what is in it, and returns what was written. back lies over
// the panel afterwards.
func (m *Model) writeTo(path string, back overlay, contents func(*bufio.Writer) (string, error)) (tea.Cmd, string) {
	if err := console.MayOpen(path); err != nil {
		return nil, err.Error()
	}
	write := func() tea.Msg {
		what, err := writeFile(path, contents)
		return effect(func(m *Model) tea.Cmd {
			if err != nil {
				m.fail(fmt.Errorf("cannot write %s: %s", path, console.ErrorText(err)))
			} else {
				m.say(what + " to " + path + ".")
			}
			return nil
		})
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return write, ""
	case err != nil:
		return nil, console.ErrorText(err)
	case info.IsDir():
		return nil, "This is a directory."
	case m.isTable(info):
		return nil, "This is the table file itself."
	}
	m.openOverlay(&replaceQuestion{path: path, write: write, back: back})
	return nil, ""
}

// isTable reports whether a file is that of a table.
func (m *Model) isTable(info fs.FileInfo) bool {
	for _, t := range m.tables {
		if t.File == nil {
			continue
		}
		if table, err := os.Stat(t.File.Path()); err == nil && os.SameFile(table, info) {
			return true
		}
	}
	return false
}

// writeFile writes a file whole or not at all.
func writeFile(path string, contents func(*bufio.Writer) (string, error)) (what string, err error) {
	file, err := atomicfile.Create(path, atomicfile.Options{})
	if err != nil {
		return "", err
	}
	defer file.Discard()
	w := bufio.NewWriterSize(file, 64<<10)
	if what, err = contents(w); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return what, file.Commit()
}

// replaceQuestion is an overlay: the question whether a file is to be replaced.
type replaceQuestion struct {
	path  string
	write tea.Cmd
	back  overlay
}

func (q *replaceQuestion) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if m.closeOverlay(); q.back != nil {
		m.openOverlay(q.back)
	}
	if k.String() == "y" {
		return q.write
	}
	m.say("Nothing was written.")
	return nil
}

func (*replaceQuestion) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*replaceQuestion) keys() []hint { return []hint{{"y", "replace"}, {"n Esc", "do nothing"}} }

func (q *replaceQuestion) draw(m *Model, width, _ int) ([]string, bool, *tea.Position) {
	text := []string{""}
	for _, line := range wrap("There is a file "+shellWord(q.path)+". Replace it?", width) {
		text = append(text, m.style.on(bold, line))
	}
	return text, false, nil
}

// writeEntries writes all entries that a query asks for, in their order. A table file
// also has what is not kept of entries here, so they are asked for anew; those that
// have ended since are left out.
func (m *Model) writeEntries(w *bufio.Writer, q live.Query, style format.Style) (string, error) {
	c, err := m.data.ChooseInOrder(context.Background(), &q)
	if err != nil {
		return "", err
	}
	several := len(m.tables) > 1
	if style == format.StyleNetlink && several {
		return "", errors.New("a table file holds the entries of one network namespace: choose it with --netns")
	}
	o := format.Options{Style: style, NetNS: several, Clock: m.tables[0].Now, LabelNames: m.labelNames()}
	for row := range c.All() {
		if o.Rates = row.Rates.Known; o.Rates {
			break
		}
	}
	printer := format.NewPrinter(o)
	var b []byte
	n := 0
	add := func(f *ctnetlink.Flow, row *live.Row) error {
		t := m.tables[row.Ref.Source()]
		c := format.Context{Now: t.Now(), Rates: &row.Rates}
		if several {
			c.NetNS = t.Name
		}
		if n == 0 {
			b = printer.AppendHeader(b)
		}
		b = printer.AppendSeparator(b, n)
		n++
		b = printer.AppendFlow(b, f, &c)
		_, err := w.Write(b)
		b = b[:0]
		return err
	}
	if style == format.StyleNetlink {
		err = m.anew(c, func(f *ctnetlink.Flow) error { return add(f, &live.Row{}) })
	} else {
		for row := range c.All() {
			if err = add(row.Flow, row); err != nil {
				break
			}
		}
	}
	if err != nil {
		return "", err
	}
	if n == 0 {
		b = printer.AppendEmpty(b)
	} else {
		b = printer.AppendFooter(b)
	}
	_, err = w.Write(b)
	return fmt.Sprintf("%d entries were written", n), err
}

// anew calls add with the entries of a choice, of one source, as the table has them
// now.
func (m *Model) anew(c *live.Choice, add func(*ctnetlink.Flow) error) error {
	batch := m.tables[0].Conn.NewBatch()
	defer batch.Close()
	var waiting []live.Identity
	flush := func() error {
		results, err := batch.Do()
		for n, r := range results {
			switch {
			case err != nil:
			case r.Flow != nil && waiting[n].Is(r.Flow):
				withoutOurUse(r.Flow)
				err = add(r.Flow)
			case r.Flow == nil && !errors.Is(r.Err, ctnetlink.ENOENT):
				err = r.Err
			}
		}
		waiting = waiting[:0]
		return err
	}
	for row := range c.All() {
		waiting = append(waiting, live.Identity{})
		waiting[len(waiting)-1].Identify(row)
		batch.Get(&waiting[len(waiting)-1].Entry)
		if batch.Full() {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// withoutOurUse makes an entry that was asked for look as it is listed: reading it
// counts as a use.
func withoutOurUse(f *ctnetlink.Flow) {
	if use, ok := f.Raw(ctnetlink.AttrUse); ok {
		if n := binary.BigEndian.Uint32(use); n > 1 {
			binary.BigEndian.PutUint32(use, n-1)
		}
	}
}

// labelNames returns the names of label bits, nil if there are none.
func (m *Model) labelNames() []string {
	labels, err := m.options.request.LabelMap()
	if err != nil {
		return nil
	}
	return labels.Names
}
