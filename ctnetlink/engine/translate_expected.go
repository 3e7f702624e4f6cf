package engine

// followMaster translates a new entry as its master is translated: the source
// becomes what the master's other end is for that side, the destination the
// master's own end, at the port that the expectation names
// (nf_nat_follow_master). It must not have been translated before.
func (t *Table) followMaster(e *entry, x *expectation) {
	other := &x.master.tuples[1-x.nat.dir&1]
	t.bind(e, &natRange{addrs: true, minAddr: other.dst, maxAddr: other.dst}, true)
	t.bind(e, &natRange{
		addrs: true, minAddr: other.src, maxAddr: other.src,
		ports: true, minPort: x.nat.port, maxPort: x.nat.port,
	}, false)
}
