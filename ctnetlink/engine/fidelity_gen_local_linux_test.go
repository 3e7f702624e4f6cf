package engine_test

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "local", setting: localSetting, scenario: localScenario},
		&area{name: "broadcast", setting: broadcastSetting, scenario: broadcastScenario},
		&area{name: "nat-stream", setting: snatSetting, scenario: natStreams, slow: true},
	)
}

// localSetting has rules at output and input.
func localSetting(g *gen) *setting {
	set := plain(g, [2]string{"udp_timeout", "17"}, [2]string{"tcp_loose", "0"}, [2]string{"timestamp", "1"})
	var chains [][2]string
	rules := func(head string, of ...string) {
		if g.chance(35) {
			chains = append(chains, [2]string{head, g.match() + g.state() + oneOf(g, of...)})
		}
	}
	rules("type filter hook output priority -300", "notrack", "ct zone set 3", "drop", "ct original zone set 4")
	rules("type filter hook output priority 0", "drop", "ct mark set 3", "accept", "reject")
	rules("type filter hook input priority 0", "drop", "ct mark set 4", "accept", "reject")
	rules("type filter hook postrouting priority 0", "drop", "ct mark set 5")
	if g.chance(30) {
		set.translates = true
		chains = append(chains, [2]string{outNAT, oneOf(g, "", "ip daddr 192.0.2.2 dnat ip to 192.0.2.3",
			"meta l4proto udp ip daddr 192.0.2.2 dnat ip to 192.0.2.4:5353", "ip6 daddr fd00:b::2 dnat ip6 to fd00:b::3")})
		chains = append(chains, [2]string{postNAT, oneOf(g, "", "snat ip to 192.0.2.77", "meta l4proto { tcp, udp } masquerade to :3000-3010",
			"ip saddr 10.0.0.1 snat ip to 192.0.2.1")})
		chains = append(chains, [2]string{inNAT, oneOf(g, "", "ip saddr 10.0.0.2 snat ip to 10.9.9.9")})
	}
	set.rules = rulesOf(chains...)
	if len(chains) == 0 {
		set.rules = ""
	}
	return set
}

// localScenario is packets to this machine and from it. Its own answers are the
// generator's.
func localScenario(g *gen) {
	v6 := g.chance(30)
	own := func() netip.AddrPort {
		a := oneOf(g, "10.0.0.1", "192.0.2.1")
		if v6 {
			a = oneOf(g, "fd00:a::1", "fd00:b::1")
		}
		return netip.AddrPortFrom(packets.Addr(a), oneOf[uint16](g, 53, 80, 1000, 5000))
	}
	g.merge(g.some(1, 5), func() {
		here := own()
		there, at := g.client(v6), netlab.A
		if g.chance(50) {
			there, at = g.server(v6), netlab.B
		}
		const S, A, F = packets.SYN, packets.ACK, packets.FIN
		h := packets.IP{ID: 7, TTL: oneOf(g, 0, 0, 1, 255)}
		out := func(p builder) { g.output(p) }
		in := func(p builder) { g.in(at, p.Bytes()) }
		if g.chance(30) && at == netlab.B { // what this machine sends leaves by b
			here, there = own(), g.server(v6)
		}
		switch g.IntN(5) {
		case 0: // it answers
			in(packets.UDP{Src: there, Dst: here, Data: g.bytes(9)})
			for range g.IntN(3) {
				out(packets.UDP{Src: here, Dst: there, IP: h, Data: g.bytes(9)})
				in(packets.UDP{Src: there, Dst: here, Data: g.bytes(9)})
			}
		case 1: // it asks
			out(packets.UDP{Src: here, Dst: there, IP: h, Data: g.bytes(9)})
			for range g.IntN(3) {
				in(packets.UDP{Src: there, Dst: here, Data: g.bytes(9)})
			}
		case 2:
			way := []func(){
				func() { out(packets.TCP{Src: here, Dst: there, Flags: S, Seq: 100, IP: h}) },
				func() { in(packets.TCP{Src: there, Dst: here, Flags: S | A, Seq: 900, Ack: 101}) },
				func() { out(packets.TCP{Src: here, Dst: there, Flags: A, Seq: 101, Ack: 901, IP: h}) },
				func() { in(packets.TCP{Src: there, Dst: here, Flags: F | A, Seq: 901, Ack: 101}) },
				func() { out(packets.TCP{Src: here, Dst: there, Flags: F | A, Seq: 101, Ack: 902, IP: h}) },
				func() { in(packets.TCP{Src: there, Dst: here, Flags: A, Seq: 902, Ack: 102}) },
			}
			for _, f := range way[:g.some(1, len(way))] {
				f()
			}
		case 3:
			p := packets.Echo(there.Addr(), here.Addr(), uint16(g.IntN(3)), 1, false)
			in(p)
			q := packets.Echo(here.Addr(), there.Addr(), uint16(g.IntN(3)), 1, g.chance(70))
			q.IP = h
			out(q)
		case 4: // an error about what it got, or sent
			p := packets.UDP{Src: there, Dst: here, Data: g.bytes(9)}
			if g.chance(80) {
				in(p)
			}
			e := packets.Error(here.Addr(), there.Addr(), g.errorType(v6), 3, p.Bytes(), 0)
			e.IP = h
			out(e)
			back := packets.UDP{Src: here, Dst: there, IP: h}
			if g.chance(50) {
				out(back)
			}
			in(packets.Error(there.Addr(), here.Addr(), g.errorType(v6), 1, back.Bytes(), 0))
		}
	})
}

// broadcastSetting has helpers for what this machine sends to all.
func broadcastSetting(g *gen) *setting {
	set := &setting{expects: true}
	set.rules = `table ip test {
	ct helper n {
		type "netbios-ns" protocol udp
		l3proto ip
	}
	ct helper s {
		type "snmp" protocol udp
		l3proto ip
	}
	chain o {
		type filter hook output priority 0;
		udp dport 137 ct helper set "n"
		udp dport 161 ct helper set "s"
	}
}
`
	return set
}

// broadcastScenario is requests to all hosts and answers of some.
func broadcastScenario(g *gen) {
	for range g.some(1, 4) {
		port := oneOf[uint16](g, 137, 161, 138)
		from := netip.AddrPortFrom(packets.Addr(oneOf(g, "192.0.2.1", "10.0.0.1")), oneOf[uint16](g, 137, 4000))
		to := netip.AddrPortFrom(packets.Addr(oneOf(g, "255.255.255.255", "255.255.255.255", "192.0.2.2")), port)
		g.output(packets.UDP{Src: from, Dst: to, IP: packets.IP{ID: 7}, Data: []byte("who")})
		for range g.some(0, 3) {
			src := netip.AddrPortFrom(packets.Addr(oneOf(g, "192.0.2.2", "192.0.2.200", "10.0.0.2", "198.51.100.1")), oneOf(g, port, port, 9))
			g.b(packets.UDP{Src: src, Dst: from, Data: []byte("me")})
		}
	}
}

// natStreams is translated datagrams that go on for more than two seconds.
func natStreams(g *gen) {
	g.merge(100, func() {
		v6 := g.chance(30)
		c, s := g.client(v6), g.server(v6)
		for range g.some(1, 3) {
			for range g.IntN(4) {
				if g.chance(50) {
					g.a(packets.UDP{Src: c, Dst: s})
				} else {
					g.b(packets.UDP{Src: s, Dst: c})
				}
			}
			g.wait(time.Duration(oneOf(g, 700, 2200)) * time.Millisecond)
		}
	})
}
