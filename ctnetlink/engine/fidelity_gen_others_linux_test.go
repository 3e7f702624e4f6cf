package engine_test

import (
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "udplite", setting: othersSetting, scenario: udpliteScenario},
		&area{name: "gre", setting: othersSetting, scenario: greScenario},
		&area{name: "generic", setting: othersSetting, scenario: genericScenario},
		&area{name: "mixed", setting: othersSetting, scenario: mixedScenario},
	)
}

func othersSetting(g *gen) *setting {
	return plain(g, [2]string{"udp_timeout", "17"}, [2]string{"gre_timeout", "19"}, [2]string{"gre_timeout_stream", "171"},
		[2]string{"generic_timeout", "601"}, [2]string{"checksum", "0"}, [2]string{"acct", "0"})
}

// udpliteScenario is datagrams whose checksums the kernel takes for right, or
// not, or that are right.
func udpliteScenario(g *gen) {
	v6 := g.chance(40)
	c, s := g.client(v6), g.server(v6)
	for range g.some(3, 20) {
		p := packets.UDPLite{Src: c, Dst: s, Data: g.bytes(30), PseudoProto: packets.ProtoUDP}
		back := g.chance(45)
		if back {
			p.Src, p.Dst = s, c
		}
		p.Coverage = uint16(oneOf(g, 0, 0, 8, 8+len(p.Data), 9, 20, g.IntN(60)))
		switch g.IntN(12) {
		case 0:
			p.PseudoProto = 0
		case 1:
			p.Sum.None = true
		case 2:
			p.Sum.Bad = true
		case 3:
			p.Cut = g.some(1, 9)
		}
		if back {
			g.b(p)
		} else {
			g.a(p)
		}
		if g.chance(3) {
			g.later(200 * time.Second)
		}
	}
}

// greScenario is GRE of both versions between few hosts.
func greScenario(g *gen) {
	v6 := g.chance(30)
	for range g.some(3, 20) {
		p := packets.GRE{Src: g.client(v6).Addr(), Dst: g.server(v6).Addr(), Data: g.bytes(20)}
		p.Version = uint8(oneOf(g, 0, 0, 0, 1, 1, 1, 2, 7))
		p.CallID = uint16(oneOf(g, 1, 2))
		p.Key, p.HasKey = g.Uint32(), g.chance(30)
		p.Seq, p.HasSeq = g.Uint32(), g.chance(40)
		p.Proto = oneOf(g, 0, 0, 0, 0, 0x880b, 0x6558, packets.Zero)
		if g.chance(10) {
			p.Cut = g.some(1, 12)
		}
		if g.chance(45) {
			p.Src, p.Dst = p.Dst, p.Src
			g.b(p)
		} else {
			g.a(p)
		}
		if g.chance(4) {
			g.later(time.Duration(oneOf(g, 20, 40, 100, 200)) * time.Second)
		}
	}
}

// genericScenario is packets of protocols that are not known.
func genericScenario(g *gen) {
	v6 := g.chance(40)
	for range g.some(3, 20) {
		p := packets.IP{Src: g.client(v6).Addr(), Dst: g.server(v6).Addr(), Payload: g.bytes(30)}
		p.Proto = uint8(oneOf(g, 0, 2, 4, 33, 41, 50, 51, 89, 103, 255, g.IntN(256)))
		switch p.Proto {
		case packets.ExtHopByHop, packets.ExtRouting, packets.ExtFragment, packets.ExtDestination, packets.ExtAH:
			if v6 {
				p.Proto = packets.ProtoESP // extension headers are an area of their own
			}
		}
		if g.chance(45) {
			p.Src, p.Dst = p.Dst, p.Src
			g.b(p)
		} else {
			g.a(p)
		}
		if g.chance(4) {
			g.later(time.Duration(oneOf(g, 20, 300, 700)) * time.Second)
		}
	}
}

// mixedScenario is flows of several protocols at the same time.
func mixedScenario(g *gen) {
	g.merge(g.some(2, 5), func() {
		n := g.IntN(7)
		[]func(*gen){udpScenario, icmpScenario, tcpScenario, tcpWild, sctpScenario, greScenario, genericScenario}[n](g)
		for i, m := range g.moves {
			if m.jump > 0 { // those of other protocols may not
				g.moves[i].jump = 200 * time.Second
			}
		}
	})
}
