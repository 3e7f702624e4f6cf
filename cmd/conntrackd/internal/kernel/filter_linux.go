package kernel

import (
	"net/netip"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// filter says which entries are kept alike: the one rule for events and dumps. The zero
// value accepts all.
type filter struct {
	protocols *config.List[ctnetlink.Protocol]
	states    *config.List[ctnetlink.State]
	addresses *networks
}

func newFilter(c *config.Filter) *filter {
	f := &filter{protocols: c.Protocols, states: c.States}
	if c.Addresses != nil {
		f.addresses = newNetworks(c.Addresses.Items)
		f.addresses.ignore = c.Addresses.Ignore
	}
	return f
}

// hosts reports whether the filter accepts the protocol and the addresses of an entry:
// what never changes. The addresses are those of the hosts that talk: the source of the
// original direction and that of the reply.
func (f *filter) hosts(flow *ctnetlink.Flow) bool {
	if f.protocols != nil && slices.Contains(f.protocols.Items, flow.Orig().Proto) == f.protocols.Ignore {
		return false
	}
	if n := f.addresses; n != nil && (n.contain(flow.Orig().Src) || n.contain(flow.Reply().Src)) == n.ignore {
		return false
	}
	return true
}

// state reports whether the filter accepts the state. What has none is accepted, as is
// what does not tell it.
func (f *filter) state(flow *ctnetlink.Flow) bool {
	if f.states == nil {
		return true
	}
	state, ok := flow.State()
	return !ok || state.Proto() != ctnetlink.ProtoTCP || slices.Contains(f.states.Items, state) != f.states.Ignore
}

// networks is a set of networks.
type networks struct {
	ignore bool
	bits   [2][]int // the lengths of prefixes that there are, of IPv4 and IPv6
	all    map[netip.Prefix]bool
}

func newNetworks(prefixes []netip.Prefix) *networks {
	n := &networks{all: map[netip.Prefix]bool{}}
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		p = p.Masked()
		if bits := &n.bits[family(p.Addr())]; !slices.Contains(*bits, p.Bits()) {
			*bits = append(*bits, p.Bits())
		}
		n.all[p] = true
	}
	return n
}

// family returns the index of an address's family.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// contain reports whether an address is in one of the networks.
func (n *networks) contain(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	for _, bits := range n.bits[family(a)] {
		if p, err := a.Prefix(bits); err == nil && n.all[p] {
			return true
		}
	}
	return false
}
