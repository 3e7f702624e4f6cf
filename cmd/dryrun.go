package cmd

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// wouldDelete prints what -D, or -F, would delete.
func (p *program) wouldDelete(r *Request) error {
	w := p.flows(r)
	for f, err := range p.matching(r) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d flow entries would have been deleted.", r.Command == cmdDelete)
}

// wouldUpdate prints the entries that -U would change, as they are.
func (p *program) wouldUpdate(r *Request) error {
	w := p.flows(r)
	for f, err := range p.matching(r) {
		if err != nil {
			return r.refused(err)
		}
		if !r.changes(new(ctnetlink.Entry), f) {
			continue
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d flow entries would have been updated.", true)
}

// wouldDeleteExpect prints the expectation that -D would delete.
func (p *program) wouldDeleteExpect(r *Request) error {
	x, err := p.table.GetExpect(r.expectation())
	if err != nil {
		return r.refused(err)
	}
	w := p.flows(r)
	if err := w.expect(x); err != nil {
		return err
	}
	w.end()
	return p.counted(1, "%d expectations would have been deleted.", true)
}

// wouldFlushExpect prints the expectations that -F would delete.
func (p *program) wouldFlushExpect(r *Request) error {
	w := p.flows(r)
	for x, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.expect(x); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d expectations would have been deleted.", false)
}

// rehearsal tells of each line of a file what would become of it, as far as
// that can be known: by the table as it is, and by what the lines before would
// have made and removed. What only the kernel decides (which port a translation
// gets, whether there is room) is not known.
type rehearsal struct {
	*program
	emptied map[uint8]bool // families whose entries would be gone
	gone    map[string]bool
	made    map[string][]byte // the messages of entries that would be there
	refused int
	done    int
}

// rehearse goes through the lines of a file without carrying them out. It ends
// where the load would.
func (p *program) rehearse(requests iter.Seq[*Request], keepGoing bool) error {
	h := &rehearsal{program: p, emptied: map[uint8]bool{}, gone: map[string]bool{}, made: map[string][]byte{}}
	for r := range requests {
		what, err := h.line(r)
		if err != nil {
			return err
		}
		if err := h.tell(r, what); err != nil {
			return err
		}
		if h.refused > 0 && !keepGoing {
			break
		}
	}
	p.say("%d lines would have been loaded, %d refused.", h.done, h.refused)
	if h.refused > 0 {
		return errQuiet
	}
	return nil
}

// tell prints what would become of a line.
func (h *rehearsal) tell(r *Request, what string) error {
	h.out.buf = fmt.Appendf(h.out.buf, "line %d: %s: %s\n", r.line, what, strings.TrimSpace(r.text))
	return h.out.spill()
}

// line says what would become of a line.
func (h *rehearsal) line(r *Request) (what string, err error) {
	switch r.Command {
	case cmdCreate, cmdAdd:
		what, err = h.create(r)
	case cmdFlush:
		what, err = h.flush(r)
	default:
		what, err = h.change(r)
	}
	if err != nil {
		return "", r.refused(err)
	}
	return what, nil
}

// create says what would become of -I or -A.
func (h *rehearsal) create(r *Request) (string, error) {
	en := r.entry()
	same, err := h.exists(originally(en))
	if err != nil {
		return "", err
	}
	taken := same
	if !same && !en.Set.Has(ctnetlink.AttrNATSrc) && !en.Set.Has(ctnetlink.AttrNATDst) {
		// The reply that is not translated must be free as well.
		reply := originally(en)
		reply.Orig = en.Reply
		if taken, err = h.exists(reply); err != nil {
			return "", err
		}
	}
	switch {
	case taken && (r.Command == cmdCreate || !same):
		h.refused++
		return "would be refused: " + refusalText(r.Command, r.Table, ctnetlink.EEXIST), nil
	case same:
		h.done++
		return "would update an entry", nil
	}
	h.done++
	h.made[keyOf(en)] = en.AppendMessage(nil)
	return "would create an entry", nil
}

// keyOf returns what identifies an entry.
func keyOf(en *ctnetlink.Entry) string { return string(originally(en).AppendMessage(nil)) }

// exists tells whether there would be an entry with one of its tuples.
func (h *rehearsal) exists(named *ctnetlink.Entry) (bool, error) {
	if h.made[keyOf(named)] != nil {
		return true, nil
	}
	if h.emptied[named.Family] {
		return false, nil
	}
	f, err := h.table.Get(named)
	switch {
	case errors.Is(err, ctnetlink.ENOENT):
		return false, nil
	case errors.Is(err, ctnetlink.EINVAL):
		return false, nil // the table would say so on creation
	case err != nil:
		return false, err
	}
	var en ctnetlink.Entry
	en.Identify(f)
	return !h.gone[keyOf(&en)], nil
}

// flush says what would become of -F.
func (h *rehearsal) flush(r *Request) (string, error) {
	n, err := h.each(r, func(*ctnetlink.Flow) bool { return true })
	if err != nil {
		return "", err
	}
	h.remove(r.filter())
	for _, family := range []uint8{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6} {
		if r.Family == ctnetlink.FamilyAny || r.Family == family {
			h.emptied[family] = true
		}
	}
	h.done++
	return fmt.Sprintf("would delete %d entries", n), nil
}

// change says what would become of -D or -U.
func (h *rehearsal) change(r *Request) (string, error) {
	h.done++
	if r.Command == cmdUpdate {
		n, err := h.each(r, func(f *ctnetlink.Flow) bool { return r.changes(new(ctnetlink.Entry), f) })
		return fmt.Sprintf("would update %d entries", n), err
	}
	var en ctnetlink.Entry
	n, err := h.each(r, func(f *ctnetlink.Flow) bool {
		en.Identify(f)
		h.gone[keyOf(&en)] = true
		return true
	})
	h.remove(r.filter())
	return fmt.Sprintf("would delete %d entries", n), err
}

// each calls visit with the entries that a request chooses among those that
// would be there, and counts those of which it says so.
func (h *rehearsal) each(r *Request, visit func(*ctnetlink.Flow) bool) (n int, err error) {
	var en ctnetlink.Entry
	for f, err := range h.matching(r) {
		if err != nil {
			return 0, err
		}
		en.Identify(f)
		if !h.emptied[f.Family] && !h.gone[keyOf(&en)] && visit(f) {
			n++
		}
	}
	m := r.filter()
	var f ctnetlink.Flow
	for _, message := range h.made {
		if f.Decode(message) == nil && m.Match(&f) && (r.Command != cmdUpdate || r.changes(new(ctnetlink.Entry), &f)) {
			n++
		}
	}
	return n, nil
}

// remove forgets what lines before would have made and this one deletes.
func (h *rehearsal) remove(m *filter.Filter) {
	var f ctnetlink.Flow
	for key, message := range h.made {
		if f.Decode(message) == nil && m.Match(&f) {
			delete(h.made, key)
		}
	}
}
