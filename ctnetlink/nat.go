package ctnetlink

// Both DONE bits are set on every entry that passed through NAT hooks,
// translated or not; the tuples tell the rest.

// SourceNAT reports whether the entry's source was translated: the reply goes to
// another address, port or query id than the original came from.
func (f *Flow) SourceNAT() bool {
	status, _ := f.Status()
	return status&StatusSrcNATDone != 0 && (f.reply.Dst != f.orig.Src || f.SourcePortNAT())
}

// DestinationNAT reports whether the entry's destination was translated: the
// reply comes from another address or port than the original went to.
func (f *Flow) DestinationNAT() bool {
	status, _ := f.Status()
	return status&StatusDstNATDone != 0 && (f.reply.Src != f.orig.Dst || f.DestinationPortNAT())
}

// SourcePortNAT reports whether the reply goes to another port than the original
// came from. A query's id, which the kernel treats as its source port, is the
// same in both directions unless it was translated.
func (f *Flow) SourcePortNAT() bool {
	o, r := &f.orig, &f.reply
	if o.Has&FieldSrcPort != 0 && r.Has&FieldDstPort != 0 {
		return o.SrcPort != r.DstPort
	}
	return o.Has&FieldICMPID != 0 && r.Has&FieldICMPID != 0 && o.ICMPID != r.ICMPID
}

// DestinationPortNAT reports whether the reply comes from another port than the
// original went to.
func (f *Flow) DestinationPortNAT() bool {
	o, r := &f.orig, &f.reply
	return o.Has&FieldDstPort != 0 && r.Has&FieldSrcPort != 0 && o.DstPort != r.SrcPort
}
