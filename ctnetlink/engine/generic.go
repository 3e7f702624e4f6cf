package engine

// generic is every protocol that has no tracking of its own: the tuple has
// addresses only.
var generic = protocol{
	tuple: func(*packet, *tuple) Reason { return Reason{} },
	check: func(*Table, *packet) Reason { return Reason{} },
	packet: func(t *Table, p *packet) (outcome, Reason) {
		t.refresh(p, t.timeouts(p, &t.o.Sysctls.Generic)[0])
		return accepted, Reason{}
	},
}
