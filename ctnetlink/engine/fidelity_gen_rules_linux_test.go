package engine_test

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "rules", setting: rulesSetting, scenario: rulesScenario},
		&area{name: "zones", setting: zonesSetting, scenario: rulesScenario},
		&area{name: "policies", setting: policySetting, scenario: policyScenario},
	)
}

// match returns the beginning of a rule that some packets of rulesScenario match.
func (g *gen) match() string {
	return oneOf(g, "", "meta l4proto tcp ", "meta l4proto udp ", "udp dport 53 ", "tcp dport 80 ", "tcp sport 80 ",
		"ip saddr 10.0.0.2 ", "ip daddr 192.0.2.2 ", "ip6 saddr fd00:a::2 ", `iifname "a" `, `iifname "b" `,
		"icmp type echo-request ", "tcp flags & (fin|syn|rst|ack) == syn ", "udp sport 1000-5000 ",
		"meta l4proto { icmp, icmpv6 } ", "ip saddr { 10.0.0.3, 192.0.2.3 } ")
}

// state returns a match for the state of packets.
func (g *gen) state() string {
	return oneOf(g, "", "ct state new ", "ct state established ", "ct state related ", "ct state invalid ",
		"ct state { new, related } ", "ct direction reply ", "ct direction original ", "ct mark 0x7 ",
		"ct status seen-reply ", "ct status assured ")
}

// rulesSetting has rules that drop, mark and exclude packets, at all hooks.
func rulesSetting(g *gen) *setting {
	set := plain(g, [2]string{"tcp_loose", "0"}, [2]string{"timestamp", "1"}, [2]string{"acct", "0"})
	var chains [][2]string
	add := func(head string, percent int, rule func() string) {
		if !g.chance(percent) {
			return
		}
		text := ""
		for range g.some(1, 3) {
			text += rule() + "\n"
		}
		if g.chance(10) {
			head += "; policy drop"
			text += "ct state != invalid accept\n"
		}
		chains = append(chains, [2]string{head, text})
	}
	add("type filter hook prerouting priority -300", 30, func() string {
		return g.match() + oneOf(g, "notrack", "notrack", "drop", "accept", "meta l4proto udp notrack")
	})
	mark := func() string {
		return g.match() + oneOf(g, "ct mark set 7", "ct mark set 0x1234", "ct mark set 0", "ct mark 7 ct mark set 9", "accept")
	}
	add("type filter hook prerouting priority -150", 40, func() string {
		return g.state() + oneOf(g, mark(), g.match()+"drop", mark())
	})
	add("type filter hook forward priority 0", 60, func() string {
		return g.match() + g.state() + oneOf(g, "drop", "reject", "accept", "ct mark set 5", "counter drop")
	})
	add("type filter hook input priority 0", 30, func() string { return g.match() + g.state() + oneOf(g, "drop", "accept") })
	add("type filter hook postrouting priority 50", 30, func() string {
		return oneOf(g, mark(), g.state()+g.match()+"drop", mark())
	})
	add("type filter hook postrouting priority 400", 10, func() string { return g.match() + g.state() + "drop" })
	if g.chance(30) {
		set.translates = true
		chains = append(chains, [2]string{postNAT, g.sourceRule(false)})
	}
	set.rules = rulesOf(chains...)
	return set
}

// rulesScenario is flows of all protocols, few hosts.
func rulesScenario(g *gen) {
	v6 := g.chance(25)
	g.merge(g.some(1, 5), func() {
		switch g.IntN(6) {
		case 0, 1:
			g.tcpTalk(v6).live(g.some(1, 8))
		case 2:
			icmpErrors(g)
		case 3:
			icmpScenario(g)
		case 4:
			c, s := g.client(v6), packets.Port("10.0.0.1:53") // for the machine itself
			if v6 {
				s = packets.Port("[fd00:a::1]:53")
			}
			g.a(packets.UDP{Src: c, Dst: s})
			if g.chance(50) {
				g.a(packets.TCP{Src: c, Dst: s, Flags: packets.SYN})
				g.a(packets.Echo(c.Addr(), s.Addr(), 5, 1, false))
			}
			if g.chance(50) {
				g.output(packets.UDP{Src: s, Dst: c, IP: packets.IP{ID: 7}})
			}
		default:
			c, s := g.client(v6), g.server(v6)
			for range g.some(1, 8) {
				if g.chance(60) {
					g.a(packets.UDP{Src: c, Dst: s})
				} else {
					g.b(packets.UDP{Src: s, Dst: c})
				}
			}
		}
		g.withoutTime()
	})
}

// zonesSetting has rules that set zones.
func zonesSetting(g *gen) *setting {
	rule := func() string {
		return g.match() + oneOf(g, "ct zone set 1", "ct zone set 2", "ct original zone set 1", "ct reply zone set 1",
			"ct zone set 65535", "ct original zone set 2", "ct reply zone set 2")
	}
	text := ""
	for range g.some(1, 4) {
		text += rule() + "\n"
	}
	chains := [][2]string{{"type filter hook prerouting priority -300", text}}
	if g.chance(30) {
		chains = append(chains, [2]string{"type filter hook output priority -300", rule()})
	}
	set := &setting{}
	if g.chance(40) {
		set.translates = true
		chains = append(chains, [2]string{postNAT, g.sourceRule(false)})
	}
	set.rules = rulesOf(chains...)
	return set
}

// policySetting has rules that set timeouts.
func policySetting(g *gen) *setting {
	b := new(strings.Builder)
	b.WriteString("table inet test {\n")
	var rules []string
	for i := range g.some(1, 3) {
		proto := oneOf(g, "udp", "tcp")
		policy := oneOf(g, "unreplied : 11, replied : 22", "replied : 33", "unreplied : 7")
		if proto == "tcp" {
			policy = oneOf(g, "established : 100, close_wait : 4, syn_sent : 44", "syn_sent : 5, syn_recv : 6, time_wait : 7",
				"fin_wait : 9, last_ack : 8, close : 3", "retrans : 50, unack : 70", "established : 1000000")
		}
		fmt.Fprintf(b, "\tct timeout t%d {\n\t\tprotocol %s\n\t\tl3proto ip\n\t\tpolicy = { %s }\n\t}\n", i, proto, policy)
		rules = append(rules, fmt.Sprintf("%s %s ct timeout set \"t%d\"", oneOf(g, "", "ip saddr 10.0.0.0/24", `iifname "a"`),
			"meta nfproto ipv4 meta l4proto "+proto, i))
	}
	hook := oneOf(g, "prerouting priority -150", "forward priority 0", "prerouting priority -199")
	fmt.Fprintf(b, "\tchain c {\n\t\ttype filter hook %s;\n\t\t%s\n\t}\n}\n", hook, strings.Join(rules, "\n\t\t"))
	set := plain(g, [2]string{"tcp_timeout_established", "5000"}, [2]string{"udp_timeout", "40"}, [2]string{"acct", "0"},
		[2]string{"timestamp", "1"}, [2]string{"events", oneOf(g, "0", "2")})
	set.rules = b.String()
	return set
}

func policyScenario(g *gen) {
	g.merge(g.some(1, 4), func() {
		if g.chance(60) {
			g.tcpTalk(g.chance(10)).live(g.some(1, 8))
		} else {
			c, s := g.client(false), g.server(false)
			for range g.some(1, 5) {
				g.a(packets.UDP{Src: c, Dst: s})
				if g.chance(50) {
					g.b(packets.UDP{Src: s, Dst: c})
				}
			}
		}
		g.withoutTime()
	})
}
