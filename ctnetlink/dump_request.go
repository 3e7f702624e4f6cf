package ctnetlink

import (
	"net/netip"
	"strconv"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// DumpRequest selects the entries that [Conn.Dump] lists. The zero value, like
// a nil pointer, selects all. Criteria that are given must all be met.
//
// A Conn lets the kernel do as much of the selection as the kernel's version
// can, and does the rest itself.
type DumpRequest struct {
	// Table is the list to dump.
	Table Table
	// Zero sets the packet and byte counters of the listed entries to 0 after
	// they were read. It is for TableConntrack only. The kernel may also do so
	// to entries that it cannot tell do not match: those are not listed.
	Zero bool
	// Family selects entries of one address family; FamilyAny selects both.
	Family Family
	// Mark and MarkMask select entries with mark & MarkMask == Mark. The kernel
	// does this. MarkMask 0 selects any mark.
	Mark, MarkMask uint32
	// Status and StatusMask select entries with status & StatusMask == Status.
	// The kernel does this since Linux 5.15. StatusMask 0 selects any status.
	Status, StatusMask Status
	// Zone selects entries that are in it in at least one direction. The kernel
	// does this since Linux 6.8. Zone 0 selects any zone.
	Zone uint16
	// Orig and Reply select entries whose tuples have the same values in the
	// fields that Has names. The kernel does this since Linux 5.8, for IPv4
	// addresses, protocols, the ports of TCP and UDP, and the types, codes and
	// identifiers of ICMP and ICMPv6, given a Family or an address.
	Orig, Reply Tuple
}

// check returns what is wrong with the request.
func (q *DumpRequest) check() error {
	switch {
	case q.Mark != 0 && q.MarkMask == 0:
		return &FieldError{"DumpRequest.Mark", "set, but MarkMask is 0"}
	case q.Status != 0 && q.StatusMask == 0:
		return &FieldError{"DumpRequest.Status", "set, but StatusMask is 0"}
	case q.Zero && q.Table != TableConntrack:
		return &FieldError{"DumpRequest.Zero", "set, but the table is " + q.Table.String()}
	}
	if err := q.Orig.check("DumpRequest.Orig"); err != nil {
		return err
	}
	return q.Reply.check("DumpRequest.Reply")
}

// selects reports whether there is anything to compare.
func (q *DumpRequest) selects() bool {
	return q.Family != FamilyAny || q.MarkMask|uint32(q.StatusMask)|uint32(q.Zone) != 0 || q.Orig.Has|q.Reply.Has != 0
}

// match reports whether an entry meets all criteria.
func (q *DumpRequest) match(f *Flow) bool {
	if q.Family != FamilyAny && f.Family() != q.Family {
		return false
	}
	if q.MarkMask != 0 {
		if mark, _ := f.Mark(); mark&q.MarkMask != q.Mark {
			return false
		}
	}
	if q.StatusMask != 0 {
		if status, _ := f.Status(); status&q.StatusMask != q.Status {
			return false
		}
	}
	if q.Zone != 0 {
		zone, _ := f.Zone()
		if zone != q.Zone && f.orig.Zone != q.Zone && f.reply.Zone != q.Zone {
			return false
		}
	}
	return f.orig.meets(&q.Orig, netip.Addr{}, netip.Addr{}) && f.reply.meets(&q.Reply, netip.Addr{}, netip.Addr{})
}

// kernel returns the part of the request that the kernel is asked for.
func (q *DumpRequest) kernel() *DumpRequest {
	if q.Orig.Has|q.Reply.Has == 0 {
		return q
	}
	k := *q
	// A filter of tuples needs a family.
	if k.Family == FamilyAny {
		k.Family = q.Orig.Family()
	}
	if k.Family == FamilyAny {
		k.Family = q.Reply.Family()
	}
	k.Orig = q.Orig.Only(filterFields(&q.Orig, k.Family))
	k.Reply = q.Reply.Only(filterFields(&q.Reply, k.Family))
	return &k
}

// filterFields returns the fields of a tuple that the kernel can be trusted to
// compare in a dump of a family.
//
//   - The kernel's test of IPv6 addresses is inverted: it sends the entries that
//     do not match.
//   - It compares ports for TCP and UDP only and ignores them for others. They
//     need the protocol, as the fields of ICMP do.
//   - It ignores the zone of a tuple.
func filterFields(t *Tuple, family Family) Fields {
	has := t.Has &^ FieldZone
	switch family {
	case FamilyIPv4:
		if t.Src.Is6() || t.Dst.Is6() {
			return 0
		}
	case FamilyIPv6:
		has &^= FieldAddrs
	default:
		return 0
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

// filterSet is a set of filters that a kernel may refuse. They are given up from
// the highest bit to the lowest.
type filterSet uint8

const (
	filterMark   filterSet = 1 << iota
	filterStatus           // Linux 5.15
	filterTuples           // Linux 5.8
	filterZone             // Linux 6.8
)

// filters returns the filters in the request.
func (q *DumpRequest) filters() (s filterSet) {
	if q.MarkMask != 0 {
		s |= filterMark
	}
	if q.StatusMask != 0 {
		s |= filterStatus
	}
	if q.Zone != 0 {
		s |= filterZone
	}
	if q.Orig.Has|q.Reply.Has != 0 {
		s |= filterTuples
	}
	return s
}

// last returns the highest filter of a set, 0 if it is empty.
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
		less.Mark, less.MarkMask = 0, 0
	}
	if s&filterStatus != 0 {
		less.Status, less.StatusMask = 0, 0
	}
	if s&filterZone != 0 {
		less.Zone = 0
	}
	if s&filterTuples != 0 {
		less.Orig, less.Reply = Tuple{}, Tuple{}
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
	TableConntrack   Table = iota // the connection tracking table
	TableDying                    // removed entries whose DESTROY event is not delivered yet
	TableUnconfirmed              // new entries whose first packet is still under way
)

// String returns "conntrack", "dying" or "unconfirmed".
func (t Table) String() string {
	switch t {
	case TableConntrack:
		return "conntrack"
	case TableDying:
		return "dying"
	case TableUnconfirmed:
		return "unconfirmed"
	}
	return "table " + strconv.Itoa(int(t))
}

func (q *DumpRequest) message() uint16 {
	switch {
	case q.Table == TableDying:
		return wire.MsgGetDying
	case q.Table == TableUnconfirmed:
		return wire.MsgGetUnconfirmed
	case q.Zero:
		return wire.MsgGetCtrZero
	}
	return wire.MsgGet
}

func (q *DumpRequest) append(e *encoder, h header) {
	h.Family = q.Family
	e.begin(h)
	if q.MarkMask != 0 {
		e.U32(uint16(AttrMark), q.Mark)
		e.U32(uint16(AttrMarkMask), q.MarkMask)
	}
	if q.StatusMask != 0 {
		e.U32(uint16(AttrStatus), uint32(q.Status))
		e.U32(uint16(AttrStatusMask), uint32(q.StatusMask))
	}
	if q.Zone != 0 {
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
