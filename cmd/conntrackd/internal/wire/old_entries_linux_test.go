package wire

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// oldEntries are entries of all kinds.
func oldEntries() []*ctnetlink.FlowSpec {
	addr := netip.MustParseAddr
	make := func(orig ctnetlink.Tuple, change func(s *ctnetlink.FlowSpec)) *ctnetlink.FlowSpec {
		s := ctnetlink.NewFlowSpec(orig)
		s.Reply = orig.Reverse()
		s.SetTimeout(5000 * time.Second)
		s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
		change(s)
		return s
	}
	v4 := func(p ctnetlink.Protocol, n int) ctnetlink.Tuple {
		return flowTuple(p, fmt.Sprintf("10.0.0.%d:1000", n), "192.0.2.1:2000")
	}
	v6 := func(p ctnetlink.Protocol, n int) ctnetlink.Tuple {
		return flowTuple(p, fmt.Sprintf("[fd01::%d]:1000", n), "[fd02::1]:2000")
	}
	to := func(a string, port uint16) ctnetlink.NAT {
		return ctnetlink.NAT{MinAddr: addr(a), MaxAddr: addr(a), MinPort: port, MaxPort: port}
	}
	established := tcpInfo(3)
	established.WScale = [2]uint8{7, 9}
	established.Has |= ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply
	plain := func(*ctnetlink.FlowSpec) {}
	master := v4(ctnetlink.ProtoTCP, 20)
	return []*ctnetlink.FlowSpec{
		make(v4(ctnetlink.ProtoTCP, 1), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetSrcNAT(to("192.0.2.9", 0))
			s.SetMark(42, 0xffffffff)
		}),
		make(v4(ctnetlink.ProtoTCP, 2), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetDstNAT(to("192.0.2.10", 80))
		}),
		make(v4(ctnetlink.ProtoUDP, 3), func(s *ctnetlink.FlowSpec) {
			s.SetSrcNAT(to("192.0.2.9", 3000))
			s.SetDstNAT(to("192.0.2.11", 53))
		}),
		make(v4(ctnetlink.ProtoUDP, 4), func(s *ctnetlink.FlowSpec) { s.SetZone(7) }),
		make(v4(ctnetlink.ProtoUDP, 4), plain),
		make(v6(ctnetlink.ProtoTCP, 5), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetSrcNAT(to("fd02::9", 4000))
			s.SetDstNAT(to("fd02::10", 81))
		}),
		make(v6(ctnetlink.ProtoUDP, 6), func(s *ctnetlink.FlowSpec) { s.SetLabels(ctnetlink.NewLabels(1, 70), nil) }),
		make(ctnetlink.NewICMPTuple(addr("10.0.0.7"), addr("192.0.2.1"), 8, 0, 258), func(s *ctnetlink.FlowSpec) {
			s.SetSrcNAT(to("192.0.2.9", 258))
		}),
		make(ctnetlink.NewICMPTuple(addr("fd01::8"), addr("fd02::1"), 128, 0, 0x1234), plain),
		make(v4(ctnetlink.ProtoSCTP, 9), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(ctnetlink.ProtoInfo{
				Proto: ctnetlink.ProtoSCTP, Has: ctnetlink.InfoState | ctnetlink.InfoVTags,
				State: ctnetlink.NewState(ctnetlink.ProtoSCTP, 4), VTag: [2]uint32{0x1234, 0x56789abc},
			})
		}),
		make(v4(ctnetlink.ProtoUDPLite, 10), plain),
		make(v4(ctnetlink.ProtoGRE, 11), plain),
		make(v4(50, 12), plain),
		make(master, func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetHelper("ftp")
			s.SetSrcNAT(to("192.0.2.9", 0))
			s.SeqAdj[0] = ctnetlink.SeqAdj{Pos: 0x3a5167ef, Before: 3, After: -1}
			s.SeqAdj[1] = ctnetlink.SeqAdj{Pos: 5, Before: 6, After: 7}
			s.Set = s.Set.With(ctnetlink.AttrSeqAdjOrig).With(ctnetlink.AttrSeqAdjReply)
		}),
		make(v6(ctnetlink.ProtoTCP, 22), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetHelper("ftp")
		}),
		make(v4(ctnetlink.ProtoTCP, 21), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetMaster(master)
		}),
		make(v4(ctnetlink.ProtoUDP, 13), func(s *ctnetlink.FlowSpec) {
			s.Orig.Zone, s.Orig.Has = 8, s.Orig.Has|ctnetlink.FieldZone
		}),
	}
}

// oldExpectations are expectations of two of the entries.
func oldExpectations() []*ctnetlink.ExpectSpec {
	v4 := &ctnetlink.ExpectSpec{
		Tuple:  flowTuple(ctnetlink.ProtoTCP, "10.0.0.20:0", "192.0.2.1:37989"),
		Mask:   flowTuple(ctnetlink.ProtoTCP, "255.255.255.255:0", "255.255.255.255:65535"),
		Master: flowTuple(ctnetlink.ProtoTCP, "10.0.0.20:1000", "192.0.2.1:2000"),
		Helper: "ftp", Fn: "nat-follow-master", Flags: ctnetlink.ExpectPermanent,
		NAT: ctnetlink.ExpectNAT{Reply: true, Tuple: flowTuple(ctnetlink.ProtoTCP, "10.0.0.99:37989", "0.0.0.0:0")},
	}
	v6 := &ctnetlink.ExpectSpec{
		Tuple:  flowTuple(ctnetlink.ProtoTCP, "[fd01::22]:0", "[fd02::1]:37989"),
		Mask:   flowTuple(ctnetlink.ProtoTCP, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0", "[ffff::]:65535"),
		Master: flowTuple(ctnetlink.ProtoTCP, "[fd01::22]:1000", "[fd02::1]:2000"),
		Helper: "ftp",
		NAT:    ctnetlink.ExpectNAT{Tuple: flowTuple(ctnetlink.ProtoTCP, "[fd01::99]:37989", "[::]:0")},
	}
	for _, x := range []*ctnetlink.ExpectSpec{v4, v6} {
		x.SetTimeout(300 * time.Second)
	}
	return []*ctnetlink.ExpectSpec{v4, v6}
}
