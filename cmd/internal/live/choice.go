package live

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// Choice is a set of entries that something is to be done with. An entry that ends
// leaves it, and no entry enters it.
type Choice struct {
	t    *Table
	refs []Ref
	// filter and group are what selected the entries, nil: something else did.
	filter *filter.Filter
	group  *GroupID
}

// choicePart is how many entries are looked at while events wait.
const choicePart = 4096

// Len returns how many entries are left in the choice.
func (c *Choice) Len() int {
	n := 0
	for refs := c.refs; len(refs) > 0; {
		part := refs[:min(len(refs), choicePart)]
		refs = refs[len(part):]
		c.t.mu.RLock()
		for _, r := range part {
			if _, ok := c.t.find(r); ok {
				n++
			}
		}
		c.t.mu.RUnlock()
	}
	return n
}

// Has reports whether an entry is left in the choice. r is that of a row of All.
func (c *Choice) Has(r Ref) bool {
	c.t.mu.RLock()
	defer c.t.mu.RUnlock()
	_, ok := c.t.find(r)
	return ok
}

// All returns the entries that are left in the choice, in its order. Each is looked at
// when its turn comes. A row is valid until the next.
func (c *Choice) All() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		var r rowReader
		for _, ref := range c.refs {
			if row := r.row(c.t, ref); row != nil && !yield(row) {
				return
			}
		}
	}
}

// Matches reports whether an entry of a source that was asked for anew still matches
// what the choice was made for, and what the Table keeps.
func (c *Choice) Matches(source int, f *ctnetlink.Flow) bool {
	now := c.t.copies[source].now()
	for _, m := range []*filter.Filter{c.t.options.Filter, c.filter} {
		if m != nil && !at(m, now).Match(f) {
			return false
		}
	}
	return c.group == nil || string(c.t.valuesOf(source, c.group.Keys, f, now)) == c.group.Values
}

// at returns a filter whose clock shows a time.
func at(m *filter.Filter, now time.Time) *filter.Filter {
	timed := *m
	timed.Now = func() time.Time { return now }
	return &timed
}

// valuesOf returns the values of keys of an entry of a source.
func (t *Table) valuesOf(source int, keys []cmdline.Key, f *ctnetlink.Flow, now time.Time) []byte {
	c := format.Context{Now: now, NetNS: t.sources[source].Name}
	return cmdline.NewKeyValues(keys, t.options.LabelNames, &c).Read(f)
}

// CatchUp waits until the events of a source have been taken in that its table has sent
// so far, but not for long: Has then knows what has ended. It reports whether they have.
func (c *Choice) CatchUp(ctx context.Context, source int) bool {
	return c.t.feed.parts[source].events.settle(ctx, catchUpLimit)
}

// catchUpLimit is how long CatchUp waits at most.
const catchUpLimit = time.Second

// rowReader reads entries. Its memory is used again for the next one.
type rowReader struct {
	is      Row
	flow    ctnetlink.Flow
	message []byte
}

// row returns an entry, nil if it has ended. It is valid until the next call.
func (r *rowReader) row(t *Table, ref Ref) *Row {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.find(ref)
	if !ok {
		return nil
	}
	return r.read(&e)
}

// read returns an entry. The table is locked.
func (r *rowReader) read(e *entry) *Row {
	r.message = e.appendMessage(r.message[:0])
	_ = r.flow.Decode(r.message) // it was made of one that was right
	r.is = Row{Ref: e.ref(), Flow: &r.flow, Rates: e.ratesNow(), Marked: e.marked()}
	return &r.is
}

// Identity tells an entry from those that take its place.
type Identity struct {
	Ref Ref
	// Entry names it in a request.
	Entry ctnetlink.FlowSpec

	reply ctnetlink.Tuple
	start int64 // in seconds since 1970, 0: not known
	// replied: packets of the reply direction were seen, which no entry forgets.
	replied bool
}

// Identify makes i the identity of the entry that r shows.
func (i *Identity) Identify(r *Row) {
	f := r.Flow
	*i = Identity{Ref: r.Ref, reply: *f.Reply()}
	i.Entry.Identify(f)
	if start, ok := f.Start(); ok {
		i.start = start.Unix()
	}
	status, _ := f.Status()
	i.replied = status&ctnetlink.StatusSeenReply != 0
}

// Is reports whether an entry that was asked for anew is that of i. The table is asked
// by the tuple, and another entry may have taken it since. Often it has the same id,
// which is made of the tuple and of the place in memory. So the time of its beginning
// is compared too where both are known, in seconds: that of an entry whose birth was
// seen may be a second late.
func (i *Identity) Is(f *ctnetlink.Flow) bool {
	if id, ok := f.ID(); ok && i.Entry.Set.Has(ctnetlink.AttrID) && id != i.Entry.ID {
		return false
	}
	if start, ok := f.Start(); ok && i.start != 0 && start.Unix() != i.start && start.Unix() != i.start-1 {
		return false
	}
	status, _ := f.Status()
	if i.replied && status&ctnetlink.StatusSeenReply == 0 {
		return false
	}
	return i.reply == *f.Reply()
}

// Mark marks an entry, or takes its mark away. It does nothing if the entry has
// ended. An entry that ends loses its mark; the entry that takes its place has none.
func (t *Table) Mark(r Ref, on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.find(r); ok {
		t.setMarked(&e, on)
	}
}

// MarkMatching marks the entries that match and have a text in them ("": any), or
// takes their marks away, and returns how many changed.
func (t *Table) MarkMatching(ctx context.Context, m *filter.Filter, g *GroupID, search string, on bool) (int, error) {
	refs, err := t.matching(ctx, m, g, search, func(e *entry) bool { return e.marked() != on })
	if err != nil {
		return 0, err
	}
	n := 0
	for len(refs) > 0 {
		part := refs[:min(len(refs), choicePart)]
		refs = refs[len(part):]
		t.mu.Lock()
		for _, r := range part {
			if e, ok := t.find(r); ok && t.setMarked(&e, on) {
				n++
			}
		}
		t.mu.Unlock()
	}
	return n, nil
}

// ChooseMarked returns the entries that are marked now.
func (t *Table) ChooseMarked() *Choice {
	refs, _ := t.matching(context.Background(), nil, nil, "", (*entry).marked) // that context does not end
	return &Choice{t: t, refs: refs}
}

// ChooseMatching returns the entries that match now, and have a text in them ("": any).
func (t *Table) ChooseMatching(ctx context.Context, m *filter.Filter, g *GroupID, search string) (*Choice, error) {
	refs, err := t.matching(ctx, m, g, search, func(*entry) bool { return true })
	return &Choice{t: t, refs: refs, filter: m, group: g}, err
}

// ChooseOne returns one entry.
func (t *Table) ChooseOne(r Ref) *Choice { return t.Choose([]Ref{r}) }

// Choose returns entries. The choice keeps the list, and its order.
func (t *Table) Choose(refs []Ref) *Choice { return &Choice{t: t, refs: refs} }

// ChooseInOrder returns the entries that a query asks for, in its order and whatever
// its limits are.
func (t *Table) ChooseInOrder(ctx context.Context, query *Query) (*Choice, error) {
	q, err := t.ask(query.Filter, query.Group, query.Search)
	if err != nil {
		return nil, err
	}
	defer q.done()
	if err := q.order.compile(q, query.Order); err != nil {
		return nil, err
	}
	if _, err := q.choose(ctx, 0); err != nil {
		return nil, err
	}
	c := &Choice{t: t, filter: query.Filter, group: query.Group}
	places := q.selection.window(0, len(q.selection.places))
	c.refs = make([]Ref, len(places))
	for i := range places {
		c.refs[i] = places[i].ref
	}
	return c, nil
}

// matching returns the entries that match and that want wants.
func (t *Table) matching(ctx context.Context, m *filter.Filter, g *GroupID, search string, want func(*entry) bool) (
	refs []Ref, err error) {
	q, err := t.ask(m, g, search)
	if err != nil {
		return nil, err
	}
	defer q.done()
	err = q.walk(ctx, func() { refs = slices.Grow(refs, pageLen) }, func(e *entry) {
		if want(e) {
			refs = append(refs, e.ref())
		}
	})
	return refs, err
}
