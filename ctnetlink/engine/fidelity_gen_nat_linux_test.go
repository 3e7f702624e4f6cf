package engine_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/wire"
)

func init() {
	areas = append(areas,
		&area{name: "nat", setting: func(g *gen) *setting { return natSetting(g, false) }, scenario: natScenario},
		&area{name: "nat6", setting: func(g *gen) *setting { return natSetting(g, true) }, scenario: natScenario},
	)
}

// natSetting is a table with NAT chains.
func natSetting(g *gen, v6 bool) *setting {
	set := plain(g, [2]string{"checksum", "0"}, [2]string{"tcp_timeout_time_wait", "131"})
	family, addr := "ip", func(s string) string { return s }
	if v6 {
		family = "ip6"
		addr = func(s string) string {
			for _, r := range [][2]string{{"198.51.100.", "fd00:c::"}, {"192.0.2.", "fd00:b::"}, {"10.0.0.", "fd00:a::"},
				{"203.0.113.", "fd00:d::"}} {
				s = strings.ReplaceAll(s, r[0], r[1])
			}
			return s
		}
	}
	how := func() string { return oneOf(g, "", "", "", " random", " fully-random", " persistent") }
	to := func(kind, where string, ports ...string) string {
		match := oneOf(g, "", "meta l4proto udp ", family+" saddr "+addr("10.0.0.2")+" ", family+" daddr "+addr("192.0.2.2")+" ",
			"th dport 80 ", "th dport != 80 ")
		port := oneOf(g, ports...)
		if port != "" && !strings.Contains(match, "udp") {
			match += "meta l4proto { tcp, udp, sctp, udplite } "
		}
		if v6 && port != "" && where != "" {
			where = "[" + strings.ReplaceAll(where, "-", "]-[") + "]"
		}
		if where != "" || port != "" {
			where = " to " + where + port
		}
		return match + kind + where + how()
	}
	var pre, post []string
	for range g.IntN(3) {
		pre = append(pre, oneOf(g,
			to("dnat", addr("192.0.2.9"), "", ":8000", ":8000-8002", ":8000-8040"),
			to("dnat", addr("192.0.2.3")+"-"+addr("192.0.2.5"), "", ":8000"),
			to("dnat", addr("10.0.0.4"), "", ":5000"),
			to("redirect", "", "", ":5353"),
			"meta l4proto udp th dport 5000 drop"))
	}
	for range g.IntN(3) {
		post = append(post, oneOf(g,
			to("snat", addr("198.51.100.7"), "", ":2000", ":2000-2002", ":2000-2040", ":1-65535"),
			to("snat", addr("198.51.100.7")+"-"+addr("198.51.100.9"), "", ":2000-2001"),
			to("snat", addr("10.0.0.3"), ""),
			to("masquerade", "", "", ":3000-3003")))
	}
	b := new(strings.Builder)
	chain := func(head string, rules ...string) {
		fmt.Fprintf(b, "\tchain c%d {\n\t\ttype %s;\n\t\t%s\n\t}\n", b.Len(), head, strings.Join(rules, "\n\t\t"))
	}
	fmt.Fprintf(b, "table %s test {\n", family)
	chain("nat hook prerouting priority -100", pre...)
	chain("nat hook postrouting priority 100", post...)
	if g.chance(20) {
		chain("nat hook input priority 100", "meta l4proto udp snat to "+addr("198.51.100.7"))
	}
	if g.chance(20) {
		chain("nat hook output priority -100", oneOf(g, to("dnat", addr("192.0.2.9"), "", ":8000-8002"),
			to("dnat", addr("10.0.0.1"), "", ":8000"), to("redirect", "", "", ":5353")))
	}
	if g.chance(20) {
		chain("filter hook prerouting priority -300", oneOf(g, "iif a ct zone set 5", "iif a ct original zone set 5",
			"iif a ct original zone set 1", "iif b ct reply zone set 7"))
	}
	if g.chance(15) {
		chain("filter hook forward priority 0", "th dport 53 drop")
	}
	b.WriteString("}\n")
	set.rules = b.String()
	set.v6 = v6
	return set
}

// natScenario is a few flows at the same time, with answers to how their packets
// leave.
func natScenario(g *gen) {
	n := 0
	// The kernel's fragments do not grow older when the engine's do.
	fragments := g.chance(50)
	g.merge(g.some(2, 8), func() {
		n++
		g.natFlow(n, fragments)
	})
}

// send sends a packet of a flow from its client.
func (g *gen) send(flow int, p builder) {
	g.moves = append(g.moves, move{packet: p.Bytes(), at: netlab.A, flow: flow})
}

// answered sends a packet made from how the last packet of a flow left: src and
// dst are the ends of an answer to it.
func (g *gen) answered(flow int, f func(src, dst netip.AddrPort) builder) {
	g.moves = append(g.moves, move{at: netlab.B, flow: flow, answer: func(left []byte) []byte {
		src, dst := endsOf(left)
		return f(dst, src).Bytes()
	}})
}

// endsOf returns the addresses of a packet, and the four bytes behind the header
// as ports.
func endsOf(p []byte) (src, dst netip.AddrPort) {
	at, s, d := 40, 8, 24
	n := 16
	if p[0]>>4 == 4 {
		at, s, d, n = int(p[0]&15)*4, 12, 16, 4
	}
	a, _ := netip.AddrFromSlice(p[s : s+n])
	b, _ := netip.AddrFromSlice(p[d : d+n])
	var ports [2]uint16
	if len(p) >= at+4 {
		ports = [2]uint16{uint16(p[at])<<8 | uint16(p[at+1]), uint16(p[at+2])<<8 | uint16(p[at+3])}
	}
	return netip.AddrPortFrom(a, ports[0]), netip.AddrPortFrom(b, ports[1])
}

// natFlow is the packets of one flow.
func (g *gen) natFlow(flow int, fragments bool) {
	v6 := g.set.v6
	c, s := g.client(v6), g.server(v6)
	c = netip.AddrPortFrom(c.Addr(), oneOf[uint16](g, 1000, 1001, 80, 5000, 0, 2000))
	if g.chance(15) { // a host with the address that others are mapped to
		m := "198.51.100.7"
		if v6 {
			m = "fd00:c::7"
		}
		c = netip.AddrPortFrom(packets.Addr(m), c.Port())
	}
	switch g.IntN(13) {
	case 10:
		if fragments {
			g.natFragments(flow, c, s)
		}
	case 11:
		g.natCreated(flow, c, s)
	case 12:
		g.natOutput(flow, s)
	case 0, 1, 2:
		for range g.some(1, 4) {
			none := packets.Sum{None: g.chance(15)}
			g.send(flow, packets.UDP{Src: c, Dst: s, Data: g.bytes(20), Sum: none})
			g.natError(flow, c)
			if g.chance(10) { // the client has moved
				g.b(packets.UDP{Src: c, Dst: s, Data: g.bytes(20)})
			}
			if g.chance(60) {
				d := g.bytes(20)
				g.answered(flow, func(src, dst netip.AddrPort) builder { return packets.UDP{Src: src, Dst: dst, Data: d} })
			}
		}
	case 3, 4, 5, 6:
		g.natTCP(flow, c, s)
	case 7:
		id := oneOf[uint16](g, 7, 8, 9)
		typ, back := oneOf[uint8](g, 8, 13), uint8(0)
		if back = 0; typ == 13 {
			back = 14
		}
		if v6 {
			typ, back = 128, 129
		}
		for i := range g.some(1, 3) {
			g.send(flow, packets.ICMP{Src: c.Addr(), Dst: s.Addr(), Type: typ, ID: id, Seq: uint16(i), Data: g.bytes(20)})
			g.natError(flow, c)
			if g.chance(60) {
				g.moves = append(g.moves, move{at: netlab.B, flow: flow, answer: func(left []byte) []byte {
					src, dst := endsOf(left)
					at := 24
					if v6 {
						at = 44
					}
					p := packets.ICMP{Src: dst.Addr(), Dst: src.Addr(), Type: back, Seq: 1}
					if p.ID = uint16(left[at])<<8 | uint16(left[at+1]); v6 && left[6] != packets.ProtoICMPv6 {
						return nil
					}
					return p.Bytes()
				}})
			}
		}
	case 8:
		tag := oneOf[uint32](g, 5, 6)
		g.send(flow, packets.SCTP{Src: c, Dst: s, Chunks: []packets.Chunk{packets.InitChunk(packets.ChunkInit, tag)}})
		g.natError(flow, c)
		g.answered(flow, func(src, dst netip.AddrPort) builder {
			return packets.SCTP{Src: src, Dst: dst, Tag: tag, Chunks: []packets.Chunk{packets.InitChunk(packets.ChunkInitAck, 9)}}
		})
	case 9:
		switch g.IntN(3) {
		case 0:
			d := g.bytes(12)
			g.send(flow, packets.IP{Src: c.Addr(), Dst: s.Addr(), Proto: packets.ProtoESP, Payload: d})
			g.natError(flow, c)
			g.answered(flow, func(src, dst netip.AddrPort) builder {
				return packets.IP{Src: src.Addr(), Dst: dst.Addr(), Proto: packets.ProtoESP, Payload: d}
			})
		case 1:
			p := packets.GRE{Src: c.Addr(), Dst: s.Addr(), Data: g.bytes(12)}
			if g.chance(50) {
				p.Version, p.CallID = 1, oneOf[uint16](g, 3, 4)
			}
			g.send(flow, p)
			g.natError(flow, c)
			g.answered(flow, func(src, dst netip.AddrPort) builder {
				p.Src, p.Dst = src.Addr(), dst.Addr()
				return p
			})
		case 2:
			g.send(flow, packets.UDPLite{Src: c, Dst: s, Data: g.bytes(20), PseudoProto: 17})
			g.answered(flow, func(src, dst netip.AddrPort) builder {
				return packets.UDPLite{Src: src, Dst: dst, PseudoProto: 17}
			})
		}
	}
	// Shorter, and the kernel would not know which datagrams make a stream; with
	// zones, entries of two flows can have the same tuple, and jump would take them
	// for one.
	if g.chance(5) && !fragments && !strings.Contains(g.set.rules, "zone") {
		g.later(400 * time.Second)
	}
}

// natTCP is a connection that gets some way.
func (g *gen) natTCP(flow int, c, s netip.AddrPort) {
	const S, A, F, R = packets.SYN, packets.ACK, packets.FIN, packets.RST
	x, y := oneOf[uint32](g, 1000, 2000, 500, g.Uint32()), uint32(5000)
	from := func(flags uint8, seq, ack uint32, n int) {
		g.send(flow, packets.TCP{Src: c, Dst: s, Flags: flags, Seq: seq, Ack: ack, Data: make([]byte, n)})
		g.natError(flow, c)
	}
	to := func(flags uint8, seq, ack uint32) {
		g.answered(flow, func(src, dst netip.AddrPort) builder {
			return packets.TCP{Src: src, Dst: dst, Flags: flags, Seq: seq, Ack: ack}
		})
	}
	way := []func(){
		func() { from(S, x, 0, 0) },
		func() { to(S|A, y, x+1) },
		func() { from(A, x+1, y+1, g.IntN(2)*10) },
		func() { from(F|A, x+1, y+1, 0) },
		func() { to(F|A, y+1, x+2) },
		func() { from(A, x+2, y+2, 0) },
	}
	if g.chance(10) {
		way = way[2:] // picked up
	}
	way = way[:g.some(1, len(way))]
	for _, step := range way {
		step()
	}
	switch g.IntN(5) {
	case 0:
		from(R, x+1, 0, 0)
	case 1:
		to(R|A, y+1, x+1)
	}
}

// natError sends, now and then, an ICMP error about how the last packet of a flow
// left, or about the last answer.
func (g *gen) natError(flow int, client netip.AddrPort) {
	if !g.chance(12) {
		return
	}
	v6 := g.set.v6
	router, inner := packets.Addr("192.0.2.254"), packets.Addr("10.0.0.254")
	typ, code := oneOf[uint8](g, 3, 3, 11, 5, 12), uint8(g.IntN(4))
	if v6 {
		router, inner = packets.Addr("fd00:b::fe"), packets.Addr("fd00:a::fe")
		typ = oneOf[uint8](g, 1, 1, 3, 4)
	}
	n := oneOf(g, 0, 28, 24, 32, 48, 60)
	sum := packets.Sum{Bad: g.chance(5)}
	who := g.IntN(4)
	m := move{at: netlab.B, flow: flow, answer: func(left []byte) []byte {
		src, dst := endsOf(left)
		from, to := router, src.Addr()
		switch who {
		case 0:
			from = dst.Addr()
		case 1:
			to = client.Addr()
		}
		p := packets.Error(from, to, typ, code, left, min(n, len(left)))
		p.Sum = sum
		return p.Bytes()
	}}
	if g.chance(25) { // by the client or a router beside it
		m = move{at: netlab.A, flow: -flow, answer: func(left []byte) []byte {
			src, dst := endsOf(left)
			from := inner
			if who < 2 {
				from = dst.Addr()
			}
			p := packets.Error(from, src.Addr(), typ, code, left, min(n, len(left)))
			p.Sum = sum
			return p.Bytes()
		}}
	}
	g.moves = append(g.moves, m)
}

// natFragments is datagrams in fragments.
func (g *gen) natFragments(flow int, c, s netip.AddrPort) {
	for range g.some(1, 3) {
		p := packets.UDP{Src: c, Dst: s, Data: make([]byte, g.some(20, 100))}.Bytes()
		for _, f := range shuffle(g, 30, packets.Fragments(p, g.Uint32(), oneOf(g, 24, 48))) {
			g.in(netlab.A, f)
		}
	}
}

// natCreated is an entry made by ctnetlink, with a translation, and its packets.
func (g *gen) natCreated(flow int, c, s netip.AddrPort) {
	m := packets.Addr("198.51.100.7")
	if g.set.v6 {
		m = packets.Addr("fd00:c::7")
	}
	const has = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	spec := &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4, Timeout: 100 * time.Second, Status: oneOf(g, ctnetlink.StatusConfirmed,
			ctnetlink.StatusConfirmed|ctnetlink.StatusSeenReply, ctnetlink.StatusConfirmed|ctnetlink.StatusSeenReply|ctnetlink.StatusAssured),
		Orig:  ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: c.Addr(), Dst: s.Addr(), SrcPort: c.Port(), DstPort: s.Port()},
		Reply: ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: s.Addr(), Dst: c.Addr(), SrcPort: s.Port(), DstPort: c.Port()},
	}
	if g.set.v6 {
		spec.Family = ctnetlink.FamilyIPv6
	}
	spec.Set = spec.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrStatus)
	nat := ctnetlink.NAT{MinAddr: m, MaxAddr: m}
	if g.chance(50) {
		nat.MinPort = oneOf[uint16](g, 2000, 3000)
		nat.MaxPort = nat.MinPort
	}
	if g.chance(80) {
		spec.SrcNAT, spec.Set = nat, spec.Set.With(ctnetlink.AttrNATSrc)
	}
	if g.chance(30) {
		spec.DstNAT, spec.Set = nat, spec.Set.With(ctnetlink.AttrNATDst)
	}
	msg := wire.Message(spec.AppendMessage(nil))
	g.request(ctRequest{typ: ctNew, flags: flagRequest | flagAck | flagCreate | flagExcl, family: uint8(spec.Family),
		attrs: msg.Payload(), text: fmt.Sprintf("create %v > %v with NAT to %v", c, s, nat)})
	for range g.some(1, 3) {
		g.send(flow, packets.UDP{Src: c, Dst: s, Data: g.bytes(20)})
		g.natError(flow, c)
		g.answered(flow, func(src, dst netip.AddrPort) builder { return packets.UDP{Src: src, Dst: dst} })
	}
}

// natOutput is datagrams that the machine itself sends, with answers.
func (g *gen) natOutput(flow int, s netip.AddrPort) {
	from := oneOf(g, "192.0.2.1", "10.0.0.1")
	if g.set.v6 {
		from = oneOf(g, "fd00:b::1", "fd00:a::1")
	}
	c := netip.AddrPortFrom(packets.Addr(from), oneOf[uint16](g, 1000, 80))
	for range g.some(1, 3) {
		g.moves = append(g.moves, move{packet: packets.UDP{Src: c, Dst: s, Data: g.bytes(20), IP: packets.IP{ID: 7}}.Bytes(),
			output: true, flow: flow})
		g.natError(flow, c)
		g.answered(flow, func(src, dst netip.AddrPort) builder { return packets.UDP{Src: src, Dst: dst} })
	}
}
