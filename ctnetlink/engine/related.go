package engine

// expected makes a packet's new entry the child of the expectation that it
// matches, if there is one.
func (t *Table) expected(p *packet) bool { return false }

// help lets the helper of the packet's entry read the packet, and adjusts
// sequence numbers. It returns false if the packet is dropped.
func (t *Table) help(p *packet) bool { return true }

// assignHelper gives the packet's new entry a helper by a rule.
func (t *Table) assignHelper(p *packet, h *helper) { p.helper = h }
