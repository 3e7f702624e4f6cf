package engine_test

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "pptp", setting: pptpSetting, scenario: pptpScenario},
		&area{name: "pptp-nat", setting: pptpNAT, scenario: pptpScenario},
	)
}

const pptpHelper = "table ip test {\n\tct helper p { type \"pptp\" protocol tcp; }\n" +
	"\tchain c {\n\t\ttype filter hook prerouting priority -150;\n\t\ttcp dport 1723 ct helper set \"p\"\n\t}\n"

func pptpSetting(g *gen) *setting {
	set := plain(g, [2]string{"gre_timeout", "17"}, [2]string{"gre_timeout_stream", "91"})
	set.expects = true
	set.rules = pptpHelper + "}\n"
	return set
}

// pptpNAT is a setting in which the control connection and GRE are translated.
func pptpNAT(g *gen) *setting {
	set := pptpSetting(g)
	rules := oneOf(g, "oif b masquerade", "oif b snat to 198.51.100.7", "tcp dport 1723 masquerade to :7000\n\t\toif b masquerade",
		"ip saddr 10.0.0.2 oif b masquerade", "")
	set.rules = strings.TrimSuffix(set.rules, "}\n") +
		"\tchain post {\n\t\ttype nat hook postrouting priority 100;\n\t\t" + rules + "\n\t}\n}\n"
	return set
}

// pptpTalk is a control connection of PPTP and its calls. There are few call ids.
type pptpTalk struct {
	*tcpTalk
	ids    [2]uint16      // of the current call
	seen   uint16         // the client's id, as the server has it
	mapped netip.AddrPort // the client, as the server has it
}

// someID is a call id, mostly that of an end as the end from has it.
func (c *pptpTalk) someID(from, end int) uint16 {
	id := c.ids[end]
	if from == 1 && end == 0 {
		id = c.seen
	}
	return oneOf(c.g, id, id, id, id, c.ids[1-end], 1, 2, 3)
}

// segment is tcpTalk.segment with the addresses that the sender has.
func (c *pptpTalk) segment(from int, flags uint8) packets.TCP {
	p := c.tcpTalk.segment(from, flags, 0)
	if from == 1 {
		p.Dst = c.mapped
	}
	return p
}

// mapping returns what the rules make of a client.
func (s *setting) mapping(client netip.AddrPort) netip.AddrPort {
	addr, port := client.Addr(), client.Port()
	switch {
	case strings.Contains(s.rules, "198.51.100.7"):
		addr = packets.Addr("198.51.100.7")
	case strings.Contains(s.rules, "ip saddr 10.0.0.2") && addr != packets.Addr("10.0.0.2"):
	case strings.Contains(s.rules, "masquerade"):
		addr = packets.Addr("192.0.2.1")
	}
	if strings.Contains(s.rules, "7000") {
		port = 7000
	}
	return netip.AddrPortFrom(addr, port)
}

// message sends a control message of a type from an end.
func (c *pptpTalk) message(from int, typ uint16) {
	g := c.g
	be := binary.BigEndian
	sizes := []int{0, 144, 144, 4, 4, 4, 8, 156, 20, 208, 12, 16, 4, 136, 28, 12}
	b := make([]byte, 12+sizes[typ%16])
	be.PutUint16(b[2:], 1)
	be.PutUint32(b[4:], 0x1a2b3c4d)
	be.PutUint16(b[8:], typ)
	body := b[12:]
	result := uint8(oneOf(g, 1, 1, 1, 1, 1, 1, 1, 2, 0))
	switch typ {
	case 2:
		be.PutUint16(body, 0x100)
		body[2] = result
	case 3, 4:
		body[0] = result
	case 7, 9:
		c.ids[from] = uint16(oneOf(g, 1, 2, 3, 4))
		be.PutUint16(body, c.ids[from])
		if c.seen = c.ids[0]; typ == 7 && c.mapped != c.end[0].at {
			c.seen = c.mapped.Port()
		}
	case 8, 10:
		c.ids[from] = uint16(oneOf(g, 1, 2, 3, 4))
		be.PutUint16(body, c.ids[from])
		be.PutUint16(body[2:], c.someID(from, 1-from))
		if typ == 10 {
			c.seen = c.ids[0]
		}
		body[4] = result
	case 11, 14, 15:
		be.PutUint16(body, c.someID(from, 1-from))
	case 12, 13:
		be.PutUint16(body, c.someID(from, from))
	}
	switch g.IntN(60) {
	case 0:
		b[g.IntN(min(len(b), 16))] ^= uint8(1 << g.IntN(8))
	case 1:
		b = b[:g.IntN(len(b))]
	case 2:
		b = append(b, b...)
	case 3:
		b = append(b, g.bytes(20)...)
	}
	if len(b) >= 2 && !g.chance(2) {
		be.PutUint16(b, uint16(len(b)))
	}
	p := c.segment(from, packets.PSH|packets.ACK)
	p.Data = b
	c.send(from, p)
}

// gre sends a packet of a call.
func (c *pptpTalk) gre(from int) {
	p := packets.GRE{
		Src: c.end[from].at.Addr(), Dst: c.end[1-from].at.Addr(), Version: 1, CallID: c.someID(from, 1-from), Data: []byte("data"),
	}
	if c.g.chance(20) {
		p.HasSeq, p.Seq = true, 1
	}
	if from == 1 {
		p.Dst = c.mapped.Addr()
	}
	c.g.in(netlab.Side(from), p.Bytes())
}

// script sends what a client and a server send, mostly.
func (c *pptpTalk) script() {
	g := c.g
	type step struct {
		from int
		typ  uint16 // 0: a packet of GRE
	}
	steps := oneOf(g,
		[]step{{0, 1}, {1, 2}, {0, 7}, {1, 8}, {0, 0}, {1, 0}, {0, 0}, {0, 12}, {1, 13}, {0, 3}, {1, 4}},
		[]step{{0, 1}, {1, 2}, {0, 7}, {1, 8}, {1, 0}, {0, 0}, {0, 7}, {1, 8}, {0, 0}, {1, 13}, {0, 7}, {1, 8}, {0, 0}},
		[]step{{0, 1}, {1, 2}, {1, 9}, {0, 10}, {1, 11}, {0, 0}, {1, 0}, {1, 13}, {1, 9}, {0, 10}, {1, 11}, {1, 0}, {0, 0}},
	)
	for _, s := range steps {
		switch g.IntN(25) {
		case 0:
			continue
		case 1:
			c.any()
		}
		if s.typ == 0 {
			c.gre(s.from)
		} else {
			c.message(s.from, s.typ)
		}
	}
}

// any does anything. No time passes: expectations of the kernel cannot be made
// older, and with a control connection the entries of its calls go.
func (c *pptpTalk) any() {
	g := c.g
	switch n := g.IntN(20); {
	case n < 12:
		c.message(g.IntN(2), uint16(g.some(1, 16)))
	case n < 18:
		c.gre(g.IntN(2))
	default:
		c.put(g.IntN(2), c.segment(g.IntN(2), oneOf[uint8](g, packets.RST, packets.FIN|packets.ACK, packets.ACK)))
	}
}

// pptpScenario is a control connection or two, with calls.
func pptpScenario(g *gen) {
	var all []*pptpTalk
	n := oneOf(g, 1, 1, 1, 2)
	if strings.Contains(g.set.rules, "nat hook") {
		n = 1 // so that the mapping is known
	}
	for range n {
		c := &pptpTalk{tcpTalk: g.tcpTalk(false), ids: [2]uint16{1, 2}, seen: 1}
		c.mapped = g.set.mapping(c.end[0].at)
		c.end[1].at = netip.AddrPortFrom(c.end[1].at.Addr(), 1723)
		for i := range c.end {
			c.end[i].window, c.end[i].scale = 65535, -1
		}
		c.send(0, c.segment(0, packets.SYN))
		c.send(1, c.segment(1, packets.SYN|packets.ACK))
		c.send(0, c.segment(0, packets.ACK))
		all = append(all, c)
	}
	for _, c := range all {
		c.script()
	}
	for range g.some(0, 12) {
		all[g.IntN(len(all))].any()
	}
}
