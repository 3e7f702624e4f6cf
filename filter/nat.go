package filter

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// NAT is a criterion on the translation of an entry. The zero NAT is no criterion.
type NAT struct {
	// Given makes it a criterion. With nothing else set, any translation
	// matches.
	Given bool
	// Addr, when valid, is the address that the kernel translated to, of which
	// the bits of Mask, when valid, are compared. In, when not nil, are the
	// addresses in their place. Port, with HasPort, is the port.
	Addr, Mask netip.Addr
	In         AddrSet
	Port       uint16
	HasPort    bool
	// Not selects entries that were translated to anything else.
	Not bool
}

func (m *Filter) matchNAT(f *ctnetlink.Flow) bool {
	if m.SrcNAT.Given && (!f.SourceNAT() || m.SrcNAT.toSource(f) == m.SrcNAT.Not) {
		return false
	}
	if m.DstNAT.Given && (!f.DestinationNAT() || m.DstNAT.toDestination(f) == m.DstNAT.Not) {
		return false
	}
	if m.AnyNAT.Given {
		source, destination := f.SourceNAT(), f.DestinationNAT()
		to := source && m.AnyNAT.toSource(f) || destination && m.AnyNAT.toDestination(f)
		if !source && !destination || to == m.AnyNAT.Not {
			return false
		}
	}
	return true
}

// toSource reports whether the translated source is the one of n.
func (n *NAT) toSource(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return n.equal(r.Dst) && (!n.HasPort || r.Has&ctnetlink.FieldDstPort != 0 && n.Port == r.DstPort ||
		r.Has&ctnetlink.FieldICMPID != 0 && n.Port == r.ICMPID)
}

// toDestination reports whether the translated destination is the one of n.
func (n *NAT) toDestination(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return n.equal(r.Src) && (!n.HasPort || r.Has&ctnetlink.FieldSrcPort != 0 && n.Port == r.SrcPort)
}

// equal reports whether an address is one that n asks for.
func (n *NAT) equal(a netip.Addr) bool {
	if n.In != nil {
		return n.In.Contains(a)
	}
	return !n.Addr.IsValid() || wire.SameAddr(n.Addr, a, n.Mask)
}
