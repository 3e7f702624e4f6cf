package ctnetlink

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// FlowSpec is what a request says about an entry. Tuples are sent when their Has
// is not empty, the other fields when Set names their attribute.
type FlowSpec struct {
	// Family of the addresses: FamilyIPv4 or FamilyIPv6.
	Family Family
	// Orig and Reply identify the entry, or describe the one to create. When
	// one is to be translated on creation, Reply is the untranslated one: the
	// kernel rewrites it.
	Orig, Reply Tuple
	// Set names which of the fields below are sent: AttrZone, AttrStatus,
	// AttrTimeout, AttrMark, AttrMarkMask, AttrProtoInfo, AttrHelp,
	// AttrLabels, AttrLabelsMask, AttrNATSrc, AttrNATDst, AttrID,
	// AttrTupleMaster, AttrSeqAdjOrig, AttrSeqAdjReply, AttrSynproxy.
	Set AttrSet
	// Zone of both directions.
	Zone uint16
	// Status must contain StatusConfirmed or the kernel answers EBUSY.
	Status Status
	// Timeout is what the entry has left, in seconds: fractions are rounded up.
	Timeout time.Duration
	// Mark becomes (old &^ MarkMask) ^ Mark; without AttrMarkMask, Mark.
	Mark, MarkMask uint32
	// ID makes Delete act on that very entry only.
	ID uint32
	// ProtoInfo is the protocol's own state.
	ProtoInfo ProtoInfo
	// Helper is the name of a helper.
	Helper string
	// Labels replaces the label set, or with LabelsMask acts on those bits
	// alone. Lengths are equal and a multiple of 4, at most 16.
	Labels, LabelsMask Labels
	// SrcNAT and DstNAT translate; on creation only.
	SrcNAT, DstNAT NAT
	// Master is the original tuple of the connection that expected this one.
	Master Tuple
	// SeqAdj are the sequence adjustments of both directions.
	SeqAdj [2]SeqAdj
	// Synproxy has the numbers of a SYNPROXY target.
	Synproxy Synproxy
}

// NAT is a translation to an address, an address range, a port or a port range.
type NAT struct {
	MinAddr, MaxAddr netip.Addr // MaxAddr may be invalid: just one address
	MinPort, MaxPort uint16     // 0: not given
}

// AppendMessage appends en to dst as one NEW message, the form in which a table
// lists and announces entries. A Flow decodes it.
func (en *FlowSpec) AppendMessage(dst []byte) []byte {
	e := encoder{wire.Builder{B: dst}}
	en.append(&e, header{Type: wire.SubsysConntrack<<8 | wire.MsgNew})
	return e.B
}

// append appends the request as one message.
func (en *FlowSpec) append(e *encoder, h header) {
	h.Family = en.Family
	e.begin(h)
	if en.Orig.Has != 0 {
		e.tuple(uint16(AttrTupleOrig), &en.Orig)
	}
	if en.Reply.Has != 0 {
		e.tuple(uint16(AttrTupleReply), &en.Reply)
	}
	if en.Set.Has(AttrTupleMaster) {
		e.tuple(uint16(AttrTupleMaster), &en.Master)
	}
	if en.Set.Has(AttrZone) {
		e.U16(uint16(AttrZone), en.Zone)
	}
	if en.Set.Has(AttrID) {
		e.U32(uint16(AttrID), en.ID)
	}
	if en.Set.Has(AttrStatus) {
		e.U32(uint16(AttrStatus), uint32(en.Status))
	}
	if en.Set.Has(AttrTimeout) {
		e.timeout(uint16(AttrTimeout), en.Timeout)
	}
	if en.Set.Has(AttrMark) {
		e.U32(uint16(AttrMark), en.Mark)
	}
	if en.Set.Has(AttrMarkMask) {
		e.U32(uint16(AttrMarkMask), en.MarkMask)
	}
	if en.Set.Has(AttrProtoInfo) {
		e.protoInfo(&en.ProtoInfo)
	}
	if en.Set.Has(AttrHelp) {
		help := e.Nest(uint16(AttrHelp))
		e.Str(wire.HelpName, en.Helper)
		e.Close(help)
	}
	if en.Set.Has(AttrNATSrc) {
		e.nat(AttrNATSrc, &en.SrcNAT)
	}
	if en.Set.Has(AttrNATDst) {
		e.nat(AttrNATDst, &en.DstNAT)
	}
	if en.Set.Has(AttrLabels) {
		e.Bytes(uint16(AttrLabels), en.Labels)
	}
	if en.Set.Has(AttrLabelsMask) {
		e.Bytes(uint16(AttrLabelsMask), en.LabelsMask)
	}
	if en.Set.Has(AttrSeqAdjOrig) {
		e.seqAdj(AttrSeqAdjOrig, en.SeqAdj[0])
	}
	if en.Set.Has(AttrSeqAdjReply) {
		e.seqAdj(AttrSeqAdjReply, en.SeqAdj[1])
	}
	if en.Set.Has(AttrSynproxy) {
		e.synproxy(en.Synproxy)
	}
	e.End()
}

// Identify makes en a request about the very entry that f shows: its family,
// its original tuple with that direction's zone, its zone and its id. (The
// reply tuple stays out: the kernel refuses a request with a zone in both.)
// The kernel looks at the id in Delete alone; Get and Update find whichever
// entry has the tuple by then.
func (en *FlowSpec) Identify(f *Flow) {
	*en = FlowSpec{Family: f.Family(), Orig: *f.Orig()}
	if zone, ok := f.Zone(); ok {
		en.Zone, en.Set = zone, en.Set.With(AttrZone)
	}
	if id, ok := f.ID(); ok {
		en.ID, en.Set = id, en.Set.With(AttrID)
	}
}

// ExpectSpec is what a request says about an expectation. Tuples are sent
// when their Has is not empty, the other fields when they are marked.
type ExpectSpec struct {
	// Family of the addresses: FamilyIPv4 or FamilyIPv6.
	Family Family
	// Tuple is what is expected, Mask which bits of it count, Master the
	// original tuple of the connection that awaits it, which needs a helper.
	Tuple, Mask, Master Tuple
	// Timeout is what the expectation has left, in seconds: fractions are rounded
	// up. The kernel ignores it on creation.
	Timeout    time.Duration
	HasTimeout bool
	// ID makes DeleteExpect act on that very expectation only.
	ID    uint32
	HasID bool
	Zone  uint16
	// HasZone marks Zone as set.
	HasZone bool
	// Helper is the name of the helper, Fn that of the function that is called
	// when a connection matches. Empty names are not sent.
	Helper, Fn string
	// Class is the class of the helper's expectations, Flags are the flags.
	// Zero values are not sent; they are the kernel's default.
	Class uint32
	Flags ExpectFlags
	// NAT is the translation of the expected connection. It is sent when
	// NAT.Tuple.Has is not empty.
	NAT ExpectNAT
}

// AppendMessage appends x to dst as one NEW message, the form in which a table
// lists and announces expectations. An Expect decodes it.
func (x *ExpectSpec) AppendMessage(dst []byte) []byte {
	e := encoder{wire.Builder{B: dst}}
	x.append(&e, header{Type: wire.SubsysExpect<<8 | wire.MsgNew})
	return e.B
}

func (x *ExpectSpec) append(e *encoder, h header) {
	h.Family = x.Family
	e.begin(h)
	if x.Master.Has != 0 {
		e.tuple(wire.ExpectMaster, &x.Master)
	}
	if x.Tuple.Has != 0 {
		e.tuple(wire.ExpectTuple, &x.Tuple)
	}
	if x.Mask.Has != 0 {
		e.tuple(wire.ExpectMask, &x.Mask)
	}
	if x.HasTimeout {
		e.timeout(wire.ExpectTimeout, x.Timeout)
	}
	if x.HasID {
		e.U32(wire.ExpectID, x.ID)
	}
	if x.HasZone {
		e.U16(wire.ExpectZone, x.Zone)
	}
	if x.Helper != "" {
		e.Str(wire.ExpectHelpName, x.Helper)
	}
	if x.Fn != "" {
		e.Str(wire.ExpectFn, x.Fn)
	}
	if x.Class != 0 {
		e.U32(wire.ExpectClass, x.Class)
	}
	if x.Flags != 0 {
		e.U32(wire.ExpectFlags, uint32(x.Flags))
	}
	if x.NAT.Tuple.Has != 0 {
		e.expectNAT(&x.NAT)
	}
	e.End()
}

// Identify makes x a request about the very expectation that e shows.
func (x *ExpectSpec) Identify(e *Expect) {
	*x = ExpectSpec{Family: e.Family(), Tuple: *e.Tuple()}
	x.ID, x.HasID = e.ID()
	x.Zone, x.HasZone = e.Zone()
}
