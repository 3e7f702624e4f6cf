package wire

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TupleKey returns the key of the entry that has the original tuple and the zones.
func TupleKey(orig *ctnetlink.Tuple, zoneOrig, zoneReply uint16) Key {
	k := Key{Proto: uint8(orig.Proto), ZoneOrig: zoneOrig, ZoneReply: zoneReply}
	switch {
	case orig.Src.Is6():
		k.IPv6, k.Src, k.Dst = true, orig.Src.As16(), orig.Dst.As16()
	case orig.Src.Is4() && orig.Dst.Is4():
		src, dst := orig.Src.As4(), orig.Dst.As4()
		copy(k.Src[:], src[:])
		copy(k.Dst[:], dst[:])
	}
	ports := &k.Ports
	if orig.Proto == ctnetlink.ProtoGRE {
		ports = &k.Keys
	}
	switch {
	case orig.Has&ctnetlink.FieldPorts != 0:
		binary.BigEndian.PutUint16(ports[:], orig.SrcPort)
		binary.BigEndian.PutUint16(ports[2:], orig.DstPort)
	case orig.Has&ctnetlink.FieldICMP != 0:
		k.Ports[0], k.Ports[1] = orig.ICMPType, orig.ICMPCode
		binary.BigEndian.PutUint16(k.Ports[2:], orig.ICMPID)
	}
	return k
}

// FlowKey returns the key of an entry that the table told. It reports false if the
// original tuple has no addresses or no protocol.
func FlowKey(f *ctnetlink.Flow) (Key, bool) {
	const needed = ctnetlink.FieldAddrs | ctnetlink.FieldProto
	orig := f.Orig()
	if orig.Has&needed != needed || !orig.Src.IsValid() || orig.Src.Is4() != orig.Dst.Is4() {
		return Key{}, false
	}
	zone, _ := f.Zone()
	zoneOrig, zoneReply := zone, zone
	if orig.Has&ctnetlink.FieldZone != 0 {
		zoneOrig = orig.Zone
	}
	if reply := f.Reply(); reply.Has&ctnetlink.FieldZone != 0 {
		zoneReply = reply.Zone
	}
	return TupleKey(orig, zoneOrig, zoneReply), true
}
