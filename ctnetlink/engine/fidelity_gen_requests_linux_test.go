package engine_test

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas, &area{name: "requests", setting: requestsSetting, scenario: requestsScenario})
}

// requestsSetting has rules that leave traces in entries.
func requestsSetting(g *gen) *setting {
	set := plain(g, [2]string{"acct", "0"}, [2]string{"timestamp", "1"}, [2]string{"events", oneOf(g, "0", "2")})
	rule := oneOf(g, "udp dport 53 ct mark set 7", "ct mark 0x3 ct mark set 0", "ct status assured drop", "ct mark 0x5 drop",
		"ct direction reply ct mark 9 drop", "ct state established ct mark set 5")
	chains := [][2]string{{"type filter hook " + oneOf(g, "prerouting priority -150", "forward priority 0"), rule}}
	if g.chance(30) {
		chains = append(chains, [2]string{"type filter hook prerouting priority -300",
			oneOf(g, "udp dport 53 ct zone set 1", "iifname \"a\" ct original zone set 1", "ct zone set 2")})
	}
	set.rules = rulesOf(chains...)
	return set
}

// asked is a flow about which requests are made.
type asked struct {
	g    *gen
	spec ctnetlink.FlowSpec
}

// request makes a request about the flow; set changes what it says.
func (a *asked) request(text string, typ, flags uint16, set func(s *ctnetlink.FlowSpec)) {
	s := a.spec
	if set != nil {
		set(&s)
	}
	b := s.AppendMessage(nil)
	a.g.request(ctRequest{typ: typ, flags: flags | flagRequest | flagAck, family: uint8(s.Family), attrs: b[20:], text: text})
}

// ask makes some request: a change, a question that resets the counters, a
// deletion, or a creation.
func (a *asked) ask() {
	g := a.g
	switch g.IntN(10) {
	case 0, 1, 2:
		a.request("mark", ctNew, 0, func(s *ctnetlink.FlowSpec) {
			s.Set, s.Mark = s.Set.With(ctnetlink.AttrMark), oneOf[uint32](g, 0, 3, 5, 7, 9)
		})
	case 3, 4:
		a.request("timeout", ctNew, 0, func(s *ctnetlink.FlowSpec) { s.SetTimeout(time.Duration(g.some(20, 3000)) * time.Second) })
	case 5, 6:
		a.request("status", ctNew, 0, func(s *ctnetlink.FlowSpec) {
			s.SetStatus(oneOf(g, ctnetlink.StatusSeenReply, ctnetlink.StatusSeenReply|ctnetlink.StatusAssured,
				ctnetlink.StatusFixedTimeout, ctnetlink.StatusAssured) | ctnetlink.StatusConfirmed)
		})
	case 7:
		a.request("get and reset the counters", ctGetCtrZero, 0, nil)
	case 8:
		a.request("delete", ctDelete, 0, nil)
	default:
		a.request("create", ctNew, flagCreate|flagExcl, func(s *ctnetlink.FlowSpec) {
			s.SetTimeout(time.Duration(g.some(20, 300)) * time.Second)
			s.SetStatus(oneOf(g, 0, ctnetlink.StatusSeenReply, ctnetlink.StatusSeenReply|ctnetlink.StatusAssured) |
				ctnetlink.StatusConfirmed)
			if g.chance(30) {
				s.Set, s.Mark = s.Set.With(ctnetlink.AttrMark), oneOf[uint32](g, 3, 5)
			}
		})
	}
}

// requestsScenario is packets of a few flows, and requests about them.
func requestsScenario(g *gen) {
	v6 := g.chance(25)
	g.merge(g.some(1, 3), func() {
		c, s := g.client(v6), g.server(v6)
		a := &asked{g: g}
		there, back := packets.UDP{Src: c, Dst: s}.Bytes(), packets.UDP{Src: s, Dst: c}.Bytes()
		proto := ctnetlink.ProtoUDP
		if g.chance(30) {
			proto = ctnetlink.ProtoICMP
			if v6 {
				proto = ctnetlink.ProtoICMPv6
			}
			there, back = packets.Echo(c.Addr(), s.Addr(), c.Port(), 1, false).Bytes(), packets.Echo(s.Addr(), c.Addr(), c.Port(), 1, true).Bytes()
		}
		a.spec = flowSpecOf(proto, c, s)
		for range g.some(3, 14) {
			switch n := g.IntN(10); {
			case n < 4:
				g.in(netlab.A, there)
			case n < 7:
				g.in(netlab.B, back)
			default:
				a.ask()
			}
		}
	})
}

// flowSpecOf names a flow by both tuples. The id of an echo is the client's port.
func flowSpecOf(proto ctnetlink.Protocol, c, s netip.AddrPort) ctnetlink.FlowSpec {
	t := ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Proto: proto, Src: c.Addr(), Dst: s.Addr()}
	r := t
	r.Src, r.Dst = t.Dst, t.Src
	f := ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4}
	if c.Addr().Is6() {
		f.Family = ctnetlink.FamilyIPv6
	}
	switch proto {
	case ctnetlink.ProtoUDP:
		t.Has |= ctnetlink.FieldPorts
		r.Has = t.Has
		t.SrcPort, t.DstPort, r.SrcPort, r.DstPort = c.Port(), s.Port(), s.Port(), c.Port()
	default:
		t.Has |= ctnetlink.FieldICMP
		r.Has = t.Has
		t.ICMPID, r.ICMPID, t.ICMPType, r.ICMPType = c.Port(), c.Port(), 8, 0
		if f.Family == ctnetlink.FamilyIPv6 {
			t.ICMPType, r.ICMPType = 128, 129
		}
	}
	f.Orig, f.Reply = t, r
	return f
}
