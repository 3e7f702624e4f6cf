package format

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// fields are the fields of records in the order of their columns.
var fields = []Field{
	{Name: "event", Kind: KindWord, Help: "new, update, destroy or resync", context: eventText},
	{Name: "time", Kind: KindTime, Help: "time of the event, or of the look at the table", number: eventNanos, expectNumber: expectEventNanos},
	{Name: "netns", Kind: KindName, Help: "network namespace", context: netnsText},

	{Name: "family", Kind: KindWord, Help: "ipv4 or ipv6", text: familyText, expectText: expectFamilyText},
	{Name: "proto", Kind: KindWord, Help: "name of the transport protocol, or unknown",
		side: sideOrig, member: memberProtoName},
	{Name: "protonum", Kind: KindNumber, Help: "number of the transport protocol",
		side: sideOrig, member: memberProto},
	{Name: "state", Kind: KindWord, Help: "state of the protocol (tcp, sctp, dccp)", text: stateText},
	{Name: "timeout", Kind: KindSeconds, Help: "seconds until the entry expires",
		number: timeoutNumber, expectNumber: expectTimeout},

	{Name: "src", Kind: KindAddr, Help: "source", side: sideOrig, member: memberSrc},
	{Name: "dst", Kind: KindAddr, Help: "destination", side: sideOrig, member: memberDst},
	{Name: "sport", Kind: KindNumber, Help: "source port", side: sideOrig, member: memberSPort},
	{Name: "dport", Kind: KindNumber, Help: "destination port", side: sideOrig, member: memberDPort},
	{Name: "type", Kind: KindNumber, Help: "type of the ICMP query", side: sideOrig, member: memberType},
	{Name: "code", Kind: KindNumber, Help: "code of the ICMP query", side: sideOrig, member: memberCode},
	{Name: "icmp_id", Kind: KindNumber, Help: "identifier of the ICMP query", side: sideOrig, member: memberICMPID},
	{Name: "srckey", Kind: KindNumber, Help: "GRE source key", side: sideOrig, member: memberSrcKey},
	{Name: "dstkey", Kind: KindNumber, Help: "GRE destination key", side: sideOrig, member: memberDstKey},
	{Name: "orig_zone", Kind: KindNumber, Help: "zone of the original direction only",
		side: sideOrig, member: memberZone},
	{Name: "orig_packets", Kind: KindNumber, Help: "packets of the original direction", number: origPackets},
	{Name: "orig_bytes", Kind: KindBytes, Help: "bytes of the original direction", number: origBytes},

	{Name: "reply_src", Kind: KindAddr, Help: "source of the reply", side: sideReply, member: memberSrc},
	{Name: "reply_dst", Kind: KindAddr, Help: "destination of the reply", side: sideReply, member: memberDst},
	{Name: "reply_sport", Kind: KindNumber, Help: "source port of the reply", side: sideReply, member: memberSPort},
	{Name: "reply_dport", Kind: KindNumber, Help: "destination port of the reply",
		side: sideReply, member: memberDPort},
	{Name: "reply_type", Kind: KindNumber, Help: "type of the ICMP reply", side: sideReply, member: memberType},
	{Name: "reply_code", Kind: KindNumber, Help: "code of the ICMP reply", side: sideReply, member: memberCode},
	{Name: "reply_icmp_id", Kind: KindNumber, Help: "identifier of the ICMP reply",
		side: sideReply, member: memberICMPID},
	{Name: "reply_srckey", Kind: KindNumber, Help: "source key of the GRE reply",
		side: sideReply, member: memberSrcKey},
	{Name: "reply_dstkey", Kind: KindNumber, Help: "destination key of the GRE reply",
		side: sideReply, member: memberDstKey},
	{Name: "reply_zone", Kind: KindNumber, Help: "zone of the reply only", side: sideReply, member: memberZone},
	{Name: "reply_packets", Kind: KindNumber, Help: "packets of the reply", number: replyPackets},
	{Name: "reply_bytes", Kind: KindBytes, Help: "bytes of the reply", number: replyBytes},

	{Name: "packets", Kind: KindNumber, Help: "packets of both directions", number: allPackets},
	{Name: "bytes", Kind: KindBytes, Help: "bytes of both directions", number: allBytes},

	{Name: "packet_rate", Kind: KindRate, Help: "packets per second of both directions (top)",
		rate: (*Rates).Packets},
	{Name: "byte_rate", Kind: KindRate, Help: "bytes per second of both directions (top)", rate: (*Rates).Bytes},
	{Name: "orig_packet_rate", Kind: KindRate, Help: "packets per second of the original direction (top)",
		rate: origPacketRate},
	{Name: "orig_byte_rate", Kind: KindRate, Help: "bytes per second of the original direction (top)",
		rate: origByteRate},
	{Name: "reply_packet_rate", Kind: KindRate, Help: "packets per second of the reply (top)",
		rate: replyPacketRate},
	{Name: "reply_byte_rate", Kind: KindRate, Help: "bytes per second of the reply (top)", rate: replyByteRate},

	{Name: "nat_src", Kind: KindAddr, Help: "address that the source was translated to", addr: natSrc},
	{Name: "nat_sport", Kind: KindNumber, Help: "port, query identifier or GRE key that the source was translated to",
		number: natSPort},
	{Name: "nat_dst", Kind: KindAddr, Help: "address that the destination was translated to", addr: natDst},
	{Name: "nat_dport", Kind: KindNumber, Help: "port or GRE key that the destination was translated to",
		number: natDPort},

	{Name: "mask_src", Kind: KindAddr, Help: "mask of the expected source", side: sideMask, member: memberSrc},
	{Name: "mask_dst", Kind: KindAddr, Help: "mask of the expected destination", side: sideMask, member: memberDst},
	{Name: "mask_sport", Kind: KindNumber, Help: "mask of the expected source port",
		side: sideMask, member: memberSPort},
	{Name: "mask_dport", Kind: KindNumber, Help: "mask of the expected destination port",
		side: sideMask, member: memberDPort},
	{Name: "master_src", Kind: KindAddr, Help: "source of the master connection",
		side: sideMaster, member: memberSrc},
	{Name: "master_dst", Kind: KindAddr, Help: "destination of the master connection",
		side: sideMaster, member: memberDst},
	{Name: "master_sport", Kind: KindNumber, Help: "source port of the master connection",
		side: sideMaster, member: memberSPort},
	{Name: "master_dport", Kind: KindNumber, Help: "destination port of the master connection",
		side: sideMaster, member: memberDPort},

	{Name: "status", Kind: KindWord, Help: "status flags", text: statusText},
	{Name: "flags", Kind: KindWord, Help: "flags of an expectation", expectText: expectFlagsText},
	{Name: "mark", Kind: KindNumber, Help: "mark", number: markNumber},
	{Name: "secmark", Kind: KindNumber, Help: "security mark", number: secMarkNumber},
	{Name: "secctx", Kind: KindName, Help: "security context", text: secCtxText},
	{Name: "zone", Kind: KindNumber, Help: "zone of both directions", number: zoneNumber, expectNumber: expectZone},
	{Name: "labels", Kind: KindName, Help: "labels", text: labelsText},
	{Name: "class", Kind: KindNumber, Help: "class of an expectation within its helper", expectNumber: expectClass},
	{Name: "helper", Kind: KindName, Help: "helper", text: helperText, expectText: expectHelperText},
	{Name: "fn", Kind: KindName, Help: "function called for the expected connection", expectText: expectFnText},
	{Name: "role", Kind: KindWord, Help: "role of the original direction in DCCP: client or server",
		text: roleText},
	{Name: "orig_vtag", Kind: KindNumber, Help: "SCTP verification tag of the original direction",
		number: origVTag},
	{Name: "reply_vtag", Kind: KindNumber, Help: "SCTP verification tag of the reply", number: replyVTag},

	{Name: "start", Kind: KindTime, Help: "time when the entry was created", number: startNanos},
	{Name: "stop", Kind: KindTime, Help: "time when the entry ended", number: stopNanos},
	{Name: "age", Kind: KindSeconds, Help: "seconds from start until now or until stop", number: age},
	{Name: "id", Kind: KindNumber, Help: "id of the entry", number: idNumber, expectNumber: expectID},
	{Name: "use", Kind: KindNumber, Help: "reference count of the entry", number: useNumber},
	{Name: "portid", Kind: KindNumber, Help: "netlink port id of the process that caused the event",
		contextNumber: portIDNumber},
	{Name: "program", Kind: KindName, Help: "name of that process", context: programText},
}

// ok32 widens the results of an accessor.
func ok32(v uint32, ok bool) (uint64, bool) { return uint64(v), ok }

func timeoutNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool) { return wholeSeconds(f.Timeout()) }
func markNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool)    { return ok32(f.Mark()) }
func secMarkNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool) { return ok32(f.SecMark()) }
func idNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool)      { return ok32(f.ID()) }
func useNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool)     { return ok32(f.Use()) }
func startNanos(f *ctnetlink.Flow, _ *Context) (uint64, bool)    { return unixNanos(f.Start()) }
func stopNanos(f *ctnetlink.Flow, _ *Context) (uint64, bool)     { return unixNanos(f.Stop()) }

func zoneNumber(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	v, ok := f.Zone()
	return uint64(v), ok
}

func portIDNumber(c *Context) (uint64, bool) { return uint64(c.PortID), c.PortID != 0 }

// eventNanos returns the time of an event, the current time if the kernel sent
// none, or the time of the look in which the entry was listed.
func eventNanos(f *ctnetlink.Flow, c *Context) (uint64, bool) {
	if c.Event == EventNone {
		return lookNanos(c)
	}
	return nanos(eventTime(f, c)), true
}

func origPackets(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	packets, _, ok := f.CountersOrig()
	return packets, ok
}

func origBytes(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	_, bytes, ok := f.CountersOrig()
	return bytes, ok
}

func replyPackets(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	packets, _, ok := f.CountersReply()
	return packets, ok
}

func replyBytes(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	_, bytes, ok := f.CountersReply()
	return bytes, ok
}

func allPackets(f *ctnetlink.Flow, c *Context) (uint64, bool) {
	orig, ok := origPackets(f, c)
	reply, more := replyPackets(f, c)
	return orig + reply, ok || more
}

func allBytes(f *ctnetlink.Flow, c *Context) (uint64, bool) {
	orig, ok := origBytes(f, c)
	reply, more := replyBytes(f, c)
	return orig + reply, ok || more
}

func natSrc(f *ctnetlink.Flow) (netip.Addr, bool) {
	return f.Reply().Dst, f.SourceNAT() && f.Reply().Dst != f.Orig().Src
}

func natDst(f *ctnetlink.Flow) (netip.Addr, bool) {
	return f.Reply().Src, f.DestinationNAT() && f.Reply().Src != f.Orig().Dst
}

func natSPort(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	if !f.SourceNAT() || !f.SourcePortNAT() {
		return 0, false
	}
	if t := f.Reply(); t.Has&ctnetlink.FieldDstPort == 0 {
		return uint64(t.ICMPID), true
	}
	return uint64(f.Reply().DstPort), true
}

func natDPort(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	return uint64(f.Reply().SrcPort), f.DestinationNAT() && f.DestinationPortNAT()
}

func origVTag(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	info, _ := f.ProtoInfo()
	return uint64(info.VTag[0]), info.Has&ctnetlink.InfoVTags != 0
}

func replyVTag(f *ctnetlink.Flow, _ *Context) (uint64, bool) {
	info, _ := f.ProtoInfo()
	return uint64(info.VTag[1]), info.Has&ctnetlink.InfoVTags != 0
}

func expectTimeout(x *ctnetlink.Expect, _ *Context) (uint64, bool) { return wholeSeconds(x.Timeout()) }
func expectClass(x *ctnetlink.Expect, _ *Context) (uint64, bool)   { return ok32(x.Class()) }
func expectID(x *ctnetlink.Expect, _ *Context) (uint64, bool)      { return ok32(x.ID()) }

func expectZone(x *ctnetlink.Expect, _ *Context) (uint64, bool) {
	v, ok := x.Zone()
	return uint64(v), ok
}

func expectEventNanos(_ *ctnetlink.Expect, c *Context) (uint64, bool) {
	if c.Event == EventNone {
		return lookNanos(c)
	}
	return nanos(c.now()), true
}

func lookNanos(c *Context) (uint64, bool) {
	if c.Look.IsZero() {
		return 0, false
	}
	return nanos(c.Look), true
}
