package engine_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "snat", setting: snatSetting, scenario: natMixture},
		&area{name: "dnat", setting: dnatSetting, scenario: natMixture},
		&area{name: "nat-full", setting: natFullSetting, scenario: natFull},
		&area{name: "nat-error", setting: natErrorSetting, scenario: natErrors},
	)
}

// translating returns a setting with NAT rules.
func translating(rules string) *setting { return &setting{rules: rules, translates: true} }

// sourceRule returns a rule that translates sources.
func (g *gen) sourceRule(v6 bool) string {
	family, addr, last := "ip", "192.0.2.1", "192.0.2.99"
	from := oneOf(g, "10.0.0.0/24", "10.0.0.2", "10.0.0.2-10.0.0.3")
	if v6 {
		family, addr, last = "ip6", "fd00:b::1", "fd00:b::99"
		from = oneOf(g, "fd00:a::/64", "fd00:a::2")
	}
	match := fmt.Sprintf("%s saddr %s ", family, from)
	if g.chance(30) {
		match += oneOf(g, "meta l4proto udp ", "meta l4proto tcp ", "tcp dport 80 ", "udp dport 53 ", `oifname "b" `)
	}
	flags := oneOf(g, "", "", "", " random", " fully-random", " persistent", " random,persistent")
	ports := oneOf(g, "", "", "", ":2000-2002", ":2000", ":1000-1001", ":40000-60000")
	if ports != "" {
		match += oneOf(g, "meta l4proto { tcp, udp } ", "meta l4proto { tcp, udp } ", "meta l4proto { tcp, udp, icmp, icmpv6, sctp } ")
	}
	switch g.IntN(4) {
	case 0:
		if ports != "" {
			ports = " to " + ports
		}
		return match + "masquerade" + ports + flags
	case 1:
		last = oneOf(g, "", "-"+last)
		if v6 {
			if ports != "" {
				return match + fmt.Sprintf("snat ip6 to [%s]%s%s%s", addr, bracketed(last), ports, flags)
			}
			return match + fmt.Sprintf("snat ip6 to %s%s%s", addr, last, flags)
		}
		return match + fmt.Sprintf("snat ip to %s%s%s%s", addr, last, ports, flags)
	}
	if v6 && ports != "" {
		addr = "[" + addr + "]"
	}
	return match + fmt.Sprintf("snat %s to %s%s%s", family, addr, ports, flags)
}

func bracketed(last string) string {
	if last == "" {
		return ""
	}
	return "-[" + last[1:] + "]"
}

// destinationRule returns a rule that translates destinations.
func (g *gen) destinationRule(v6 bool) string {
	family, to, addr, last := "ip", oneOf(g, "192.0.2.1", "192.0.2.2"), "192.0.2.3", "192.0.2.4"
	if v6 {
		family, to, addr, last = "ip6", oneOf(g, "fd00:b::1", "fd00:b::2"), "fd00:b::3", "fd00:b::4"
	}
	match := fmt.Sprintf("%s daddr %s ", family, to)
	if g.chance(50) {
		match += oneOf(g, "meta l4proto udp ", "meta l4proto tcp ", "tcp dport { 80, 5000 } ", "udp dport 53 ", `iifname "a" `)
	}
	ports := oneOf(g, "", "", ":8080", ":8000-8002", ":53")
	if ports != "" {
		match += "meta l4proto { tcp, udp } "
	}
	switch g.IntN(4) {
	case 0:
		if ports != "" {
			ports = " to " + ports
		}
		return match + "redirect" + ports + oneOf(g, "", "", " random")
	case 1:
		if v6 {
			if ports != "" {
				return match + fmt.Sprintf("dnat ip6 to [%s]-[%s]%s", addr, last, ports)
			}
			return match + fmt.Sprintf("dnat ip6 to %s-%s%s", addr, last, oneOf(g, "", " persistent"))
		}
		return match + fmt.Sprintf("dnat ip to %s-%s%s%s", addr, last, ports, oneOf(g, "", "", " persistent", " random"))
	}
	if v6 && ports != "" {
		addr = "[" + addr + "]"
	}
	return match + fmt.Sprintf("dnat %s to %s%s%s", family, addr, ports, oneOf(g, "", "", " random"))
}

const (
	preNAT  = "type nat hook prerouting priority -100"
	postNAT = "type nat hook postrouting priority 100"
	inNAT   = "type nat hook input priority 100"
	outNAT  = "type nat hook output priority -100"
)

func snatSetting(g *gen) *setting {
	rules := ""
	for range g.some(1, 3) {
		rules += g.sourceRule(g.chance(30)) + "\n"
	}
	return translating(rulesOf([2]string{postNAT, rules}))
}

func dnatSetting(g *gen) *setting {
	pre, post := "", ""
	for range g.some(1, 3) {
		pre += g.destinationRule(g.chance(30)) + "\n"
	}
	if g.chance(50) {
		post = g.sourceRule(g.chance(30)) + "\n"
	}
	chains := [][2]string{{preNAT, pre}}
	if post != "" || g.chance(30) {
		chains = append(chains, [2]string{postNAT, post})
	}
	if g.chance(20) {
		chains = append(chains, [2]string{inNAT, oneOf(g, "", "snat ip to 10.9.9.9")})
	}
	return translating(rulesOf(chains...))
}

// natFlows is flows of clients that all have few ports, to few servers.
func (g *gen) natFlows(v6 bool) (c, s netip.AddrPort) {
	port := uint16(oneOf(g, 1000, 1000, 1001, 5000, 2000, 300, 700))
	dport := uint16(oneOf(g, 53, 80, 5000, 8080))
	if v6 {
		return netip.AddrPortFrom(packets.Addr(fmt.Sprintf("fd00:a::%d", g.some(2, 4))), port),
			netip.AddrPortFrom(packets.Addr(fmt.Sprintf("fd00:b::%d", g.some(1, 4))), dport)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(g.some(2, 4))}), port),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(g.some(1, 4))}), dport)
}

// natMixture is flows of all protocols at the same time.
func natMixture(g *gen) {
	v6 := g.chance(30)
	g.merge(g.some(1, 6), func() {
		if g.chance(20) { // from the other side
			c, s := g.natFlows(v6)
			g.b(packets.UDP{Src: s, Dst: c})
			g.a(packets.UDP{Src: c, Dst: s})
			return
		}
		c, s := g.natFlows(v6)
		switch g.IntN(8) {
		case 0, 1:
			t := g.tcpTalk(v6)
			t.end[0].at, t.end[1].at = c, s
			t.live(g.some(1, 8))
		case 2:
			t := &sctpTalk{g: g, end: [2]netip.AddrPort{c, s}, tag: [2]uint32{g.Uint32(), g.Uint32()}}
			for _, x := range []sctpStep{{0, packets.ChunkInit}, {1, packets.ChunkInitAck}, {0, packets.ChunkCookieEcho}, {1, packets.ChunkCookieAck}}[:g.some(1, 4)] {
				t.put(x.from, t.packet(x.from, t.chunk(x.typ, x.from)))
			}
		case 3:
			for i := range g.some(1, 3) {
				g.a(packets.Echo(c.Addr(), s.Addr(), c.Port(), uint16(i), false))
				g.b(packets.Echo(s.Addr(), c.Addr(), c.Port(), uint16(i), true))
			}
		case 4:
			there, back := g.quotable(v6)
			g.a(there)
			g.b(back)
		default:
			for range g.some(1, 4) {
				g.a(packets.UDP{Src: c, Dst: s, Data: g.bytes(9), Sum: packets.Sum{None: g.chance(5), Bad: g.chance(5)}})
				if g.chance(60) {
					g.b(packets.UDP{Src: s, Dst: c, Data: g.bytes(9)})
				}
			}
		}
		if g.chance(10) {
			at, p := g.anyPacket(v6)
			g.in(at, p)
		}
		for i := range g.moves {
			if g.moves[i].jump > 0 {
				g.moves[i].jump = 200 * time.Second
			}
			g.moves[i].exact = g.chance(8)
		}
	})
}

// natFullSetting has few ports.
func natFullSetting(g *gen) *setting {
	ports := oneOf(g, ":2000-2003", ":2000", ":600-602")
	match := "meta l4proto { tcp, udp } ip saddr 10.0.0.0/8 "
	flags := oneOf(g, "", "", " random", " persistent")
	if g.chance(30) {
		return translating(rulesOf([2]string{preNAT, match + "dnat ip to 192.0.2.3" + ports}, [2]string{postNAT, ""}))
	}
	return translating(rulesOf([2]string{postNAT, match + "snat ip to 192.0.2.1" + ports + flags}))
}

// natFull is more flows than there are ports, of which some end.
func natFull(g *gen) {
	server := packets.Port("192.0.2.2:80")
	tcp := g.chance(70)
	for range g.some(4, 14) {
		c := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(g.some(2, 9))}), uint16(oneOf(g, 1000, 2000, 2001, 5000)))
		if !tcp {
			g.a(packets.UDP{Src: c, Dst: server})
			continue
		}
		t := g.tcpTalk(false)
		t.end[0].at, t.end[1].at = c, server
		t.end[0].isn = oneOf(g, 1000, 2000, g.Uint32())
		t.end[0].next = t.end[0].isn
		t.live(oneOf(g, 1, 3, 6, 8, 8, 8))
		if g.chance(20) {
			t.send(0, t.segment(0, packets.RST, 0))
		}
	}
}

func natErrorSetting(g *gen) *setting {
	v6 := g.chance(30)
	source, dest := "", ""
	if g.chance(75) {
		source = oneOf(g, "masquerade", "ip saddr 10.0.0.0/24 snat ip to 192.0.2.1", g.sourceRule(v6))
	}
	if g.chance(60) || source == "" {
		dest = g.destinationRule(v6) + "\n" + g.destinationRule(!v6)
	}
	return translating(rulesOf([2]string{preNAT, dest}, [2]string{postNAT, source}))
}

// natErrors is errors about translated flows.
func natErrors(g *gen) {
	icmpErrors(g)
	for i := range g.moves {
		g.moves[i].exact = g.chance(10)
		if m := &g.moves[i]; g.chance(5) && len(m.packet) > 60 {
			m.packet[g.some(40, 59)]++
		}
	}
}
