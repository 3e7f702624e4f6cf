package ctnetlink

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// benchEntry is the i-th of up to 16 million TCP entries.
func benchEntry(i int) *FlowSpec {
	orig := Tuple{
		Has: FieldAddrs | FieldProto | FieldPorts, Proto: ProtoTCP, SrcPort: 40000, DstPort: 443,
		Src: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		Dst: netip.AddrFrom4([4]byte{192, 0, 2, 1}),
	}
	return &FlowSpec{
		Family: FamilyIPv4, Orig: orig, Reply: mirrored(orig),
		Set:    AttrSet(0).With(AttrStatus).With(AttrTimeout).With(AttrMark).With(AttrProtoInfo),
		Status: StatusConfirmed | StatusSeenReply | StatusAssured, Timeout: time.Hour, Mark: uint32(i),
		ProtoInfo: ProtoInfo{Proto: ProtoTCP, Has: InfoState, State: TCPEstablished},
	}
}

// replyTypes are the ICMP and ICMPv6 types that answer a query.
var replyTypes = map[uint8]uint8{8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 128: 129, 129: 128, 139: 140, 140: 139}

// mirrored is the reply to a tuple that nothing translates.
func mirrored(t Tuple) Tuple {
	t.Src, t.Dst = t.Dst, t.Src
	t.SrcPort, t.DstPort = t.DstPort, t.SrcPort
	if t.Has&FieldICMPType != 0 {
		t.ICMPType = replyTypes[t.ICMPType]
	}
	return t
}

// protocols are those whose tuples look different, and one that has nothing.
var protocols = []Protocol{
	ProtoTCP, ProtoUDP, ProtoICMP, ProtoICMPv6, ProtoSCTP, ProtoUDPLite, ProtoGRE, ProtoDCCP, 99,
}

// Where a randomEntry carries its zone.
const (
	zoneNone  = iota
	zoneBoth  // CTA_ZONE
	zoneOrig  // in the original tuple
	zoneReply // in the reply tuple
	zoneKinds
)

// randomEntry is an entry of any kind that the kernel takes on creation, with
// tuples that no other i has.
func randomEntry(r *rand.Rand, i int) *FlowSpec {
	proto := protocols[r.IntN(len(protocols))]
	v6 := r.IntN(2) == 0
	switch proto {
	case ProtoICMP:
		v6 = false
	case ProtoICMPv6:
		v6 = true
	}
	o := Tuple{Has: FieldAddrs | FieldProto, Proto: proto}
	family := FamilyIPv4
	if v6 {
		family = FamilyIPv6
		o.Src = netip.AddrFrom16([16]byte{0xfd, 1, 12: byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		o.Dst = netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(r.Uint32())})
	} else {
		o.Src = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		o.Dst = netip.AddrFrom4([4]byte{192, 0, 2, byte(r.Uint32())})
	}
	switch {
	case proto.HasPorts() && proto != ProtoDCCP, proto == ProtoGRE:
		o.Has |= FieldPorts
		o.SrcPort, o.DstPort = uint16(r.Uint32()), uint16(r.Uint32())
	case proto == ProtoICMP, proto == ProtoICMPv6:
		o.Has |= FieldICMP
		o.ICMPID, o.ICMPCode = uint16(r.Uint32()), uint8(r.Uint32())
		types := []uint8{8, 13, 15, 17}
		if v6 {
			types = []uint8{128, 139}
		}
		o.ICMPType = types[r.IntN(len(types))]
	}
	en := &FlowSpec{Family: family, Orig: o, Reply: mirrored(o)}
	en.Set = en.Set.With(AttrStatus).With(AttrTimeout)
	en.Timeout = seconds(600 + r.Uint32N(1<<22))
	en.Status = StatusConfirmed
	for _, s := range []Status{StatusSeenReply, StatusAssured, StatusFixedTimeout} {
		if r.IntN(2) == 0 {
			en.Status |= s
		}
	}
	zone := uint16(1 + r.IntN(65000))
	switch r.IntN(zoneKinds + 3) { // most without
	case zoneBoth:
		en.Zone, en.Set = zone, en.Set.With(AttrZone)
	case zoneOrig:
		en.Orig.Zone, en.Orig.Has = zone, en.Orig.Has|FieldZone
	case zoneReply:
		en.Reply.Zone, en.Reply.Has = zone, en.Reply.Has|FieldZone
	}
	if r.IntN(2) == 0 {
		en.Mark, en.Set = r.Uint32(), en.Set.With(AttrMark)
	}
	if r.IntN(3) == 0 {
		en.Labels, en.Set = make([]byte, 16), en.Set.With(AttrLabels)
		for range 1 + r.IntN(5) {
			en.Labels.Set(r.IntN(MaxLabels))
		}
	}
	switch proto {
	case ProtoTCP:
		en.Set = en.Set.With(AttrProtoInfo)
		en.ProtoInfo = ProtoInfo{
			Proto: proto, State: NewState(proto, uint8(r.IntN(len(tcpStates)))),
			Has:    InfoState | InfoWScaleOrig | InfoWScaleReply | InfoFlagsOrig | InfoFlagsReply,
			WScale: [2]uint8{uint8(r.IntN(15)), uint8(r.IntN(15))},
			Flags:  [2]MaskedTCPFlags{{TCPFlags(r.IntN(16)), 0x0f}, {TCPFlags(r.IntN(16)), 0x0f}},
		}
		if r.IntN(4) == 0 {
			en.Helper, en.Set = "ftp", en.Set.With(AttrHelp)
		}
	case ProtoSCTP:
		en.Set = en.Set.With(AttrProtoInfo)
		en.ProtoInfo = ProtoInfo{
			Proto: proto, State: NewState(proto, uint8(1+r.IntN(8))), // HEARTBEAT_ACKED, 9, is refused since Linux 6.1
			Has: InfoState | InfoVTags, VTag: [2]uint32{r.Uint32(), r.Uint32()},
		}
	}
	return en
}
