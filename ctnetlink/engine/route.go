package engine

import "net/netip"

// Host is the machine on which the table is.
type Host struct {
	// Addrs are its addresses.
	Addrs []Addr
	// Router reports whether the machine forwards packets as a router does: those
	// that a router does not pass on leave no entry. Otherwise all packets pass, as
	// on a bridge or at an end host.
	Router bool
}

// Addr is an address of an interface.
type Addr struct {
	Interface string
	Prefix    netip.Prefix // the address, with the length of the network's prefix
}

// route decides whether a packet is for this machine or is forwarded. It returns
// false if it is dropped.
func (t *Table) route(p *packet) bool { return true }
