package engine_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/wire"
)

func init() {
	areas = append(areas, &area{name: "expectations", setting: madeSetting, scenario: madeScenario})
}

func madeSetting(g *gen) *setting {
	set := plain(g, [2]string{"udp_timeout", "17"}, [2]string{"tcp_loose", "0"}, [2]string{"acct", "0"})
	set.expects = true
	if g.chance(30) {
		set.rules = rulesOf([2]string{postNAT, ""})
	}
	return set
}

// madeScenario is flows whose entries are created, changed and deleted by
// requests between their packets.
func madeScenario(g *gen) {
	g.merge(g.some(1, 4), func() {
		v6 := g.chance(25)
		c, s := g.client(v6), g.server(v6)
		proto := oneOf(g, ctnetlink.ProtoUDP, ctnetlink.ProtoTCP)
		talk := g.tcpTalk(v6)
		talk.end[0].at, talk.end[1].at = c, s
		step := 0
		packet := func() {
			if proto == ctnetlink.ProtoUDP {
				if g.chance(60) {
					g.a(packets.UDP{Src: c, Dst: s, Data: g.bytes(9)})
				} else {
					g.b(packets.UDP{Src: s, Dst: c, Data: g.bytes(9)})
				}
				return
			}
			switch step++; step {
			case 1:
				talk.send(0, talk.segment(0, packets.SYN, 0))
			case 2:
				talk.send(1, talk.segment(1, packets.SYN|packets.ACK, 0))
			case 3:
				talk.send(0, talk.segment(0, packets.ACK, 0))
			default:
				from := g.IntN(2)
				talk.send(from, talk.segment(from, packets.ACK|oneOf[uint8](g, 0, 0, packets.FIN, packets.PSH), g.IntN(20)))
			}
		}
		for range g.some(2, 9) {
			switch {
			case g.chance(60):
				packet()
			case g.chance(20):
				g.createFlow(proto, c, s)
			case g.chance(30):
				g.deleteFlow(proto, c, s)
			case g.chance(25):
				g.createExpectation(proto, c, s)
			default:
				g.updateFlow(proto, c, s)
			}
		}
		// Connections that an expectation may be for.
		for range g.IntN(3) {
			x := netip.AddrPortFrom(oneOf(g, c, s).Addr(), oneOf[uint16](g, 20, 3000))
			y := netip.AddrPortFrom(oneOf(g, c, s).Addr(), oneOf[uint16](g, 6000, 6001))
			if proto == ctnetlink.ProtoUDP {
				g.a(packets.UDP{Src: x, Dst: y})
			} else {
				g.a(packets.TCP{Src: x, Dst: y, Flags: packets.SYN})
			}
		}
	})
}

// flowTuple returns the tuple of a flow.
func flowTuple(proto ctnetlink.Protocol, src, dst netip.AddrPort) ctnetlink.Tuple {
	return ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: proto,
		Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(),
	}
}

// spec sends a request about a flow.
func (g *gen) spec(s *ctnetlink.FlowSpec, typ, flags uint16, verb string) {
	g.request(ctRequest{typ: typ, flags: flags | flagAck, family: uint8(s.Family), attrs: wire.Message(s.AppendMessage(nil)).Payload(),
		text: fmt.Sprintf("%s %v:%d > %v:%d timeout %v status %v mark %v", verb, s.Orig.Src, s.Orig.SrcPort, s.Orig.Dst,
			s.Orig.DstPort, s.Timeout, s.Status, s.Mark)})
}

func familyOf(a netip.Addr) ctnetlink.Family {
	if a.Is4() {
		return ctnetlink.FamilyIPv4
	}
	return ctnetlink.FamilyIPv6
}

func (g *gen) createFlow(proto ctnetlink.Protocol, c, s netip.AddrPort) {
	x := &ctnetlink.FlowSpec{Family: familyOf(c.Addr()), Orig: flowTuple(proto, c, s), Reply: flowTuple(proto, s, c)}
	x.Set = x.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrStatus)
	x.Timeout = time.Duration(oneOf(g, 40, 100, 1000)) * time.Second
	x.Status = ctnetlink.StatusConfirmed | oneOf(g, 0, ctnetlink.StatusSeenReply, ctnetlink.StatusSeenReply|ctnetlink.StatusAssured,
		ctnetlink.StatusFixedTimeout)
	if proto == ctnetlink.ProtoTCP {
		p := &x.ProtoInfo
		x.Set = x.Set.With(ctnetlink.AttrProtoInfo)
		p.Proto, p.State, p.Has = proto, ctnetlink.NewState(proto, uint8(g.some(1, 8))), ctnetlink.InfoState
	}
	g.spec(x, ctNew, flagCreate|oneOf[uint16](g, 0, flagExcl), "create")
}

func (g *gen) updateFlow(proto ctnetlink.Protocol, c, s netip.AddrPort) {
	x := &ctnetlink.FlowSpec{Family: familyOf(c.Addr()), Orig: flowTuple(proto, c, s)}
	switch g.IntN(3) {
	case 0:
		x.Set, x.Timeout = x.Set.With(ctnetlink.AttrTimeout), time.Duration(oneOf(g, 50, 200, 5000))*time.Second
	case 1:
		x.Set, x.Mark = x.Set.With(ctnetlink.AttrMark), uint32(g.IntN(3))
	case 2:
		x.Set = x.Set.With(ctnetlink.AttrStatus)
		x.Status = ctnetlink.StatusConfirmed | oneOf(g, ctnetlink.StatusSeenReply, ctnetlink.StatusSeenReply|ctnetlink.StatusAssured,
			ctnetlink.StatusFixedTimeout)
	}
	g.spec(x, ctNew, 0, "update")
}

func (g *gen) deleteFlow(proto ctnetlink.Protocol, c, s netip.AddrPort) {
	x := &ctnetlink.FlowSpec{Family: familyOf(c.Addr()), Orig: flowTuple(proto, c, s)}
	g.spec(x, ctDelete, 0, "delete")
}

// createExpectation makes an expectation of a connection between the hosts of a
// flow.
func (g *gen) createExpectation(proto ctnetlink.Protocol, c, s netip.AddrPort) {
	tuple := func(src, dst netip.AddrPort) []byte {
		v4 := src.Addr().Is4()
		from, to := uint16(1), uint16(2)
		if !v4 {
			from, to = 3, 4
		}
		ip := appendAttr(appendAttr(nil, from, src.Addr().AsSlice()), to, dst.Addr().AsSlice())
		p := appendAttr(nil, 1, []byte{byte(proto)})
		p = appendAttr(p, 2, binary.BigEndian.AppendUint16(nil, src.Port()))
		p = appendAttr(p, 3, binary.BigEndian.AppendUint16(nil, dst.Port()))
		return appendAttr(appendAttr(nil, 1|nested, ip), 2|nested, p)
	}
	x := netip.AddrPortFrom(oneOf(g, c, s).Addr(), 0)
	y := netip.AddrPortFrom(oneOf(g, c, s).Addr(), oneOf[uint16](g, 6000, 6001))
	ones := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if c.Addr().Is6() {
		ones = netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	}
	b := appendAttr(nil, ctaExpMaster|nested, tuple(c, s))
	b = appendAttr(b, ctaExpTuple|nested, tuple(x, y))
	b = appendAttr(b, ctaExpMask|nested, tuple(netip.AddrPortFrom(ones, 0), netip.AddrPortFrom(ones, 0xffff)))
	b = appendAttr(b, ctaExpTimeout, []byte{0, 0, 0, byte(g.some(20, 200))})
	flags := oneOf[byte](g, 0, 0, 1, 2, 3, 4, 5)
	b = appendAttr(b, ctaExpFlags, []byte{0, 0, 0, flags})
	g.request(ctRequest{typ: expNew, flags: flagAck | flagCreate, family: uint8(familyOf(c.Addr())), attrs: b,
		text: fmt.Sprintf("expect %v > %v of %v > %v flags %d", x, y, c, s, flags)})
}
