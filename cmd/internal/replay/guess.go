package replay

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/capture"
)

// guess guesses the addresses of the machine at which a capture was made: those
// that the capture's direction flags name as senders, or the one that is an end of
// every packet.
type guess struct {
	senders map[netip.Addr]int // of packets that the capture says were sent
	ends    [2]common          // of IPv4 and IPv6
}

// common are the addresses that are an end of every packet so far.
type common struct {
	begun bool
	addrs []netip.Addr
}

// maxSenders limits the number of addresses by direction flags: a machine that
// forwards sends the packets of others.
const maxSenders = 16

func (g *guess) add(rec *capture.Record) {
	var src, dst netip.Addr
	i := 0
	switch b := rec.Data; {
	case len(b) >= 20 && b[0]>>4 == 4:
		src, dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	case len(b) >= 40 && b[0]>>4 == 6:
		src, dst, i = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:])), 1
	default:
		return
	}
	if rec.Direction == capture.Outgoing && !src.IsUnspecified() {
		if g.senders == nil {
			g.senders = map[netip.Addr]int{}
		}
		if len(g.senders) <= maxSenders || g.senders[src] > 0 {
			g.senders[src]++
		}
	}
	g.ends[i].add(src, dst)
}

func (c *common) add(src, dst netip.Addr) {
	if dst.IsMulticast() || dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || src.IsUnspecified() || src == dst {
		return
	}
	if !c.begun {
		c.begun, c.addrs = true, []netip.Addr{src, dst}
	}
	c.addrs = slices.DeleteFunc(c.addrs, func(a netip.Addr) bool { return a != src && a != dst })
}

// addresses returns the addresses that the machine seems to have, and why.
func (g *guess) addresses() (list []netip.Addr, why string) {
	if n := len(g.senders); n > 0 && n <= maxSenders {
		list = slices.Collect(maps.Keys(g.senders))
		slices.SortFunc(list, func(a, b netip.Addr) int {
			return cmp.Or(cmp.Compare(g.senders[b], g.senders[a]), a.Compare(b))
		})
		return list, "the capture says that it sent packets"
	}
	for i := range g.ends {
		// One is left of the first two when there is a third.
		if c := &g.ends[i]; len(c.addrs) == 1 {
			list = append(list, c.addrs[0])
		}
	}
	return list, "all other hosts talk to it"
}
