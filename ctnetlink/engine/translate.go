package engine

// translatePacket sets up the translation of a new entry at a hook and
// translates the packet. It returns false if the packet is dropped.
func (t *Table) translatePacket(p *packet) bool { return true }
