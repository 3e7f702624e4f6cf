package live

import (
	"context"
	"math/bits"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// question reads entries for an answer: which of them are meant, and their values
// for keys. What is asked for most is read from the record. For the rest the entry is
// written as a message, and read as lists and summaries do it. A question is for one
// goroutine; its memory is used again for another one.
type question struct {
	t     *Table
	now   []time.Time // by source
	began time.Time

	// The entry that is looked at.
	source  int            // -1: there was none
	context format.Context // of the source, and with the rates of the entry
	netns   []byte         // of the source, as a value of package stats
	rates   Rates
	message []byte
	flow    ctnetlink.Flow
	decoded bool // flow is that of the entry
	odd     bool // the record has not all that can be read from it

	filter   entryFilter
	group    *GroupID
	keys     []reader // of the group
	search   searcher
	values   []byte
	word     []byte // as it was read last
	cell     []byte
	words    *wordTable
	statuses map[ctnetlink.Status][]byte
	printer  *format.Printer

	order     order
	selection selection
	sums      groupSums
}

// maxReused is how much memory a question may have to be used again.
const maxReused = 256 << 20

var questions = sync.Pool{New: func() any { return new(question) }}

// ask returns a question about the entries that match a filter, are in a group, and
// have a text in them. done must be called at its end.
func (t *Table) ask(m *filter.Filter, g *GroupID, search string) (*question, error) {
	q := questions.Get().(*question)
	q.t, q.source, q.began = t, -1, time.Now()
	q.context = format.Context{}
	q.now = q.now[:0]
	for i := range t.sources {
		q.now = append(q.now, t.copies[i].now())
	}
	q.words = allWords()
	q.printer = format.NewPrinter(format.Options{Style: format.StyleTable, LabelNames: t.options.LabelNames})
	err := q.filter.compile(q, m)
	if q.group, q.keys = g, nil; g != nil && err == nil {
		q.keys, err = q.readers(g.Keys)
	}
	q.search.compile(q, search)
	if err != nil {
		q.done()
		return nil, err
	}
	return q, nil
}

// done gives the memory of the question back.
func (q *question) done() {
	if q.selection.size()+q.sums.size() > maxReused {
		return
	}
	q.t, q.group, q.keys, q.context = nil, nil, nil, format.Context{}
	q.filter, q.search, q.printer = entryFilter{}, searcher{}, nil
	q.order = order{code: q.order.code}
	questions.Put(q)
}

// walk calls f for the entries that are meant, in the order of their slots. It takes
// the lock for reading for a part of the entries at a time, and calls reserve before
// each: what takes memory for many entries is done there, without the lock.
func (q *question) walk(ctx context.Context, reserve func(), f func(e *entry)) error {
	t, all := q.t, q.filter.all && q.group == nil && !q.search.given
	part := len(bitmap{}) // words of a part
	if q.slow() {
		part /= 4
	}
	for n, from := 0, 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		reserve()
		t.mu.RLock()
		if n >= len(t.pages.all) {
			t.mu.RUnlock()
			return nil
		}
		p := t.pages.all[n]
		if p == nil {
			n, from = n+1, 0
			t.mu.RUnlock()
			continue
		}
		e := entry{p: p}
		q.turn(&e)
		for w, m := range p.alive[from : from+part] {
			for ; m != 0; m &= m - 1 {
				e.i = (from+w)*64 + bits.TrailingZeros64(m)
				q.decoded, q.odd = false, e.odd()
				if all || q.matches(&e) {
					f(&e)
				}
			}
		}
		if from += part; from == len(p.alive) {
			n, from = n+1, 0
		}
		t.mu.RUnlock()
	}
}

// slow reports whether entries are read as messages.
func (q *question) slow() bool {
	for i := range q.keys {
		if q.keys[i].slow() {
			return true
		}
	}
	return !q.filter.all && !q.filter.done || q.search.given || q.order.slow()
}

// see makes an entry the one that is looked at.
func (q *question) see(e *entry) {
	q.decoded, q.odd = false, e.odd()
	q.turn(e)
}

// turn makes the source of an entry the one that is looked at, and the time that of the
// question.
func (q *question) turn(e *entry) {
	source := e.source()
	if source != q.source {
		q.source = source
		q.context.Now, q.context.NetNS = q.now[source], q.t.sources[source].Name
		if q.netns = q.words.absent; q.context.NetNS != "" {
			q.netns = stats.AppendText(nil, []byte(q.context.NetNS))
		}
	}
	e.setClock(q.now[source]) // the same for all entries
}

// matches reports whether the entry that is looked at is meant.
func (q *question) matches(e *entry) bool {
	return q.filter.match(q, e) && (q.group == nil || q.inGroup(e)) && (!q.search.given || q.search.match(q, e))
}

// inGroup reports whether the entry has the values of the group.
func (q *question) inGroup(e *entry) bool {
	left := q.group.Values
	for i := range q.keys {
		q.values = q.keys[i].append(q.values[:0], q, e)
		n := len(q.values)
		if len(left) < n || left[:n] != string(q.values) {
			return false
		}
		left = left[n:]
	}
	return left == ""
}

// whole returns the entry that is looked at as a message tells it. It is valid until
// the next entry.
func (q *question) whole(e *entry) *ctnetlink.Flow {
	if !q.decoded {
		q.message = e.appendMessage(q.message[:0])
		_ = q.flow.Decode(q.message) // it was made of one that was right
		q.rates = e.ratesNow()
		q.context.Rates = &q.rates
		q.decoded = true
	}
	return &q.flow
}

// readers returns what reads the values of keys.
func (q *question) readers(keys []cmdline.Key) ([]reader, error) {
	list := make([]reader, len(keys))
	for i := range keys {
		r, err := q.reader(&keys[i])
		if err != nil {
			return nil, err
		}
		list[i] = r
	}
	return list, nil
}
