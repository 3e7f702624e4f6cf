package engine_test

import (
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "udp", setting: udpSetting, scenario: udpScenario},
		&area{name: "udp-stream", setting: udpSetting, scenario: udpStreams, slow: true},
	)
}

func udpSetting(g *gen) *setting {
	return plain(g, [2]string{"udp_timeout", "17"}, [2]string{"udp_timeout_stream", "91"}, [2]string{"checksum", "0"},
		[2]string{"acct", "0"}, [2]string{"timestamp", "1"})
}

// udpPacket is a datagram, perhaps with a fault.
func (g *gen) udpPacket(p packets.UDP) packets.UDP {
	p.Data = g.bytes(30)
	if !g.chance(25) {
		return p
	}
	switch g.IntN(7) {
	case 0:
		p.Sum.Bad = true
	case 1:
		p.Sum.None = true
	case 2:
		p.Cut = g.some(1, 9)
	case 3:
		p.Length = g.some(1, 40)
	case 4:
		p.Length = packets.Zero
	case 5:
		p.IP.TTL = oneOf(g, packets.Zero, 1, 2, 255)
	case 6:
		p.IP.TOS, p.IP.ID, p.IP.DontFragment = uint8(g.Uint32()), uint16(g.Uint32()), true
	}
	return p
}

// udpScenario is datagrams of a few flows in both directions.
func udpScenario(g *gen) {
	v6 := g.chance(40)
	type flow struct{ c, s packets.UDP }
	var flows []flow
	for range g.some(1, 4) {
		c, s := g.client(v6), g.server(v6)
		flows = append(flows, flow{packets.UDP{Src: c, Dst: s}, packets.UDP{Src: s, Dst: c}})
	}
	for range g.some(5, 40) {
		f := flows[g.IntN(len(flows))]
		switch n := g.IntN(20); {
		case n < 9:
			g.a(g.udpPacket(f.c))
		case n < 17:
			g.b(g.udpPacket(f.s))
		case n < 18:
			g.b(g.udpPacket(f.c)) // from the other side
		case n < 19:
			g.a(g.udpPacket(f.s))
		default:
			g.later(200 * time.Second) // all end: the kernel's own clock decides what is a stream
		}
	}
}

// udpStreams is many flows that last longer than two seconds.
func udpStreams(g *gen) {
	g.merge(200, func() {
		v6 := g.chance(40)
		c, s := g.client(v6), g.server(v6)
		for range g.some(1, 4) {
			for range g.IntN(4) {
				if g.chance(50) {
					g.a(g.udpPacket(packets.UDP{Src: c, Dst: s}))
				} else {
					g.b(g.udpPacket(packets.UDP{Src: s, Dst: c}))
				}
			}
			g.wait(time.Duration(oneOf(g, 300, 700, 2200)) * time.Millisecond)
		}
	})
}
