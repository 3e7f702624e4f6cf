package engine_test

import (
	"slices"
	"sync/atomic"
)

// exception is a known difference between the engine and the kernel, or between
// two kernels.
type exception struct {
	name, why string
	n         atomic.Int64
}

func (e *exception) count() { e.n.Add(1) }

var (
	randomPort = &exception{name: "NAT's random port",
		why: "if a translation has no port, the kernel takes a random one: both must be in the same range"}
	randomFound = &exception{name: "FOUND after a search for a port",
		why: "it counts the taken ports before the first free one, and the search starts at random"}
	sweptUse = &exception{name: "USE of a master while its children end",
		why: "a dump removes expired entries as it walks: whether it shows their master before or after that " +
			"depends on the table's order"}
	heldMaster = &exception{name: "a master held by the dump of its expectations",
		why: "until such a dump has been received the kernel holds the master: USE is one more, and if the master " +
			"is deleted its expectations are removed when the dump ends. No request follows it in its datagram"}
	invertedIPv6 = &exception{name: "the kernel's inverted IPv6 address filter",
		why: "for IPv6 the kernel's CTA_FILTER sends the entries that do not match; the engine sends those that do"}
)

var exceptions = []*exception{randomPort, randomFound, sweptUse, heldMaster, invertedIPv6}

// excused reports whether a difference in the answers to a step is an
// exception.
func excused(st *step) bool {
	if slices.ContainsFunc(st.requests, (*request).inverted) {
		invertedIPv6.count()
		return true
	}
	return false
}
