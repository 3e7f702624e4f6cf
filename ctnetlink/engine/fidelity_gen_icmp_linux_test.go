package engine_test

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "icmp", setting: icmpSetting, scenario: icmpScenario},
		&area{name: "icmp-error", setting: icmpSetting, scenario: icmpErrors},
	)
}

func icmpSetting(g *gen) *setting {
	return plain(g, [2]string{"icmp_timeout", "23"}, [2]string{"icmpv6_timeout", "29"}, [2]string{"checksum", "0"})
}

// icmpScenario is requests and answers, and other messages, with few ids.
func icmpScenario(g *gen) {
	v6 := g.chance(50)
	c, s := g.client(v6).Addr(), g.server(v6).Addr()
	types := []uint8{8, 0, 13, 14, 15, 16, 17, 18}
	if v6 {
		types = []uint8{128, 129, 139, 140}
	}
	for range g.some(3, 30) {
		p := packets.ICMP{Src: c, Dst: s, Type: oneOf(g, types...), ID: uint16(g.IntN(2)), Seq: uint16(g.IntN(3)), Data: g.bytes(40)}
		p.Code = uint8(oneOf(g, 0, 0, 0, 5))
		from := netlab.A
		if g.chance(45) {
			from, p.Src, p.Dst = netlab.B, s, c
		}
		switch g.IntN(30) {
		case 0:
			p.Sum.Bad = true
		case 1:
			p.Cut = g.some(1, 9)
		case 2, 3:
			p.Type = uint8(g.IntN(256))
		case 4:
			p.IP.TTL = oneOf(g, packets.Zero, 1, 255)
		case 5:
			if v6 { // ndisc and the like
				p.Type, p.IP.TTL = uint8(g.some(130, 155)), 255
				p.Src = packets.Addr("fe80::1")
			}
		case 6:
			g.later(time.Duration(oneOf(g, 10, 40)) * time.Second)
		}
		g.in(from, p.Bytes())
	}
}

// quotable makes a packet of a flow and its answer.
func (g *gen) quotable(v6 bool) (there, back builder) {
	c, s := g.client(v6), g.server(v6)
	switch g.IntN(6) {
	case 0:
		return packets.Echo(c.Addr(), s.Addr(), c.Port(), 1, false), packets.Echo(s.Addr(), c.Addr(), c.Port(), 1, true)
	case 1:
		return packets.TCP{Src: c, Dst: s, Flags: packets.SYN, Seq: 1000},
			packets.TCP{Src: s, Dst: c, Flags: packets.SYN | packets.ACK, Seq: 5000, Ack: 1001}
	case 2:
		return packets.SCTP{Src: c, Dst: s, Chunks: []packets.Chunk{packets.InitChunk(packets.ChunkInit, 7)}},
			packets.SCTP{Src: s, Dst: c, Tag: 7, Chunks: []packets.Chunk{packets.InitChunk(packets.ChunkInitAck, 9)}}
	case 3:
		return packets.GRE{Src: c.Addr(), Dst: s.Addr(), Data: []byte("12345678")},
			packets.GRE{Src: s.Addr(), Dst: c.Addr(), Data: []byte("12345678")}
	case 4:
		return packets.IP{Src: c.Addr(), Dst: s.Addr(), Proto: packets.ProtoESP, Payload: []byte("12345678")},
			packets.IP{Src: s.Addr(), Dst: c.Addr(), Proto: packets.ProtoESP, Payload: []byte("12345678")}
	}
	return packets.UDP{Src: c, Dst: s, Data: []byte("question")}, packets.UDP{Src: s, Dst: c, Data: []byte("answer")}
}

// icmpErrors is errors about packets of flows that are known or not.
func icmpErrors(g *gen) {
	v6 := g.chance(45)
	var flows [][2]builder
	for range g.some(1, 3) {
		there, back := g.quotable(v6)
		flows = append(flows, [2]builder{there, back})
		if g.chance(85) {
			g.a(there)
		}
		if g.chance(50) {
			g.b(back)
		}
	}
	router := oneOf(g, "10.0.0.254", "192.0.2.254", "198.51.100.1")
	if v6 {
		router = oneOf(g, "fd00:a::254", "fd00:b::254", "2001:db8::1")
	}
	for range g.some(2, 15) {
		f := flows[g.IntN(len(flows))]
		which := g.IntN(2)
		about := f[which].Bytes()
		dst := sourceOf(about)
		if g.chance(8) {
			dst = g.client(v6).Addr()
		}
		src := packets.Addr(router)
		if g.chance(30) {
			src = destinationOf(about)
		}
		if g.chance(10) {
			about = g.damaged(about)
		}
		p := packets.Error(src, dst, g.errorType(v6), uint8(g.IntN(6)), about, oneOf(g, 0, 0, 0, 28, 24, 20, 48, 44, 40, g.IntN(60)))
		if g.chance(10) {
			p.Data = packets.Error(packets.Addr(router), dst, g.errorType(v6), 0, about, 0).Bytes()
		}
		if g.chance(5) {
			p.Sum.Bad = true
		}
		if g.chance(5) {
			p.Cut = g.some(1, 40)
		}
		p.ID, p.Seq = uint16(oneOf(g, 0, g.IntN(65536))), uint16(oneOf(g, 0, 1400))
		at := netlab.B
		if which == 1 != g.chance(10) {
			at = netlab.A
		}
		g.in(at, p.Bytes())
		if g.chance(20) {
			g.in(netlab.Side(which), f[which].Bytes())
		}
	}
}

func (g *gen) errorType(v6 bool) uint8 {
	if v6 {
		return oneOf[uint8](g, 1, 1, 2, 3, 4, 100, 127, 0)
	}
	return oneOf[uint8](g, 3, 3, 4, 5, 11, 12)
}

// damaged returns a packet with some bytes changed.
func (g *gen) damaged(p []byte) []byte {
	p = append([]byte(nil), p...)
	for range g.some(1, 3) {
		p[g.IntN(len(p))] = byte(g.Uint32())
	}
	return p
}

func sourceOf(p []byte) netip.Addr {
	if p[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(p[12:]))
	}
	return netip.AddrFrom16([16]byte(p[8:]))
}

func destinationOf(p []byte) netip.Addr {
	if p[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(p[16:]))
	}
	return netip.AddrFrom16([16]byte(p[24:]))
}
