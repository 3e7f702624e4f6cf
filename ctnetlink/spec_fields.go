package ctnetlink

import "time"

// NewFlowSpec returns a FlowSpec with orig as the original tuple and its reverse
// as the reply: it describes a new entry, or names an existing one. A zone of
// one direction is in orig alone.
func NewFlowSpec(orig Tuple) *FlowSpec {
	reply := orig.Reverse()
	return &FlowSpec{Family: orig.Family(), Orig: orig, Reply: reply.Only(^FieldZone)}
}

// SetTimeout sets the time that the entry has left.
func (en *FlowSpec) SetTimeout(d time.Duration) {
	en.Timeout, en.Set = d, en.Set.With(AttrTimeout)
}

// SetMark replaces the bits of the mark that are set in mask with those of
// value. The mask of a whole mark is 0xffffffff.
func (en *FlowSpec) SetMark(value, mask uint32) {
	en.Mark, en.MarkMask = value&mask, mask
	en.Set = en.Set.With(AttrMark).With(AttrMarkMask)
}

// SetStatus sets the flags. See the field for those that an update must contain.
func (en *FlowSpec) SetStatus(s Status) { en.Status, en.Set = s, en.Set.With(AttrStatus) }

// SetZone sets the zone of both directions.
func (en *FlowSpec) SetZone(zone uint16) { en.Zone, en.Set = zone, en.Set.With(AttrZone) }

// SetID restricts Delete to the entry with that id.
func (en *FlowSpec) SetID(id uint32) { en.ID, en.Set = id, en.Set.With(AttrID) }

// SetState sets the protocol's state in ProtoInfo. In a TCP entry it also sets
// TCPBeLiberal and TCPSackPerm for both directions: a request cannot set the
// window, and the kernel takes packets outside of it for invalid.
func (en *FlowSpec) SetState(s State) {
	en.ProtoInfo.Proto, en.ProtoInfo.State = s.Proto(), s
	en.ProtoInfo.Has |= InfoState
	if s.Proto() == ProtoTCP {
		liberal := MaskedTCPFlags{TCPBeLiberal | TCPSackPerm, TCPBeLiberal | TCPSackPerm}
		en.ProtoInfo.Flags = [2]MaskedTCPFlags{liberal, liberal}
		en.ProtoInfo.Has |= InfoFlagsOrig | InfoFlagsReply
	}
	en.Set = en.Set.With(AttrProtoInfo)
}

// SetProtoInfo sets the protocol's state as a whole.
func (en *FlowSpec) SetProtoInfo(p ProtoInfo) {
	en.ProtoInfo, en.Set = p, en.Set.With(AttrProtoInfo)
}

// SetHelper sets the name of the helper.
func (en *FlowSpec) SetHelper(name string) { en.Helper, en.Set = name, en.Set.With(AttrHelp) }

// SetLabels replaces the labels that are in mask with those of labels. A nil mask
// replaces all.
func (en *FlowSpec) SetLabels(labels, mask Labels) {
	en.Labels, en.LabelsMask = append(Labels(nil), labels...), mask
	en.Set = en.Set.With(AttrLabels).Without(AttrLabelsMask)
	if mask == nil {
		return
	}
	en.Set = en.Set.With(AttrLabelsMask)
	for i := range en.Labels {
		if i < len(mask) {
			en.Labels[i] &= mask[i]
		}
	}
}

// SetSrcNAT translates the source of a new entry.
func (en *FlowSpec) SetSrcNAT(n NAT) { en.SrcNAT, en.Set = n, en.Set.With(AttrNATSrc) }

// SetDstNAT translates the destination of a new entry.
func (en *FlowSpec) SetDstNAT(n NAT) { en.DstNAT, en.Set = n, en.Set.With(AttrNATDst) }

// SetMaster sets the original tuple of the connection that expected the entry.
func (en *FlowSpec) SetMaster(orig Tuple) { en.Master, en.Set = orig, en.Set.With(AttrTupleMaster) }

// family returns the family to send.
func (en *FlowSpec) family() Family {
	f := en.Family
	if f == FamilyAny {
		f = en.Orig.Family()
	}
	if f == FamilyAny {
		f = en.Reply.Family()
	}
	return f
}

// named returns an error unless en names an entry. The table would take a request
// without a tuple for one about all entries.
func (en *FlowSpec) named() error {
	if en.Orig.Has == 0 && en.Reply.Has == 0 {
		return &FieldError{"FlowSpec.Orig", "not set, nor is Reply"}
	}
	return en.check()
}

// complete returns an error unless en has what a new entry needs.
func (en *FlowSpec) complete() error {
	switch {
	case en.Orig.Has == 0:
		return &FieldError{"FlowSpec.Orig", "not set"}
	case en.Reply.Has == 0:
		return &FieldError{"FlowSpec.Reply", "not set"}
	case !en.Set.Has(AttrTimeout) && en.Timeout == 0:
		return &FieldError{"FlowSpec.Timeout", "not set"}
	}
	return en.check()
}

// specAttrs are the attributes that Set may name.
const specAttrs = AttrSet(1<<AttrZone | 1<<AttrStatus | 1<<AttrTimeout | 1<<AttrMark | 1<<AttrMarkMask |
	1<<AttrProtoInfo | 1<<AttrHelp | 1<<AttrLabels | 1<<AttrLabelsMask | 1<<AttrNATSrc | 1<<AttrNATDst |
	1<<AttrID | 1<<AttrTupleMaster | 1<<AttrSeqAdjOrig | 1<<AttrSeqAdjReply | 1<<AttrSynproxy)

// specFields are the names of the fields of FlowSpec and of their attributes.
var specFields = [...]struct{ field, attr string }{
	AttrZone: {"Zone", "Zone"}, AttrStatus: {"Status", "Status"}, AttrTimeout: {"Timeout", "Timeout"},
	AttrMark: {"Mark", "Mark"}, AttrMarkMask: {"MarkMask", "MarkMask"}, AttrID: {"ID", "ID"},
	AttrProtoInfo: {"ProtoInfo", "ProtoInfo"}, AttrHelp: {"Helper", "Help"}, AttrLabels: {"Labels", "Labels"},
	AttrLabelsMask: {"LabelsMask", "LabelsMask"}, AttrNATSrc: {"SrcNAT", "NATSrc"}, AttrNATDst: {"DstNAT", "NATDst"},
	AttrTupleMaster: {"Master", "TupleMaster"}, AttrSeqAdjOrig: {"SeqAdj[0]", "SeqAdjOrig"},
	AttrSeqAdjReply: {"SeqAdj[1]", "SeqAdjReply"}, AttrSynproxy: {"Synproxy", "Synproxy"},
}

// check returns an error about a field that cannot be sent as it is set.
func (en *FlowSpec) check() error {
	if set := en.fields() &^ en.Set; set != 0 {
		a := set.first()
		return &FieldError{"FlowSpec." + specFields[a].field, "set, but Set lacks Attr" + specFields[a].attr}
	}
	if other := en.Set &^ specAttrs; other != 0 {
		return &FieldError{"FlowSpec.Set", "attribute " + other.first().String() + ", which no field sends"}
	}
	if _, ok := wireSeconds(en.Timeout); !ok {
		return &FieldError{"FlowSpec.Timeout", "out of range: " + en.Timeout.String()}
	}
	if err := en.Orig.check("FlowSpec.Orig"); err != nil {
		return err
	}
	if err := en.Reply.check("FlowSpec.Reply"); err != nil {
		return err
	}
	if !en.Set.Has(AttrProtoInfo) && !en.Set.Has(AttrTupleMaster) {
		return nil
	}
	if err := en.Master.check("FlowSpec.Master"); err != nil {
		return err
	}
	return en.ProtoInfo.check("FlowSpec.ProtoInfo")
}

// fields returns the attributes of the fields that are not zero.
func (en *FlowSpec) fields() (s AttrSet) {
	if en.Zone != 0 {
		s |= 1 << AttrZone
	}
	if en.Status != 0 {
		s |= 1 << AttrStatus
	}
	if en.Timeout != 0 {
		s |= 1 << AttrTimeout
	}
	if en.Mark != 0 {
		s |= 1 << AttrMark
	}
	if en.MarkMask != 0 {
		s |= 1 << AttrMarkMask
	}
	if en.ID != 0 {
		s |= 1 << AttrID
	}
	if en.ProtoInfo != (ProtoInfo{}) {
		s |= 1 << AttrProtoInfo
	}
	if en.Helper != "" {
		s |= 1 << AttrHelp
	}
	if len(en.Labels) > 0 {
		s |= 1 << AttrLabels
	}
	if len(en.LabelsMask) > 0 {
		s |= 1 << AttrLabelsMask
	}
	if en.SrcNAT != (NAT{}) {
		s |= 1 << AttrNATSrc
	}
	if en.DstNAT != (NAT{}) {
		s |= 1 << AttrNATDst
	}
	if en.Master != (Tuple{}) {
		s |= 1 << AttrTupleMaster
	}
	if en.SeqAdj[0] != (SeqAdj{}) {
		s |= 1 << AttrSeqAdjOrig
	}
	if en.SeqAdj[1] != (SeqAdj{}) {
		s |= 1 << AttrSeqAdjReply
	}
	if en.Synproxy != (Synproxy{}) {
		s |= 1 << AttrSynproxy
	}
	return s
}
