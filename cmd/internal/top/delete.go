package top

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/stats"
)

// errNoEntry is why nothing can be done.
var errNoEntry = errors.New("there is no entry here, or it has ended")

// choose asks whether entries are to be changed: those that match, or those that are
// marked, or if none are the one under the cursor.
func (m *Model) choose(s shown, ch change, matching bool) tea.Cmd {
	d, q := m.data, s.query
	c := &confirmation{change: ch, words: m.sourceWords()}
	var row live.Ref
	if s.row != nil {
		row = s.row.Ref
	}
	var command []string
	if matching && q.Search == "" {
		if words, ok := m.matchingWords(&ch, q.Group); ok {
			command = words
		}
	}
	return func() tea.Msg {
		var err error
		switch {
		case matching:
			if c.what, c.command = "that match", command; q.Search != "" {
				c.what = "that match and were found"
			}
			c.choice, err = d.ChooseMatching(context.Background(), q.Filter, q.Group, q.Search)
		default:
			c.what = "that are marked"
			if c.choice = d.ChooseMarked(); c.choice.Len() == 0 {
				c.what, c.choice = "", d.ChooseOne(row)
			}
		}
		return c.begin(err)
	}
}

// begin returns what opens the question; err is why there is none. It waits for the
// table.
func (c *confirmation) begin(err error) effect {
	if err == nil {
		c.n, c.lines = c.look()
	}
	return func(m *Model) tea.Cmd {
		switch {
		case err != nil:
			m.fail(err)
		case c.n == 0 && c.what == "":
			m.fail(errNoEntry)
		case c.n == 0:
			m.fail(errors.New("there are no entries " + c.what))
		case m.over == nil:
			m.openOverlay(c)
			return c.watch()
		}
		return nil
	}
}

// chooseRow asks whether an entry is to be changed, whatever is marked.
func (m *Model) chooseRow(r live.Ref, ch change) tea.Cmd {
	c := &confirmation{change: ch, words: m.sourceWords()}
	d := m.data
	return func() tea.Msg {
		c.choice = d.ChooseOne(r)
		return c.begin(nil)
	}
}

// sourceWords returns a function that returns the options for the table of a source.
func (m *Model) sourceWords() func(source int) []string {
	r, tables := m.options.request, m.tables
	return func(source int) []string { return tableWords(r, tables[source].Name) }
}

// matchingWords returns the command line that changes all entries that match.
func (m *Model) matchingWords(ch *change, g *live.GroupID) (words []string, ok bool) {
	group, ok := groupWords(g)
	if !ok {
		return nil, false
	}
	words, ok = ch.filterWords(m.options.filterWords, filterLineWords(m.filterText), group)
	if !ok {
		return nil, false
	}
	return append(words, tableWords(m.options.request, "")...), true
}

// groupOptions are the options that select the entries of a group, by the names of the
// keys' fields.
var groupOptions = map[string]string{
	"src": "-s", "dst": "-d", "reply_src": "-r", "reply_dst": "-q", "proto": "-p", "sport": "--sport",
	"dport": "--dport", "reply_sport": "--reply-port-src", "reply_dport": "--reply-port-dst", "state": "--state",
	"mark": "-m", "zone": "-w", "id": "--id", "secmark": "-c",
}

// groupWords returns the options that select the entries of a group, nil: of all. ok
// is false if there are none.
func groupWords(g *live.GroupID) (words []string, ok bool) {
	if g == nil {
		return nil, true
	}
	values := stats.Values([]byte(g.Values))
	if len(values) != len(g.Keys) {
		return nil, false
	}
	for i, v := range values {
		option, ok := groupOptions[g.Keys[i].Field.Name]
		if !ok {
			return nil, false
		}
		text := ""
		switch v.Kind {
		case stats.Number:
			text = decimal(v.Number)
		case stats.Addr:
			text = v.Addr.String()
		case stats.Network:
			text = v.Addr.String() + "/" + decimal(uint64(v.Bits))
		case stats.Text:
			text = string(v.Text)
		}
		if text == "" {
			return nil, false
		}
		words = append(words, option, text)
	}
	return words, true
}
