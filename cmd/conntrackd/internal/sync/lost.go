package sync

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// maxLost is how many addresses that are gone are told apart.
const maxLost = 256

// lostAddresses are the own addresses that are gone, and when they went. The unspecified
// address of a family stands for all of it, the zero address for all.
type lostAddresses map[netip.Addr]time.Time

// add notes addresses that are gone; none: it is not known which.
func (l *lostAddresses) add(now time.Time, addresses []netip.Addr) {
	for a, since := range *l {
		if now.Sub(since) >= holdTime {
			delete(*l, a)
		}
	}
	if *l == nil {
		*l = lostAddresses{}
	}
	if len(addresses) == 0 || len(*l)+len(addresses) > maxLost {
		clear(*l)
		addresses = []netip.Addr{{}}
	}
	for _, a := range addresses {
		(*l)[a.Unmap().WithZone("")] = now
	}
}

// ends reports whether the kernel ends an entry because of an address that has gone after
// a time: the entry is translated to the address, so that replies are sent to it.
func (l lostAddresses) ends(o wire.Object, after time.Time) bool {
	status := o.Status()
	if status&translated == 0 {
		return false
	}
	lost := func(a netip.Addr) bool {
		since, ok := l[a]
		return ok && since.After(after)
	}
	to := o.ReplyTo()
	if lost(netip.Addr{}) || !to.IsValid() || lost(to) {
		return true
	}
	any := netip.IPv4Unspecified()
	if to.Is6() {
		any = netip.IPv6Unspecified()
	}
	return status&ctnetlink.StatusSrcNAT != 0 && lost(any)
}

// endsExpected is lostAddresses.ends for an expectation: it ends with its master. One
// whose master is not known is taken for one that does.
func (n *Node) endsExpected(o wire.Object, after time.Time) bool {
	var x ctnetlink.ExpectSpec
	if n.c.DisableInternalCache || o.ExpectSpec(&x) != nil {
		return true
	}
	k := wire.TupleKey(&x.Master, x.Zone, x.Zone)
	s := n.Internal.Find(&k)
	return s == 0 || n.hold.lost.ends(n.Internal.Object(s), after)
}
