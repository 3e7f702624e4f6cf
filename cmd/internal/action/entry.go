package action

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tuples returns both directions as the command line describes them. What one
// direction lacks is the other's mirrored: addresses, ports and keys, the number of
// an ICMP query. Only where both directions have addresses and the reply has no
// port, none are made up: the table refuses such a reply.
func tuples(r *cmdline.Request) (orig, reply ctnetlink.Tuple) {
	const addrs, ports = ctnetlink.FieldAddrs, ctnetlink.FieldPorts
	orig, reply = r.Orig, r.Reply
	portless := !orig.Proto.HasPorts() && orig.Proto != ctnetlink.ProtoGRE
	if orig.Has&addrs == 0 || reply.Has&addrs == 0 || reply.Has&ports != 0 {
		mirror(&reply, &orig, ports)
		mirror(&orig, &reply, ports)
	}
	mirror(&reply, &orig, addrs)
	mirror(&orig, &reply, addrs)
	if portless || reply.Has&ports != 0 {
		reply.Proto, reply.Has = orig.Proto, reply.Has|ctnetlink.FieldProto
	}
	if orig.Has&ctnetlink.FieldICMPType != 0 {
		orig.Has |= ctnetlink.FieldICMP
		if orig.Family() == icmpFamily(orig.Proto) {
			inverse, ok := orig.Proto.InverseICMPType(orig.ICMPType)
			if !ok {
				inverse = orig.ICMPType // the table refuses it
			}
			reply.ICMPType = inverse
			reply.ICMPCode, reply.ICMPID = orig.ICMPCode, orig.ICMPID
			reply.Has |= ctnetlink.FieldICMP
		}
	}
	return orig, reply
}

// mirror fills those of the wanted fields that t lacks from the other
// direction's opposite ones.
func mirror(t, other *ctnetlink.Tuple, want ctnetlink.Fields) {
	want &^= t.Has
	if want&ctnetlink.FieldSrc != 0 && other.Has&ctnetlink.FieldDst != 0 {
		t.Src, t.Has = other.Dst, t.Has|ctnetlink.FieldSrc
	}
	if want&ctnetlink.FieldDst != 0 && other.Has&ctnetlink.FieldSrc != 0 {
		t.Dst, t.Has = other.Src, t.Has|ctnetlink.FieldDst
	}
	if want&ctnetlink.FieldSrcPort != 0 && other.Has&ctnetlink.FieldDstPort != 0 {
		t.SrcPort, t.Has = other.DstPort, t.Has|ctnetlink.FieldSrcPort
	}
	if want&ctnetlink.FieldDstPort != 0 && other.Has&ctnetlink.FieldSrcPort != 0 {
		t.DstPort, t.Has = other.SrcPort, t.Has|ctnetlink.FieldDstPort
	}
}

// icmpFamily returns the family that an ICMP protocol belongs to. The table
// refuses an entry of the other one.
func icmpFamily(proto ctnetlink.Protocol) ctnetlink.Family {
	if proto == ctnetlink.ProtoICMPv6 {
		return ctnetlink.FamilyIPv6
	}
	return ctnetlink.FamilyIPv4
}

// timeoutOf returns the timeout that the request gives an entry.
func timeoutOf(r *cmdline.Request) time.Duration { return time.Duration(r.Timeout) * time.Second }

// family returns the family of the request, IPv4 where nothing fixes it.
func family(r *cmdline.Request) ctnetlink.Family {
	if r.Family == ctnetlink.FamilyAny {
		return ctnetlink.FamilyIPv4
	}
	return r.Family
}

// named returns a request that names an entry by one of its tuples: the
// original one where both its addresses were given.
func named(r *cmdline.Request) *ctnetlink.FlowSpec {
	orig, reply := tuples(r)
	en := &ctnetlink.FlowSpec{Family: family(r)}
	if r.Orig.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs {
		en.Orig = orig
	} else {
		en.Reply = reply
	}
	if r.Has(cmdline.OptZone) {
		en.Zone, en.Set = r.Zone, en.Set.With(ctnetlink.AttrZone)
	}
	return en
}

// entry returns the entry that -I and -A create.
func entry(r *cmdline.Request) *ctnetlink.FlowSpec {
	en := &ctnetlink.FlowSpec{Family: family(r)}
	en.Orig, en.Reply = tuples(r)
	reply := en.Reply
	en.Timeout, en.Set = timeoutOf(r), en.Set.With(ctnetlink.AttrTimeout)
	if r.Has(cmdline.OptZone) {
		en.Zone, en.Set = r.Zone, en.Set.With(ctnetlink.AttrZone)
	}
	if r.Has(cmdline.OptStatus) {
		en.Status, en.Set = r.StatusSet|ctnetlink.StatusConfirmed, en.Set.With(ctnetlink.AttrStatus)
	}
	if r.Has(cmdline.OptMark) {
		en.Mark, en.Set = r.Mark, en.Set.With(ctnetlink.AttrMark)
	}
	if r.Has(cmdline.OptHelper) {
		en.Helper, en.Set = r.Helper, en.Set.With(ctnetlink.AttrHelp)
	}
	if r.LabelAdd != nil {
		en.Labels, en.Set = r.LabelAdd, en.Set.With(ctnetlink.AttrLabels)
	}
	// Where a translation stands in for a reply address, the reply's ports may
	// be the translated ones already. From the mirrored address the kernel
	// would see nothing to translate there, or take up another mapping of the
	// same source: it is left open.
	open := r.Reply.Has&(ctnetlink.FieldAddrs|ctnetlink.FieldPorts) != 0
	if open && r.SrcNAT.Addr.IsValid() && r.Reply.Has&ctnetlink.FieldDst == 0 {
		en.Reply.Dst = unspecified(en.Reply.Dst)
	}
	if open && r.DstNAT.Addr.IsValid() && r.Reply.Has&ctnetlink.FieldSrc == 0 {
		en.Reply.Src = unspecified(en.Reply.Src)
	}
	setTranslation(en, r, reply)
	if info := newInfo(r); info.Has != 0 {
		en.ProtoInfo, en.Set = info, en.Set.With(ctnetlink.AttrProtoInfo)
	}
	return en
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// setTranslation sets the translations that an entry is created with. reply is its
// reply tuple. Where a port of it was given, the translation has that port:
// otherwise the kernel takes another one if an entry has the tuple already, and
// does so for the source even if only the destination is translated.
func setTranslation(en *ctnetlink.FlowSpec, r *cmdline.Request, reply ctnetlink.Tuple) {
	src, dst := r.SrcNAT, r.DstNAT
	if r.Reply.Has&ctnetlink.FieldDstPort != 0 {
		if dst.Addr.IsValid() && !src.Addr.IsValid() {
			src.Addr = reply.Dst
		}
		src.Port = cmp.Or(src.Port, r.Reply.DstPort)
	}
	if r.Reply.Has&ctnetlink.FieldSrcPort != 0 {
		dst.Port = cmp.Or(dst.Port, r.Reply.SrcPort)
	}
	if src.Addr.IsValid() {
		en.SrcNAT, en.Set = translation(src.Addr, src.Port), en.Set.With(ctnetlink.AttrNATSrc)
	}
	if dst.Addr.IsValid() {
		en.DstNAT, en.Set = translation(dst.Addr, dst.Port), en.Set.With(ctnetlink.AttrNATDst)
	}
}

func translation(a netip.Addr, port uint16) ctnetlink.NAT {
	return ctnetlink.NAT{MinAddr: a, MaxAddr: a, MinPort: port, MaxPort: port}
}

// newInfo returns the protocol's state to send. An entry made by hand knows no
// TCP window: without BE_LIBERAL the kernel would drop its packets.
func newInfo(r *cmdline.Request) ctnetlink.ProtoInfo {
	info := r.Info
	if r.HasProto(cmdline.ProtoOptOrigVTag) && r.HasProto(cmdline.ProtoOptReplyVTag) {
		info.Has |= ctnetlink.InfoVTags
	}
	if info.Proto == ctnetlink.ProtoTCP {
		setTCPFlags(&info)
	}
	return info
}

func setTCPFlags(info *ctnetlink.ProtoInfo) {
	flags := ctnetlink.TCPBeLiberal | ctnetlink.TCPSackPerm
	if info.State >= ctnetlink.TCPTimeWait {
		flags |= ctnetlink.TCPCloseInit
	}
	info.Flags = [2]ctnetlink.MaskedTCPFlags{{Value: flags, Mask: flags}, {Value: flags, Mask: flags}}
	info.Has |= ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply
}
