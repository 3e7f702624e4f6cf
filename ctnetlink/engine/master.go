package engine

// master is an entry as its followers know it: those that it expected, and that
// name it in CTA_TUPLE_MASTER. They share one. In the kernel each of them holds
// the entry itself, which therefore stays in memory, and counts, until the last
// has gone, though no lookup finds it.
type master struct {
	entry     *entry // nil when it is gone
	tuple     tuple  // its original one
	followers uint32
	ghost     bool    // it is gone and still counts
	above     *master // what a ghost follows in turn
}

// masterOf returns what the followers of an entry share.
func (t *Table) masterOf(e *entry) *master {
	m := t.masters[e.slot]
	if m == nil {
		m = &master{entry: e, tuple: e.tuples[original]}
		t.masters[e.slot] = m
	}
	return m
}

// follow counts a follower. Until then masterOf has left no trace that matters.
func (m *master) follow() {
	m.followers++
	if m.entry != nil {
		m.entry.refs++
	}
}

// leave is the end of a follower.
func (t *Table) leave(m *master) {
	m.followers--
	if m.entry != nil {
		m.entry.refs--
	}
	if m.followers == 0 && m.ghost {
		t.ghosts--
		if m.above != nil {
			t.leave(m.above)
		}
	}
}

// orphan takes an entry that is going out of the lives of its master and of its
// followers.
func (t *Table) orphan(e *entry) {
	var above *master
	if x := t.extension(e); x != nil {
		above = x.master
	}
	m := t.masters[e.slot]
	delete(t.masters, e.slot)
	if m != nil && m.followers > 0 {
		m.entry, m.ghost, m.above = nil, true, above
		t.ghosts++
		return
	}
	if above != nil {
		t.leave(above)
	}
}
