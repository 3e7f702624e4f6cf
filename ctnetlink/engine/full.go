package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// dropEarly makes room for the entry of a packet in a full table. It returns
// false if there is nothing to evict.
func (t *Table) dropEarly(p *packet) bool { return t.dropOne() }

// expireForPacket does what is due at the time of a packet.
func (t *Table) expireForPacket() {
	if e := t.path.lost; e != nil {
		t.path.lost = nil
		if e.status&ctnetlink.StatusConfirmed != 0 {
			t.discard(e)
		} else {
			t.free(e)
		}
	}
	t.expireLazily()
}
