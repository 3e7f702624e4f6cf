package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// DumpRequest says which entries a dump lists. The zero value lists all.
//
// The kernel's own filters are a help, not a promise: a kernel that does not
// know one ignores or refuses it, so what comes must be checked again.
type DumpRequest struct {
	// Table is the list to walk.
	Table Table
	// Family lists one family only; FamilyAny both.
	Family Family
	// Set names which of the filters below are sent: AttrMark, AttrStatus,
	// AttrZone. Tuples are sent when their Has is not empty.
	Set AttrSet
	// Mark and MarkMask: entries with mark & MarkMask == Mark.
	Mark, MarkMask uint32
	// Status and StatusMask: entries with status & StatusMask == Status
	// (Linux 5.15; older ones ignore it).
	Status, StatusMask Status
	// Zone: entries that are in it in either direction (Linux 6.8). It must
	// not be 0, which the kernel takes for entries in no other zone at all.
	Zone uint16
	// Orig and Reply: entries whose tuples have those very values (CTA_FILTER,
	// Linux 5.8). They need a Family. See FilterFields for what may be sent.
	Orig, Reply Tuple
}

// FilterFields returns those of the fields that the kernel can be trusted to
// compare in a dump of a family.
//
//   - The test of IPv6 addresses is inverted: the kernel sends the entries that
//     do not match.
//   - Ports are compared for TCP and UDP only, and for others ignored; like the
//     fields of queries they go with the protocol.
//   - The zone of a tuple filters nothing.
func FilterFields(t *Tuple, family Family) Fields {
	has := t.Has &^ FieldZone
	if family != FamilyIPv4 {
		has &^= FieldAddrs
	}
	if has&FieldProto == 0 {
		return has & FieldAddrs
	}
	switch {
	case t.Proto == ProtoTCP || t.Proto == ProtoUDP:
		has &^= FieldICMP
	case t.Proto == ProtoICMP && family == FamilyIPv4, t.Proto == ProtoICMPv6 && family == FamilyIPv6:
		has &^= FieldPorts
	default:
		has &^= FieldPorts | FieldICMP
	}
	return has
}

// filterSet is a set of the filters that a kernel may not know, the youngest
// last.
type filterSet uint8

const (
	filterMark   filterSet = 1 << iota
	filterStatus           // Linux 5.15
	filterTuples           // Linux 5.8
	filterZone             // Linux 6.8
)

// filters returns those that the request carries.
func (q *DumpRequest) filters() (s filterSet) {
	if q.Set.Has(AttrMark) {
		s |= filterMark
	}
	if q.Set.Has(AttrStatus) {
		s |= filterStatus
	}
	if q.Set.Has(AttrZone) {
		s |= filterZone
	}
	if q.Orig.Has|q.Reply.Has != 0 {
		s |= filterTuples
	}
	return s
}

// last returns the last filter of a set, 0 if it is empty.
func (s filterSet) last() filterSet {
	for f := filterZone; f != 0; f >>= 1 {
		if s&f != 0 {
			return f
		}
	}
	return 0
}

// without returns the request without the filters of a set.
func (s filterSet) without(q *DumpRequest) *DumpRequest {
	if s&q.filters() == 0 {
		return q
	}
	less := *q
	if s&filterMark != 0 {
		less.Set = less.Set.Without(AttrMark)
	}
	if s&filterStatus != 0 {
		less.Set = less.Set.Without(AttrStatus)
	}
	if s&filterZone != 0 {
		less.Set = less.Set.Without(AttrZone)
	}
	if s&filterTuples != 0 {
		less.Orig.Has, less.Reply.Has = 0, 0
	}
	return &less
}

// filterFlags returns the CTA_FILTER flags of the fields that are set in t.
func filterFlags(t *Tuple) uint32 {
	flags := t.Has &^ FieldZone
	if t.Proto != ProtoICMPv6 {
		return uint32(flags)
	}
	return uint32(flags&^FieldICMP | flags&FieldICMP<<wire.FilterICMPv6Shift)
}

// Table is a list of entries that can be dumped.
type Table uint8

const (
	TableConntrack   Table = iota // the table
	TableZeroing                  // the table; each entry's counters are set to 0 after they were read
	TableDying                    // entries whose DESTROY event is still owed
	TableUnconfirmed              // entries whose first packet is still on its way
)

func (q *DumpRequest) message() uint16 {
	switch q.Table {
	case TableZeroing:
		return wire.MsgGetCtrZero
	case TableDying:
		return wire.MsgGetDying
	case TableUnconfirmed:
		return wire.MsgGetUnconfirmed
	}
	return wire.MsgGet
}

func (q *DumpRequest) append(e *encoder, h header) {
	h.Family = q.Family
	e.begin(h)
	if q.Set.Has(AttrMark) {
		e.U32(uint16(AttrMark), q.Mark)
		e.U32(uint16(AttrMarkMask), q.MarkMask)
	}
	if q.Set.Has(AttrStatus) {
		e.U32(uint16(AttrStatus), uint32(q.Status))
		e.U32(uint16(AttrStatusMask), uint32(q.StatusMask))
	}
	if q.Set.Has(AttrZone) {
		e.U16(uint16(AttrZone), q.Zone)
	}
	if q.Orig.Has|q.Reply.Has != 0 {
		if q.Orig.Has != 0 {
			e.tuple(uint16(AttrTupleOrig), &q.Orig)
		}
		if q.Reply.Has != 0 {
			e.tuple(uint16(AttrTupleReply), &q.Reply)
		}
		filter := e.Nest(uint16(AttrFilter))
		if q.Orig.Has != 0 {
			e.HostU32(wire.FilterOrigFlags, filterFlags(&q.Orig))
		}
		if q.Reply.Has != 0 {
			e.HostU32(wire.FilterReplyFlags, filterFlags(&q.Reply))
		}
		e.Close(filter)
	}
	e.End()
}
