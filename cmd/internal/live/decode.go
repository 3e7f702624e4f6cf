package live

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// shown is what a message shows of an entry that does not change in its life.
type shown struct {
	key
	reply tuple // if kind has kindReply
	kind  kind
	none  flags // noReply or 0
	// odd are attributes that a record has no form for. No kernel sends such ones.
	odd ctnetlink.AttrSet
}

const (
	tupleFields = ctnetlink.FieldAddrs | ctnetlink.FieldProto
	tupleAttrs  = ctnetlink.AttrSet(1<<ctnetlink.AttrTupleOrig | 1<<ctnetlink.AttrTupleReply | 1<<ctnetlink.AttrZone)
)

// read takes in the tuples and the zone of an entry. It reports false if there is no
// original tuple with addresses of the message's family: such an entry is not kept.
func (d *shown) read(f *ctnetlink.Flow) bool {
	*d = shown{}
	o, r := f.Orig(), f.Reply()
	switch f.Family() {
	case ctnetlink.FamilyIPv4:
		if !o.Src.Is4() || !o.Dst.Is4() {
			return false
		}
	case ctnetlink.FamilyIPv6:
		if !o.Src.Is6() || !o.Dst.Is6() {
			return false
		}
		d.ipv6, d.kind = true, kindIPv6
	default:
		return false
	}
	d.proto = o.Proto
	layout := o.Has &^ ctnetlink.FieldZone
	switch layout {
	case tupleFields:
	case tupleFields | ctnetlink.FieldPorts:
		d.flags |= ports
	case tupleFields | ctnetlink.FieldICMP:
		d.flags |= icmp
	default:
		d.odd = tupleAttrs
	}
	d.tuple.read(o, d.flags)
	d.readZone(f, o, r)
	switch {
	case !f.Has(ctnetlink.AttrTupleReply):
		d.none = noReply
	case r.Has&^ctnetlink.FieldZone != layout || r.Proto != o.Proto || r.Src.BitLen() != o.Src.BitLen() ||
		r.Dst.BitLen() != o.Src.BitLen():
		d.none, d.odd = noReply, tupleAttrs
	case d.flags&icmp == 0 && r.Src == o.Dst && r.Dst == o.Src && r.SrcPort == o.DstPort && r.DstPort == o.SrcPort:
		// Most are not translated. Their reply tuple is not needed.
	default:
		d.reply.read(r, d.flags)
		if d.reply != d.inverse(d.flags, d.proto) {
			d.kind |= kindReply
		}
	}
	return true
}

// readZone takes in the zone, which is one of both directions or of one.
func (d *shown) readZone(f *ctnetlink.Flow, o, r *ctnetlink.Tuple) {
	n := 0
	if o.Has&ctnetlink.FieldZone != 0 {
		d.zone, d.flags, n = o.Zone, d.flags|zoneOrig, n+1
	}
	if r.Has&ctnetlink.FieldZone != 0 {
		d.zone, d.flags, n = r.Zone, d.flags|zoneReply, n+1
	}
	if zone, ok := f.Zone(); ok {
		d.zone, d.flags, n = zone, d.flags|zoneOrig|zoneReply, n+1
	}
	if n > 1 { // what was sent is kept as it was
		d.odd = tupleAttrs
		d.flags &^= zoneOrig | zoneReply
	}
}

func (t *tuple) read(w *ctnetlink.Tuple, layout flags) {
	t.src, t.dst = words(w.Src), words(w.Dst)
	switch {
	case layout&ports != 0:
		t.ports = uint32(w.SrcPort)<<16 | uint32(w.DstPort)
	case layout&icmp != 0:
		t.ports = uint32(w.ICMPID)<<16 | uint32(w.ICMPType)<<8 | uint32(w.ICMPCode)
	}
}

// inverse returns the tuple of the other direction of an entry that is not
// translated.
func (t *tuple) inverse(layout flags, proto ctnetlink.Protocol) tuple {
	v := tuple{src: t.dst, dst: t.src, ports: t.ports}
	switch {
	case layout&ports != 0:
		v.ports = t.ports<<16 | t.ports>>16
	case layout&icmp != 0:
		if typ, ok := proto.InverseICMPType(uint8(t.ports >> 8)); ok {
			v.ports = t.ports&^0xff00 | uint32(typ)<<8
		}
	}
	return v
}

// is reports whether a record is of the entry that f shows, and not of one that had
// the same original tuple before or after.
func (p *page) is(i int, d *shown, f *ctnetlink.Flow) bool {
	r := &p.cores[i]
	if p.kind != d.kind || r.has&noReply != d.none || d.kind&kindReply != 0 && p.reply(i) != d.reply {
		return false
	}
	if id, ok := f.ID(); ok && r.has&hasID != 0 && id != r.id {
		return false
	}
	if r.has&hasStart == 0 {
		return true
	}
	start, ok := f.Start()
	// One that was seen to begin may not have the exact time.
	return !ok || start.Unix() == int64(r.start) || start.Unix() == int64(r.start)-1
}
