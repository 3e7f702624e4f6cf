package engine

// master is an entry as the entries that it expected know it: those that name it
// in CTA_TUPLE_MASTER. They share one. In the kernel each of them holds a
// reference to the entry itself. The entry therefore stays in memory and is
// counted until the last of them is removed, although no lookup finds it.
type master struct {
	entry    *entry // nil after it was removed
	tuple    tuple  // its original tuple
	children uint32
	pinned   bool    // it was removed and still counts
	master   *master // of a pinned one: its own master
}

// masterOf returns the master that the children of an entry share.
func (t *Table) masterOf(e *entry) *master {
	m := t.masters[e.slot]
	if m == nil {
		m = &master{entry: e, tuple: e.tuples[original]}
		t.masters[e.slot] = m
	}
	return m
}

// retain adds a child. Before that a new master has no effect.
func (m *master) retain() {
	m.children++
	if m.entry != nil {
		m.entry.refs++
	}
}

// release removes a child; the last one unpins the master.
func (t *Table) release(m *master) {
	m.children--
	if m.entry != nil {
		m.entry.refs--
	}
	if m.children == 0 && m.pinned {
		t.pinned--
		if m.master != nil {
			t.release(m.master)
		}
	}
}

// detach detaches a removed entry from its master and from its children.
func (t *Table) detach(e *entry) {
	var own *master
	if x := t.extension(e); x != nil {
		own = x.master
	}
	m := t.masters[e.slot]
	delete(t.masters, e.slot)
	if m != nil && m.children > 0 {
		m.entry, m.pinned, m.master = nil, true, own
		t.pinned++
		return
	}
	if own != nil {
		t.release(own)
	}
}
