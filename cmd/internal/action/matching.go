package action

import (
	"errors"
	"iter"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// flowSeq is a stream of entries, each valid until the next, with the error that
// ends it.
type flowSeq = iter.Seq2[*ctnetlink.Flow, error]

// matching streams the entries that a request selects, of one table after the
// other. Of several tables, one that refuses is reported and passed over. -L, -D
// and -U all act on these, so that what one shows is what the others change. The
// context gets the network namespace of each entry.
func matching(e *Env, r *cmdline.Request, c *format.Context) flowSeq {
	entries := listed(e, r, c)
	if e.Activity != nil {
		return e.Activity.judged(e, entries, c)
	}
	return entries
}

// listed streams the entries that match, as they are in a single look at the
// tables.
func listed(e *Env, r *cmdline.Request, c *format.Context) flowSeq {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		m := e.filter(r)
		hint := newHint(m)
	tables:
		for _, t := range e.Tables {
			one := e.at(t)
			c.NetNS = one.netns()
			if named, ok := lookup(one, r, m); ok {
				for _, f := range named {
					if !yield(f, nil) {
						return
					}
				}
				continue
			}
			for _, part := range m.Split() {
				for _, q := range dumps(r, part) {
					first := true
					for f, err := range t.Conn.Dump(q) {
						if err != nil {
							if !one.passOver(refused(r, one.failed(err))) {
								yield(nil, one.failed(err))
								return
							}
							continue tables
						}
						hint.see(f)
						if first {
							first, c.Now = false, one.now() // of the table that is dumped
						}
						if part.Match(f) && !yield(f, nil) {
							return
						}
					}
				}
			}
		}
		if r.Compare == 0 || e.Activity != nil { // not in the first look of two
			hint.tell(e)
		}
	}
}

// dumps returns the dumps in which what m matches is found.
func dumps(r *cmdline.Request, m *filter.Filter) []*ctnetlink.DumpRequest {
	switch r.Table {
	case cmdline.TableDying:
		return []*ctnetlink.DumpRequest{{Table: ctnetlink.TableDying}}
	case cmdline.TableUnconfirmed:
		return []*ctnetlink.DumpRequest{{Table: ctnetlink.TableUnconfirmed}}
	}
	dumps := m.Kernel()
	if r.Zero {
		for _, q := range dumps {
			q.Zero = true
		}
	}
	return dumps
}

// hint notices when a filter asks for what no entry carries: the kernel keeps
// counters and times only if that was enabled when the connection began.
type hint struct {
	counters, start bool // the filter needs them
	seen            bool // there are entries
	counted, timed  bool // some of them carry them
}

// newHint returns a hint about a filter; nil where none is needed.
func newHint(m *filter.Filter) *hint {
	h := &hint{counters: m.NeedsCounters(), start: m.NeedsStart()}
	if !h.counters && !h.start {
		return nil
	}
	return h
}

// see takes in an entry, whether it matches or not.
func (h *hint) see(f *ctnetlink.Flow) {
	if h == nil {
		return
	}
	h.seen = true
	h.counted = h.counted || f.Has(ctnetlink.AttrCountersOrig)
	h.timed = h.timed || f.Has(ctnetlink.AttrTimestamp)
}

// tell reports on standard error why nothing can match.
func (h *hint) tell(e *Env) {
	if h == nil || !h.seen {
		return
	}
	if h.counters && !h.counted {
		e.say("no entry has counters: they are kept for connections that begin while net.netfilter.nf_conntrack_acct is 1.")
	}
	if h.start && !h.timed {
		e.say("no entry has a start time: it is recorded for connections that begin while " +
			"net.netfilter.nf_conntrack_timestamp is 1.")
	}
}

// A changer acts on entries while they are dumped. It may queue requests; flush
// sends them and shows the entries that were changed. The first refusal is
// returned after that.
//
// missed reports whether an entry had vanished or had been replaced when its
// request was carried out, and forgets it.
type changer interface {
	add(f *ctnetlink.Flow) error
	flush() error
	missed() bool
}

// changeMatching hands the entries that a request selects to a changer, whose
// printer is w, and reports how many were shown.
func changeMatching(e *Env, r *cmdline.Request, w *flowPrinter, c changer, verb, counted string) error {
	looking := *e
	looking.LookedUp = new(bool)
	if again, is := c.(*reread); is {
		again.fresh = looking.LookedUp
	}
	task := console.Task{Verb: verb, Unit: "entries", Prints: true}
	for f, err := range console.Track2(e.Streams, task, matching(&looking, r, &w.context)) {
		if err != nil {
			// What was changed by then is shown all the same.
			_ = c.flush() // the dump's failure is the one to report
			return refused(r, err)
		}
		if err := c.add(f); err != nil {
			return err
		}
	}
	if err := c.flush(); err != nil {
		return err
	}
	w.end()
	return e.Report.count(e, w.n, counted, needsEntries(r))
}

// needsEntries reports whether it is a failure of a changing command to find
// nothing.
func needsEntries(r *cmdline.Request) bool {
	return r.Command != cmdline.CmdFlush && !r.Has(cmdline.OptIgnoreMissing)
}

// preview is the changer of --dry-run: it shows the entries that would be
// changed, as they are.
type preview struct {
	printer *flowPrinter
	wanted  func(f *ctnetlink.Flow) bool // nil: all
}

func (p *preview) add(f *ctnetlink.Flow) error {
	if p.wanted != nil && !p.wanted(f) {
		return nil
	}
	return p.printer.flow(f)
}

func (*preview) flush() error { return nil }

func (*preview) missed() bool { return false }

// queue sends requests in batches. Each has an item that identifies it.
type queue[T any] struct {
	request *cmdline.Request
	batch   *ctnetlink.Batch
	items   []T
	// answered takes the answer to a request: nil, or why it was refused. It
	// returns an error that ends the run.
	answered func(item T, err error) error
	// done is called after the answers of a batch; nil: nothing is to be done.
	done func() error
	// lost: an entry had vanished or had been replaced.
	lost bool
}

func (q *queue[T]) missed() bool {
	lost := q.lost
	q.lost = false
	return lost
}

// push notes the item of a request that was just added to the batch, and sends
// the batch when it is full.
func (q *queue[T]) push(item T) error {
	q.items = append(q.items, item)
	if q.batch.Full() {
		return q.flush()
	}
	return nil
}

// flush sends the requests that wait.
func (q *queue[T]) flush() error {
	items := q.items
	q.items = q.items[:0]
	results, err := q.batch.Do()
	if err != nil {
		return refused(q.request, err)
	}
	for i, result := range results {
		q.lost = q.lost || errors.Is(result.Err, ctnetlink.ENOENT)
		if err := q.answered(items[i], result.Err); err != nil {
			return err
		}
	}
	if q.done != nil {
		return q.done()
	}
	return nil
}

// firstRefusal keeps the first refusal of a batch, to be returned after the
// entries that were changed have been shown.
type firstRefusal struct{ err error }

// note keeps err unless it means that the entry has vanished.
func (f *firstRefusal) note(r *cmdline.Request, err error) {
	if f.err == nil && !errors.Is(err, ctnetlink.ENOENT) {
		f.err = refused(r, err)
	}
}

// take returns the refusal, and forgets it.
func (f *firstRefusal) take() error {
	err := f.err
	f.err = nil
	return err
}
