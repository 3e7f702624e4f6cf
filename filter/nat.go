package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

func (m *Filter) matchNAT(f *ctnetlink.Flow) bool {
	if m.SrcNAT.Given && !m.SrcNAT.matchSource(f) {
		return false
	}
	if m.DstNAT.Given && !m.DstNAT.matchDestination(f) {
		return false
	}
	if m.AnyNAT.Given && !m.AnyNAT.matchSource(f) && !m.AnyNAT.matchDestination(f) {
		return false
	}
	return true
}

func (n *NAT) matchSource(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return f.SourceNAT() &&
		(!n.Addr.IsValid() || n.Addr == r.Dst) &&
		(!n.HasPort || r.Has&ctnetlink.FieldDstPort != 0 && n.Port == r.DstPort ||
			r.Has&ctnetlink.FieldICMPID != 0 && n.Port == r.ICMPID)
}

func (n *NAT) matchDestination(f *ctnetlink.Flow) bool {
	r := f.Reply()
	return f.DestinationNAT() &&
		(!n.Addr.IsValid() || n.Addr == r.Src) &&
		(!n.HasPort || r.Has&ctnetlink.FieldSrcPort != 0 && n.Port == r.SrcPort)
}
