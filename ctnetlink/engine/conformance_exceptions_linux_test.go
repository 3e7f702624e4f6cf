package engine_test

import (
	"slices"
	"sync/atomic"
)

// exception is something in which the engine cannot agree with the kernel, or
// two kernels with each other.
type exception struct {
	name, why string
	n         atomic.Int64
}

func (e *exception) count() { e.n.Add(1) }

var (
	randomPort = &exception{name: "NAT's random port",
		why: "where a translation leaves the choice of a port, the kernel takes one at random: they need only be of the same range"}
	randomFound = &exception{name: "FOUND after a search for a port",
		why: "it counts the ports that were taken on the way to a free one, which began at random"}
	sweptUse = &exception{name: "USE of a master while its followers end",
		why: "a dump removes ended entries as it walks: whether it shows their master before or after is a matter of the table's order"}
	heldMaster = &exception{name: "a master held by the dump of its expectations",
		why: "until such a dump has been received the kernel keeps its master: USE is one more, and if the master is deleted its expectations go when the dump ends. Nothing follows such a dump in its datagram"}
	invertedIPv6 = &exception{name: "the kernel's inverted IPv6 address filter",
		why: "for IPv6 the kernel's CTA_FILTER sends what does not match the addresses; the engine sends what matches"}
)

var exceptions = []*exception{randomPort, randomFound, sweptUse, heldMaster, invertedIPv6}

// excused tells whether answers to a step that differ are those of an exception.
func excused(st *step) bool {
	if slices.ContainsFunc(st.requests, (*request).inverted) {
		invertedIPv6.count()
		return true
	}
	return false
}
