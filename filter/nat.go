package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

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

// toSource tells whether a source that was translated became what n says.
func (n *NAT) toSource(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return (!n.Addr.IsValid() || sameAddr(n.Addr, r.Dst, n.Mask)) &&
		(!n.HasPort || r.Has&ctnetlink.FieldDstPort != 0 && n.Port == r.DstPort ||
			r.Has&ctnetlink.FieldICMPID != 0 && n.Port == r.ICMPID)
}

// toDestination is toSource for the destination.
func (n *NAT) toDestination(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return (!n.Addr.IsValid() || sameAddr(n.Addr, r.Src, n.Mask)) &&
		(!n.HasPort || r.Has&ctnetlink.FieldSrcPort != 0 && n.Port == r.SrcPort)
}
