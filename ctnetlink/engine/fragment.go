package engine

// reassembly holds the fragments that wait for others.
type reassembly struct{}

// pieces are the fragments that a packet came in.
type pieces struct{}

// reassemble collects fragments. It returns false if the packet is a fragment
// that waits or is dropped.
func (t *Table) reassemble(p *packet) bool { return true }

// leave sends a packet away, in fragments if it came in fragments.
func (t *Table) leave(p *packet) {
	t.path.leaves = append(t.path.leaves[:0], p.data)
	p.v.Leaves = t.path.leaves
}
