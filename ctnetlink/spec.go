package ctnetlink

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// FlowSpec describes an entry in a request: which entry is meant, and what it is
// to be. Only what is marked as present is sent. Tuples are sent when their Has
// is not empty, the other fields when Set names their attribute. [NewFlowSpec]
// and the setters set both; a field that is set without its mark makes a request
// fail with a [FieldError].
type FlowSpec struct {
	// Family is that of the addresses. FamilyAny stands for the family of the
	// addresses in Orig, or in Reply.
	Family Family
	// Orig and Reply are the tuples. One of them names an existing entry, Orig if
	// both are given. A new entry needs both; if it is to be translated, Reply is
	// that without the translation, from which the kernel makes the other.
	Orig, Reply Tuple
	// Exact restricts Get, Update and Delete to the entry that has the tuple in
	// its own direction. Without it the tuple of either direction is meant, and
	// where zones of one direction are used, one entry may have it as its
	// original tuple and another as its reply, both in the same zone: the kernel
	// takes the newer. It has no effect before Linux 4.3 and on a kernel without
	// zones, which have none of one direction.
	Exact bool
	// Set names the fields below that are sent, by their attributes: AttrZone,
	// AttrStatus, AttrTimeout, AttrMark, AttrMarkMask, AttrProtoInfo, AttrHelp,
	// AttrLabels, AttrLabelsMask, AttrNATSrc, AttrNATDst, AttrID,
	// AttrTupleMaster, AttrSeqAdjOrig, AttrSeqAdjReply, AttrSynproxy.
	Set AttrSet
	// Zone is the zone of both directions (CTA_ZONE). That of one direction is
	// in its tuple.
	Zone uint16
	// Status are the flags. Create and Update add StatusConfirmed, which the
	// kernel demands. An update must also contain those of StatusExpected,
	// StatusSeenReply and StatusAssured that the entry has, or the kernel answers
	// EBUSY: they cannot be taken back.
	Status Status
	// Timeout is the time that the entry has left, in seconds: a fraction counts
	// as a whole one. A new entry needs it.
	Timeout time.Duration
	// Mark replaces the bits of the mark that are set in MarkMask; without
	// AttrMarkMask it replaces the mark. The new mark is
	// old &^ MarkMask ^ Mark: bits of Mark outside of the mask flip.
	Mark, MarkMask uint32
	// ID restricts Delete to the entry with that id. Other requests ignore it.
	ID uint32
	// ProtoInfo is the state of the protocol.
	ProtoInfo ProtoInfo
	// Helper is the name of a connection tracking helper, such as "ftp".
	Helper string
	// Labels replaces the labels that are in LabelsMask; without AttrLabelsMask it
	// replaces all. Bits of Labels outside of the mask flip. Both have the same
	// length, a multiple of 4 and at most 16 bytes. The kernel has room for labels
	// only where the rule set uses them: ENOSPC otherwise.
	Labels, LabelsMask Labels
	// SrcNAT and DstNAT are the translations of a new entry.
	SrcNAT, DstNAT NAT
	// Master is the original tuple of the connection whose helper expected a new
	// entry.
	Master Tuple
	// SeqAdj are the sequence adjustments of both directions.
	SeqAdj [2]SeqAdj
	// Synproxy has the numbers of a SYNPROXY target.
	Synproxy Synproxy
}

// NAT is a translation: to an address or to one of a range, and to a port or to
// one of a range. An address that is not valid and a port of 0 are left to the
// kernel; the upper ends alone mean nothing.
type NAT struct {
	MinAddr, MaxAddr netip.Addr
	MinPort, MaxPort uint16
}

// AppendMessage appends to dst a NEW message with what en describes, as a table
// lists and announces entries, and returns the extended slice. A Flow decodes
// it. Fields are not checked.
func (en *FlowSpec) AppendMessage(dst []byte) []byte {
	e := encoder{wire.Builder{B: dst}}
	en.append(&e, header{Type: wire.SubsysConntrack<<8 | wire.MsgNew})
	return e.B
}

// append appends the request as one message.
func (en *FlowSpec) append(e *encoder, h header) {
	h.Family = en.family()
	e.begin(h)
	if en.Orig.Has != 0 {
		e.tuple(uint16(AttrTupleOrig), &en.Orig)
	}
	if en.Reply.Has != 0 {
		e.tuple(uint16(AttrTupleReply), &en.Reply)
	}
	if en.Set.Has(AttrZone) {
		e.U16(uint16(AttrZone), en.Zone)
	}
	en.appendFields(e, h)
}

// appendFields appends what follows the tuples and the zone, and ends the
// message.
func (en *FlowSpec) appendFields(e *encoder, h header) {
	if en.Set.Has(AttrTupleMaster) {
		e.tuple(uint16(AttrTupleMaster), &en.Master)
	}
	if en.Set.Has(AttrID) {
		e.U32(uint16(AttrID), en.ID)
	}
	if en.Set.Has(AttrStatus) {
		status := en.Status
		if h.Flags&wire.FlagRequest != 0 {
			status |= StatusConfirmed
		}
		e.U32(uint16(AttrStatus), uint32(status))
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

// Identify makes en name the entry that f shows: by its family, its original
// tuple with that direction's zone, its zone and its id, and Exact. (The kernel
// refuses a request with a zone in both tuples.) Because of the id, Delete does
// not remove a newer entry with the same tuple; Get and Update act on whichever
// has it.
func (en *FlowSpec) Identify(f *Flow) {
	*en = FlowSpec{Family: f.Family(), Orig: *f.Orig(), Exact: true}
	if zone, ok := f.Zone(); ok {
		en.Zone, en.Set = zone, en.Set.With(AttrZone)
	}
	if id, ok := f.ID(); ok {
		en.ID, en.Set = id, en.Set.With(AttrID)
	}
}
