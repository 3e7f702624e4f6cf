package engine_test

import "encoding/binary"

// choice is what the kernel drew for the entry that a packet made, so that the
// engine can draw the same.
type choice struct {
	sport, dport uint16 // of the packet as it leaves; or the ICMP id, twice
	known        bool
	drew         bool   // for the last packet
	size         uint32 // of the largest range that was drawn from
	found        uint32 // ports that the kernel tried and the engine did not, in the scenario
}

// from reads the choice from the events of a packet.
func (c *choice) from(events []answer) {
	*c = choice{found: c.found}
	for _, a := range events {
		if a.typ != ctNew {
			continue
		}
		proto := find(find(a.body, ctaTupleReply), 2)
		number := func(typ uint16) uint16 {
			if v := find(proto, typ); len(v) == 2 {
				return binary.BigEndian.Uint16(v)
			}
			return 0
		}
		c.known, c.sport, c.dport = true, number(3), number(2)
		for _, id := range []uint16{4, 7} {
			if v := find(proto, id); v != nil {
				c.sport, c.dport = number(id), number(id)
			}
		}
	}
}

// draw is Options.Draw: the search begins at the port that the kernel has chosen.
// If that is not free for the engine, it goes on and chooses another one.
func (c *choice) draw(first, last uint16, source bool) uint16 {
	c.drew = true
	c.size = max(c.size, uint32(last-first)+1)
	port := c.dport
	if source {
		port = c.sport
	}
	if !c.known || port < first || port > last {
		return first
	}
	return port
}

// count takes the ports that the kernel tried before the one it chose as found by
// the engine too. There cannot be more than the rounds of a search have.
func (c *choice) count(k, e *outcome) {
	const found = 2 // CTA_STATS_FOUND
	e.stats[found] += c.found
	if more := k.stats[found] - e.stats[found]; c.drew && more <= 2*min(c.size, 128) {
		c.found += more
		e.stats[found] += more
	}
	if e.stats[found] == 0 {
		delete(e.stats, found)
	}
}
