package live

import "github.com/gonntrack/gonntrack/ctnetlink"

// Find returns the entry of a source that a message is about, an event for example.
// ok is false if it is not kept: it has ended, or another entry has its tuple now.
func (t *Table) Find(source int, f *ctnetlink.Flow) (r Ref, ok bool) {
	var d shown
	if source < 0 || source >= len(t.copies) || !d.read(f) {
		return r, false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, i, ok := t.copies[source].find(&d.key, t.hash(&d.key))
	if !ok || !p.is(i, &d, f) {
		return r, false
	}
	e := entry{p: p, i: i}
	return e.ref(), true
}
