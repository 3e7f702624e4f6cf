package engine_test

import (
	"fmt"
	"net/netip"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "fragments", setting: fragmentSetting, scenario: fragmentScenario},
		&area{name: "fragments-rules", setting: fragmentRules, scenario: fragmentScenario})
}

// fragmentSetting lets incomplete sets end soon, since they outlive a scenario.
func fragmentSetting(g *gen) *setting {
	set := plain(g, [2]string{"checksum", "0"}, [2]string{"net.ipv4.ipfrag_max_dist", oneOf(g, "0", "5")})
	set.sysctls = append(set.sysctls, [2]string{"net.ipv4.ipfrag_time", "3"}, [2]string{"frag6_timeout", "3"})
	return set
}

// fragmentRules translates packets that come in fragments, or excludes them from
// tracking before they are put together or behind that.
func fragmentRules(g *gen) *setting {
	set := fragmentSetting(g)
	set.rules = rulesOf(oneOf(g,
		[2]string{postNAT, "ip saddr 10.0.0.0/24 oif b snat to 192.0.2.1\nip6 saddr fd00:a::/64 oif b snat to fd00:b::1"},
		[2]string{postNAT, "masquerade"},
		[2]string{postNAT, "meta l4proto udp ip saddr 10.0.0.0/24 snat to 192.0.2.1:3000-3001"},
		[2]string{preNAT, "iif a ip daddr 192.0.2.0/24 dnat to 192.0.2.9\niif a ip6 daddr fd00:b::/64 dnat to fd00:b::9"},
		[2]string{preNAT, "meta l4proto udp redirect to :99"},
		[2]string{fmt.Sprintf("type filter hook prerouting priority %d", oneOf(g, -450, -401, -399, -300, -201)),
			oneOf(g, "notrack", "meta l4proto udp notrack", "ip6 saddr fd00:a::/64 notrack")},
		[2]string{"type filter hook forward priority 0", "meta l4proto udp drop"},
		[2]string{"type filter hook prerouting priority -150", "ip daddr 192.0.2.2 drop"},
	))
	return set
}

// fragmentScenario is packets in pieces, in any order, some of them missing,
// repeated, overlapping or otherwise wrong.
func fragmentScenario(g *gen) {
	v6 := g.chance(50)
	type piece struct {
		at netlab.Side
		b  []byte
	}
	var all, last []piece
	for range g.some(1, 4) {
		c, s := g.client(v6), g.server(v6)
		at := netlab.A
		if g.chance(30) {
			at, c, s = netlab.B, s, c
		}
		if g.chance(15) { // to this machine, perhaps as an answer to what was translated
			own := oneOf(g, "10.0.0.1", "192.0.2.1", "192.0.2.1")
			if v6 {
				own = oneOf(g, "fd00:a::1", "fd00:b::1", "fd00:b::1")
			}
			s = netip.AddrPortFrom(packets.Addr(own), s.Port())
		}
		h := packets.IP{DontFragment: g.chance(20), TOS: uint8(oneOf(g, 0, 0, 1, 2, 3)), TTL: oneOf(g, 0, 0, 0, 0, 1, 2)}
		if !v6 && g.chance(10) {
			h.Options = []byte{1, 1, 1, 0}
		}
		if v6 && g.chance(20) {
			h.Extensions = []packets.Extension{oneOf(g, packets.HopByHop(), packets.Destination(), packets.Routing(4, 0))}
		}
		data := make([]byte, oneOf(g, 8, 30, 100, 500, 2000))
		var b []byte
		switch g.IntN(4) {
		case 0:
			b = packets.TCP{Src: c, Dst: s, Flags: packets.SYN, Seq: 1000, Data: data, IP: h}.Bytes()
		case 1:
			e := packets.Echo(c.Addr(), s.Addr(), 77, 1, false)
			e.Data, e.IP = data, h
			b = e.Bytes()
		default:
			b = packets.UDP{Src: c, Dst: s, Data: data, Sum: packets.Sum{Bad: g.chance(10)}, IP: h}.Bytes()
		}
		id := uint32(g.IntN(1<<16-1) + 1)
		size := oneOf(g, 8, 16, 24, 64, 256, 1024)
		if len(data)/size > 20 {
			size = 256
		}
		hlen := 40
		if !v6 {
			hlen = int(b[0]&15) * 4
		} else if b[6] == packets.ExtHopByHop {
			hlen = 48
		}
		list := packets.Fragments(b, id, size)
		list = shuffle(g, 40, list)
		switch g.IntN(10) {
		case 0:
			list = list[1:]
		case 1:
			list = append(list, list[g.IntN(len(list))])
		case 2, 3: // an overlap
			from := g.IntN(len(b)-hlen) &^ 7
			to := min(from+8*g.some(1, 4), len(b)-hlen)
			list = append(list, packets.Piece(b, id, from, max(to, from+1), g.chance(60)))
			list = shuffle(g, 70, list)
		case 4: // not a multiple of 8
			from := g.IntN(len(b)-hlen) &^ 7
			list = append(list, packets.Piece(b, id, from, from+g.some(1, 20), true))
			list = shuffle(g, 70, list)
		case 5: // an atomic fragment, or nothing but a header
			list = append(list, packets.Piece(b, oneOf(g, id, id^0x5555), 0, oneOf(g, 0, len(b)-hlen), false))
			list = shuffle(g, 70, list)
		case 6: // beyond the end
			list = append(list, packets.Piece(b, id, 65528-8*g.IntN(3), 65528+g.some(0, 30), g.chance(50)))
			list = shuffle(g, 70, list)
		case 7:
			i := g.IntN(len(list))
			list[i] = list[i][:g.some(min(20, len(list[i])), len(list[i]))]
		}
		if g.chance(20) && len(list) > 0 { // other header fields in one of them
			b := list[g.IntN(len(list))]
			if at := oneOf(g, 1, 8); b[0]>>4 == 4 {
				b[at] = byte(oneOf(g, 0, 1, 2, 3, 64))
				fixIPv4(b)
			} else if at == 1 {
				b[1] = byte(g.IntN(4)) << 4
			} else {
				b[7] = byte(oneOf(g, 0, 1, 2, 64))
			}
		}
		if g.chance(10) { // all again
			list = append(list, packets.Fragments(b, id, size)...)
		}
		for _, f := range list {
			all = append(all, piece{at, f})
		}
		for _, id := range []uint32{id, id ^ 0x5555} {
			last = append(last, piece{at, spoiling(b, id)})
		}
	}
	for _, p := range append(shuffle(g, 30, all), last...) {
		g.in(p.at, p.b)
	}
}

// spoiling returns a fragment that ends a set, so that it does not wait for
// fragments of another scenario: an empty one in IPv4, one whose length is no
// multiple of 8 in IPv6.
func spoiling(b []byte, id uint32) []byte {
	if b[0]>>4 == 4 {
		return packets.Piece(b, id, 0, 0, true)
	}
	return packets.Piece(b, id, 8, 9, true)
}
