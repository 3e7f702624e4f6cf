package live

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

const (
	typeNew = wire.SubsysConntrack<<8 | wire.MsgNew
	// longestMessage is the length of the message of an IPv6 entry with all attributes,
	// without its extra.
	longestMessage = 400
)

// appendMessage appends the entry to dst, as a dump lists it, with the timeout that is
// left now. A [ctnetlink.Flow] decodes it. It allocates nothing if dst has room.
func (e *entry) appendMessage(dst []byte) []byte {
	r := e.core()
	extra := e.p.source.t.extras.attrs(r.extra)
	dst = slices.Grow(dst, longestMessage+len(extra))
	w := writer{b: dst[len(dst):cap(dst)]}
	family := ctnetlink.FamilyIPv4
	if e.ipv6() {
		family = ctnetlink.FamilyIPv6
	}
	clear(w.b[:wire.HeadLen])
	binary.NativeEndian.PutUint16(w.b[4:], typeNew)
	w.b[wire.HeaderLen] = uint8(family)
	w.n = wire.HeadLen

	zones := r.has & (zoneOrig | zoneReply)
	o := e.orig()
	w.tuple(ctnetlink.AttrTupleOrig, &o, e, zones == zoneOrig)
	if r.has&noReply == 0 {
		v := e.reply()
		w.tuple(ctnetlink.AttrTupleReply, &v, e, zones == zoneReply)
	}
	if zones == zoneOrig|zoneReply {
		w.u16(uint16(ctnetlink.AttrZone), r.zone)
	}
	if r.has&hasStatus != 0 {
		w.u32(uint16(ctnetlink.AttrStatus), uint32(r.status))
	}
	if left, ok := e.timeout(); ok {
		w.u32(uint16(ctnetlink.AttrTimeout), left)
	}
	if r.has&hasMark != 0 {
		w.u32(uint16(ctnetlink.AttrMark), r.mark)
	}
	if r.has&hasCounters != 0 {
		for k := range uint16(2) {
			w.head(uint16(ctnetlink.AttrCountersOrig)+k|wire.AttrNested, 28)
			w.u64(wire.CountersPackets, r.counters[2*k].value())
			w.u64(wire.CountersBytes, r.counters[2*k+1].value())
		}
	}
	if r.has&hasID != 0 {
		w.u32(uint16(ctnetlink.AttrID), r.id)
	}
	if r.has&hasUse != 0 {
		w.u32(uint16(ctnetlink.AttrUse), 1)
	}
	if r.has&hasStart != 0 {
		w.head(uint16(ctnetlink.AttrTimestamp)|wire.AttrNested, 16)
		w.u64(wire.TimestampStart, uint64(r.start)*uint64(time.Second))
	}
	if r.state != noState {
		info := uint16(wire.InfoTCP)
		if r.proto == ctnetlink.ProtoSCTP {
			info = wire.InfoSCTP
		}
		w.head(uint16(ctnetlink.AttrProtoInfo)|wire.AttrNested, 16)
		w.head(info|wire.AttrNested, 12)
		w.u8(wire.InfoTCPState, r.state) // the number is the same for both
	}
	w.n += copy(w.b[w.n:], extra)
	binary.NativeEndian.PutUint32(w.b, uint32(w.n))
	return dst[:len(dst)+w.n]
}

// writer writes attributes to b, which has room for them. wire.Builder, which makes
// room, takes twice as long.
type writer struct {
	b []byte
	n int // how much is written
}

// head writes the head of an attribute of n bytes, with it.
func (w *writer) head(typ uint16, n int) {
	b := w.b[w.n : w.n+4]
	binary.NativeEndian.PutUint16(b, uint16(n))
	binary.NativeEndian.PutUint16(b[2:], typ)
	w.n += 4
}

func (w *writer) u8(typ uint16, v uint8) {
	w.head(typ, 5)
	binary.BigEndian.PutUint32(w.b[w.n:], uint32(v)<<24)
	w.n += 4
}

func (w *writer) u16(typ uint16, v uint16) {
	w.head(typ, 6)
	binary.BigEndian.PutUint32(w.b[w.n:], uint32(v)<<16)
	w.n += 4
}

func (w *writer) u32(typ uint16, v uint32) {
	w.head(typ, 8)
	binary.BigEndian.PutUint32(w.b[w.n:], v)
	w.n += 4
}

func (w *writer) u64(typ uint16, v uint64) {
	w.head(typ, 12)
	binary.BigEndian.PutUint64(w.b[w.n:], v)
	w.n += 8
}

func (w *writer) ipv6(typ uint16, v [2]uint64) {
	w.head(typ, 20)
	binary.BigEndian.PutUint64(w.b[w.n:], v[0])
	binary.BigEndian.PutUint64(w.b[w.n+8:], v[1])
	w.n += 16
}

// tuple writes a tuple of an entry, with the entry's zone if zone is true.
func (w *writer) tuple(a ctnetlink.Attr, t *tuple, e *entry, zone bool) {
	r := e.core()
	start := w.n
	w.head(uint16(a)|wire.AttrNested, 0)
	if e.ipv6() {
		w.head(wire.TupleIP|wire.AttrNested, 44)
		w.ipv6(wire.IPv6Src, t.src)
		w.ipv6(wire.IPv6Dst, t.dst)
	} else {
		w.head(wire.TupleIP|wire.AttrNested, 20)
		w.u32(wire.IPv4Src, uint32(t.src[1]))
		w.u32(wire.IPv4Dst, uint32(t.dst[1]))
	}
	switch {
	case r.has&ports != 0:
		w.head(wire.TupleProto|wire.AttrNested, 28)
		w.u8(wire.ProtoNum, uint8(r.proto))
		w.u16(wire.ProtoSrcPort, uint16(t.ports>>16))
		w.u16(wire.ProtoDstPort, uint16(t.ports))
	case r.has&icmp != 0:
		id, typ, code := uint16(wire.ProtoICMPID), uint16(wire.ProtoICMPType), uint16(wire.ProtoICMPCode)
		if r.proto == ctnetlink.ProtoICMPv6 {
			id, typ, code = wire.ProtoICMPv6ID, wire.ProtoICMPv6Type, wire.ProtoICMPv6Code
		}
		w.head(wire.TupleProto|wire.AttrNested, 36)
		w.u8(wire.ProtoNum, uint8(r.proto))
		w.u16(id, uint16(t.ports>>16))
		w.u8(typ, uint8(t.ports>>8))
		w.u8(code, uint8(t.ports))
	default:
		w.head(wire.TupleProto|wire.AttrNested, 12)
		w.u8(wire.ProtoNum, uint8(r.proto))
	}
	if zone {
		w.u16(wire.TupleZone, r.zone)
	}
	binary.NativeEndian.PutUint16(w.b[start:], uint16(w.n-start))
}
