package engine

// dropEarly makes room for the entry of a packet in a full table. It returns
// false if there is nothing to evict.
func (t *Table) dropEarly(p *packet) bool { return t.dropOne() }

// expireForPacket does what is due at the time of a packet.
func (t *Table) expireForPacket() {
	if e := t.path.lost; e != nil {
		t.path.lost = nil
		t.free(e)
	}
	t.expireLazily()
}
