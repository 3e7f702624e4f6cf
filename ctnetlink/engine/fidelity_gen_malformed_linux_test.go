package engine_test

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "malformed", setting: malformedSetting, scenario: malformedScenario},
		&area{name: "addresses", setting: malformedSetting, scenario: addressScenario},
		&area{name: "options", setting: malformedSetting, scenario: optionScenario},
		&area{name: "extensions", setting: malformedSetting, scenario: extensionScenario},
	)
}

func malformedSetting(g *gen) *setting { return plain(g, [2]string{"checksum", "0"}) }

// anyPacket returns a good packet of any protocol, either way.
func (g *gen) anyPacket(v6 bool) (netlab.Side, []byte) {
	there, back := g.quotable(v6)
	if g.chance(30) {
		return netlab.B, back.Bytes()
	}
	return netlab.A, there.Bytes()
}

// malformedScenario is packets with anything wrong in any place.
func malformedScenario(g *gen) {
	v6 := g.chance(45)
	for range g.some(3, 25) {
		at, p := g.anyPacket(v6)
		switch g.IntN(8) {
		case 0: // the transport header
			hlen := 20
			if v6 {
				hlen = 40
			}
			p[hlen+g.IntN(len(p)-hlen)] = byte(g.Uint32())
		case 1: // the IP header
			p[g.IntN(20)] = byte(g.Uint32())
			fixIPv4(p)
		case 2: // it is cut
			p = p[:g.some(1, len(p))]
		case 3: // something behind it
			p = append(p, g.bytes(20)...)
		case 4: // the length says so
			n := len(p) - g.IntN(len(p))
			if v6 {
				p[4], p[5] = byte((n-40)>>8), byte(n-40)
			} else {
				p[2], p[3] = byte(n>>8), byte(n)
				fixIPv4(p)
			}
		case 5: // without right sums
			p[g.IntN(len(p))] ^= 1 << g.IntN(8)
		case 6:
			p = g.damaged(p)
		}
		// A fragment waits in the kernel beyond the scenario.
		if len(p) >= 20 && p[0]>>4 == 4 && (p[6]&0x3f != 0 || p[7] != 0) {
			p[6], p[7] = p[6]&0xc0, 0
			fixIPv4(p)
		}
		g.in(at, p)
	}
}

// fixIPv4 makes the header's checksum right if the packet is IPv4.
func fixIPv4(p []byte) {
	if hlen := int(p[0]&15) * 4; p[0]>>4 == 4 && hlen >= 20 && hlen <= len(p) {
		p[10], p[11] = 0, 0
		sum := packets.Checksum(p[:hlen])
		p[10], p[11] = byte(sum>>8), byte(sum)
	}
}

// addressScenario is packets from and to addresses of all kinds.
func addressScenario(g *gen) {
	special := []string{"0.0.0.0", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "10.0.0.1", "192.0.2.1",
		"240.0.0.1", "169.254.1.1", "10.0.0.2", "192.0.2.2", "198.51.100.7", "0.1.2.3"}
	v6 := g.chance(50)
	if v6 {
		special = []string{"::", "::1", "fe80::1", "ff02::1", "ff0e::1234", "ff01::1", "ff00::", "fd00:a::1", "fd00:b::1",
			"fd00:a::2", "fd00:b::2", "2001:db8::7", "::ffff:10.0.0.2", "fec0::1", "ff05::2"}
	}
	for range g.some(2, 12) {
		src, dst := packets.Addr(oneOf(g, special...)), packets.Addr(oneOf(g, special...))
		h := packets.IP{TTL: oneOf(g, 0, 0, 0, packets.Zero, 1, 2, 255)}
		if !v6 && g.chance(15) {
			h.Options = oneOf(g,
				[]byte{1, 1, 1, 0}, []byte{0x83, 7, 4, 198, 51, 100, 9, 0}, []byte{0x89, 7, 4, 198, 51, 100, 9, 0},
				[]byte{7, 7, 4, 0, 0, 0, 0, 0}, []byte{7, 0, 4, 0}, []byte{0x94, 4, 0, 0}, []byte{7, 40, 4, 0},
				[]byte{0x44, 8, 5, 0, 0, 0, 0, 0})
		}
		var p builder
		switch g.IntN(4) {
		case 0:
			p = packets.ICMP{Src: src, Dst: dst, Type: oneOf[uint8](g, 8, 128, 0, 129), IP: h}
		case 1:
			p = packets.TCP{Src: netip.AddrPortFrom(src, 99), Dst: netip.AddrPortFrom(dst, 80), Flags: packets.SYN, IP: h}
		default:
			p = packets.UDP{Src: netip.AddrPortFrom(src, uint16(oneOf(g, 0, 99, 68))),
				Dst: netip.AddrPortFrom(dst, uint16(oneOf(g, 0, 53, 67))), IP: h}
		}
		// The route of the laboratory leads from b to link-local addresses.
		if g.chance(50) || dst.IsLinkLocalUnicast() {
			g.a(p)
		} else {
			g.b(p)
		}
	}
}

// extensionScenario is IPv6 packets with extension headers, good and bad.
func extensionScenario(g *gen) {
	for range g.some(3, 20) {
		c, s := g.client(true), g.server(true)
		p := packets.UDP{Src: c, Dst: s, Data: g.bytes(10)}
		for range oneOf(g, 0, 1, 1, 2, 3) {
			p.IP.Extensions = append(p.IP.Extensions, g.extension())
		}
		b := p.Bytes()
		if g.chance(15) {
			b = b[:g.some(40, len(b))]
			if g.chance(50) {
				b[4], b[5] = byte((len(b)-40)>>8), byte(len(b)-40)
			}
		}
		g.in(netlab.A, b)
	}
}

func (g *gen) extension() packets.Extension {
	option := func() []byte {
		return oneOf(g, nil, []byte{5, 2, 0, 0}, []byte{5, 3, 0, 0, 0}, []byte{0x1e, 0}, []byte{0x5e, 1, 7}, []byte{0x9e, 0},
			[]byte{0xde, 0}, []byte{0xc2, 4, 0, 1, 0, 0}, []byte{1, 0}, []byte{1, 2, 0, 7}, []byte{0, 0, 0, 0, 0, 0, 0, 0},
			[]byte{0x1e, 200}, g.bytes(14))
	}
	x := oneOf(g, packets.HopByHop(option()...), packets.Destination(option()...),
		packets.Routing(oneOf[uint8](g, 0, 2, 3, 4), uint8(g.IntN(3))), packets.Authentication(g.Uint32(), 1),
		packets.Extension{Type: packets.ExtNone, Data: nil},
		packets.Extension{Type: oneOf[uint8](g, 135, 139, 140, 253), Data: []byte{0, 1, 4, 0, 0, 0, 0}})
	if g.chance(10) && len(x.Data) > 0 {
		x.Data[0] = byte(oneOf(g, 0, 1, 2, 255))
	}
	if g.chance(5) {
		x.Next = oneOf(g, packets.Zero, packets.ExtNone, packets.ProtoUDP, 253)
	}
	return x
}

// optionScenario is IPv4 and IPv6 packets with options, good and bad.
func optionScenario(g *gen) {
	v6 := g.chance(50)
	for range g.some(3, 20) {
		c, s := g.client(v6), g.server(v6)
		if g.chance(10) {
			own := "10.0.0.1"
			if v6 {
				own = "fd00:a::1"
			}
			s = netip.AddrPortFrom(packets.Addr(own), s.Port())
		}
		var options []byte
		for range g.some(1, 5) {
			options = append(options, g.option(v6)...)
		}
		p := packets.UDP{Src: c, Dst: s, Data: g.bytes(10)}
		if v6 {
			p.IP.Extensions = []packets.Extension{packets.HopByHop(options...)}
		} else {
			options = options[:min(len(options), 40)]
			for len(options)%4 != 0 {
				options = append(options, byte(g.IntN(2)))
			}
			p.IP.Options = options
		}
		g.in(netlab.A, p.Bytes())
	}
}

// option returns an IPv4 option or an IPv6 hop-by-hop option, mostly a good one.
func (g *gen) option(v6 bool) []byte {
	types := []byte{0, 1, 1, 1, 7, 7, 68, 68, 130, 131, 134, 136, 137, 148, 148, 25, 200}
	if v6 {
		types = []byte{0, 0, 1, 1, 5, 5, 7, 0x1e, 0x1e, 0x1e, 0x31, 0x3e, 0x5e, 0x9e, 0xc2, 0xde, 4, 0x26}
	}
	typ := oneOf(g, types...)
	if typ == 0 || typ == 1 && !v6 {
		return []byte{typ}
	}
	n := oneOf(g, 2, 3, 4, 7, 8, 11, 12)
	if v6 {
		n = oneOf(g, 2, 2, 4, 4, 6, 8)
	}
	b := make([]byte, n)
	b[0], b[1] = typ, byte(n)
	if v6 {
		b[1] = byte(n - 2)
	} else if n > 2 {
		b[2] = byte(g.some(3, n+2)) // a pointer
	}
	if n > 3 && g.chance(50) {
		b[3] = byte(g.IntN(256))
	}
	if g.chance(5) {
		b[1] = byte(g.IntN(20))
	}
	return b
}
