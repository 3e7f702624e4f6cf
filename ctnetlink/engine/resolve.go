package engine

// resolve finds the packet's entry or makes one (resolve_normal_ct). It returns
// false if the table is full.
func (t *Table) resolve(p *packet) bool {
	p.v.New = false
	if e, d := t.seek(&p.tuple, p.zone); e != nil {
		p.e, p.dir = e, d
		return true
	}
	answer, ok := p.tuple.invert()
	if !ok {
		answer = p.tuple
	}
	if !t.admit(p) {
		return false
	}
	e := t.slabs.alloc()
	e.tuples, e.zone = [2]tuple{p.tuple, answer}, p.zone
	e.has = hasTimeout | t.features()
	e.start = t.wall
	p.e, p.dir, p.v.New = e, original, true
	t.expected(p)
	return true
}

// seek returns the entry that has a tuple, and in which direction. An entry
// that has expired is removed.
func (t *Table) seek(want *tuple, z zone) (*entry, direction) {
	e, d := t.findIn(want, z, original)
	switch {
	case e == nil && z.in(original) != z.in(reply):
		return t.findIn(want, z, reply)
	case e != nil && d == original && want.src == want.dst && e.tuples[reply] == *want &&
		e.zone.in(original) == e.zone.in(reply):
		return e, reply // of a host's packets to itself, from a port to the same one, only the first one is original
	}
	return e, d
}

// free frees an entry that never was in the table.
func (t *Table) free(e *entry) {
	t.dropExpectations(e)
	if x := t.extension(e); x != nil && x.master != nil {
		t.endCalls(e)
		t.release(x.master)
	}
	t.discard(e)
}
