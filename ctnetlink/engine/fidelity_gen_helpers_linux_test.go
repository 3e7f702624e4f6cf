package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	for _, h := range []struct {
		name     string
		proto    string
		port     int
		scenario func(*gen)
	}{
		{"ftp", "tcp", 21, ftpScenario}, {"tftp", "udp", 69, tftpScenario}, {"irc", "tcp", 6667, ircScenario},
		{"amanda", "udp", 10080, amandaScenario}, {"sane", "tcp", 6566, saneScenario}, {"sip", "udp", 5060, sipScenario},
	} {
		areas = append(areas, &area{name: h.name, scenario: h.scenario,
			setting: func(g *gen) *setting { return helperSetting(g, h.name, h.proto, h.port) }})
	}
}

// helperSetting has a rule that gives the connections to a port a helper, and
// perhaps NAT.
func helperSetting(g *gen, name, proto string, port int) *setting {
	set := &setting{expects: true}
	set.v6 = g.chance(15) && name != "irc"
	l3 := "ip"
	if set.v6 {
		l3 = "ip6"
	}
	text := fmt.Sprintf("table inet test {\n\tct helper h {\n\t\ttype \"%s\" protocol %s\n\t\tl3proto %s\n\t}\n", name, proto, l3)
	nf := "ipv4"
	if set.v6 {
		nf = "ipv6"
	}
	hook := oneOf(g, "prerouting priority 0", "prerouting priority -150", "forward priority 0")
	rule := fmt.Sprintf("meta nfproto %s %s dport %d ct helper set \"h\"", nf, proto, port)
	text += fmt.Sprintf("\tchain h1 {\n\t\ttype filter hook %s;\n\t\t%s\n%s\t}\n", hook, rule,
		oneOf(g, "", "", "\t\tct state new ct mark set 7\n", "\t\tct state related ct mark set 9\n"))
	if g.chance(50) {
		set.translates = true
		pre, post := "", ""
		if !set.v6 {
			pre = oneOf(g, "", "", "ip daddr 192.0.2.2 dnat ip to 192.0.2.3\n", "ip daddr 192.0.2.1 dnat ip to 192.0.2.4\n")
			post = oneOf(g, "", "ip saddr 10.0.0.0/24 snat ip to 192.0.2.1\n", "ip saddr 10.0.0.0/24 masquerade\n",
				"ip saddr 10.0.0.0/24 snat ip to 198.51.100.200\n", "ip saddr 10.0.0.2 meta l4proto { tcp, udp } snat ip to 192.0.2.1:2000-2003\n")
		} else {
			post = "ip6 saddr fd00:a::/64 snat ip6 to fd00:b::1\n"
		}
		text += fmt.Sprintf("\tchain n1 {\n\t\t%s;\n\t\t%s\t}\n\tchain n2 {\n\t\t%s;\n\t\t%s\t}\n", preNAT, pre, postNAT, post)
	}
	set.rules = text + "}\n"
	return set
}

// helped returns the ends of a connection with a helper's port.
func (g *gen) helped(port uint16) (c, s netip.AddrPort) {
	c, s = g.client(g.set.v6), g.server(g.set.v6, port, port, port, port, port, port, port, port, 99)
	c = netip.AddrPortFrom(c.Addr(), oneOf[uint16](g, 1000, 1001, 40000))
	if g.chance(10) && !g.set.v6 {
		s = netip.AddrPortFrom(packets.Addr("192.0.2.1"), s.Port())
	}
	return c, s
}

// helpedTalk is an established TCP connection.
func (g *gen) helpedTalk(port uint16) *tcpTalk {
	t := g.tcpTalk(g.set.v6)
	for i := range t.end {
		t.end[i].window, t.end[i].scale = 60000, -1
	}
	t.end[0].at, t.end[1].at = g.helped(port)
	const S, A = packets.SYN, packets.ACK
	t.send(0, t.segment(0, S, 0))
	t.send(1, t.segment(1, S|A, 0))
	t.send(0, t.segment(0, A, 0))
	return t
}

// garbled returns text of which a character is perhaps lost, doubled or replaced.
func (g *gen) garbled(text string) string {
	for len(text) > 0 && g.chance(12) {
		i := g.IntN(len(text))
		switch g.IntN(4) {
		case 0:
			text = text[:i] + text[i+1:]
		case 1:
			text = text[:i] + text[i:i+1] + text[i:]
		case 2:
			text = text[:i] + oneOf(g, " ", "\r", "\n", "\t", "1", "0", ":", ";", ",", "(", "a", "A", "@", ".", "\x01", "=") + text[i+1:]
		case 3:
			text = text[:i] + oneOf(g, " ", "\r\n", "\r\n ", "9", "00", "x", "sip:", "UDP ", "m=", "c=") + text[i:]
		}
	}
	return text
}

// say sends text, perhaps in pieces or again; the last packet is that of flow.
func (c *tcpTalk) say(from, flow int, text string) {
	g := c.g
	text = g.garbled(text)
	p := c.segment(from, packets.ACK|packets.PSH, 0)
	p.Data = []byte(text)
	if g.chance(6) && len(text) > 2 {
		n := g.some(1, len(text)-1)
		q := p
		p.Data = p.Data[:n]
		c.sayPacket(from, flow, p)
		p = q
		p.Seq += uint32(n)
		p.Data = p.Data[n:]
	}
	c.sayPacket(from, flow, p)
	if g.chance(5) {
		c.sayPacket(from, flow, p)
	}
	if g.chance(70) {
		ack := c.segment(1-from, packets.ACK, 0)
		c.put(1-from, ack)
	}
}

func (c *tcpTalk) sayPacket(from, flow int, p packets.TCP) {
	x, y := &c.end[from], &c.end[1-from]
	if end := p.Seq + uint32(len(p.Data)); int32(end-x.next) > 0 {
		x.next, y.got = end, end
	}
	c.g.moves = append(c.g.moves, move{packet: p.Bytes(), at: netlab.Side(from), flow: flow})
}

// dataOf returns the payload of a TCP or UDP packet.
func dataOf(p []byte) []byte {
	proto, at, ok := transportOf(p)
	switch {
	case !ok || len(p) < at+8:
		return nil
	case proto == packets.ProtoTCP && len(p) >= at+20 && len(p) >= at+int(p[at+12]>>4)*4:
		return p[at+int(p[at+12]>>4)*4:]
	case proto == packets.ProtoUDP:
		return p[at+8:]
	}
	return nil
}

// connects sends the packets of a connection whose first packet comes from a
// device, to where f says, which reads how the flow's packet left.
func (g *gen) connects(from, flow, n int, client netip.AddrPort, f func(left []byte) (to netip.AddrPort, ok bool)) {
	seq := g.Uint32()
	own := 1000 + flow // the flow of the new connection
	syn := move{at: netlab.Side(from), flow: flow, other: own, answer: func(left []byte) []byte {
		to, ok := f(left)
		if !ok || to.Addr().Is4() != client.Addr().Is4() {
			return nil
		}
		return packets.TCP{Src: client, Dst: to, Flags: packets.SYN, Seq: seq}.Bytes()
	}}
	g.moves = append(g.moves, syn)
	if n > 1 {
		g.moves = append(g.moves, move{at: netlab.Side(1 - from), flow: own, answer: func(left []byte) []byte {
			src, dst := endsOf(left)
			return packets.TCP{Src: dst, Dst: src, Flags: packets.SYN | packets.ACK, Seq: 77, Ack: seq + 1}.Bytes()
		}})
	}
	if n > 2 {
		syn.answer = func(left []byte) []byte {
			to, ok := f(left)
			if !ok || to.Addr().Is4() != client.Addr().Is4() {
				return nil
			}
			return packets.TCP{Src: client, Dst: to, Flags: packets.ACK, Seq: seq + 1, Ack: 78}.Bytes()
		}
		g.moves = append(g.moves, syn)
	}
}

// ftpAddress finds the address and port in a line of FTP.
func ftpAddress(left []byte, peer netip.Addr) (to netip.AddrPort, ok bool) {
	text := string(dataOf(left))
	if strings.Contains(text, "|") {
		f := strings.Split(text[strings.Index(text, "|")+1:], "|")
		if len(f) < 3 {
			return to, false
		}
		port, err := strconv.ParseUint(f[2], 10, 16)
		if addr, err := netip.ParseAddr(f[1]); err == nil {
			peer = addr
		}
		return netip.AddrPortFrom(peer, uint16(port)), err == nil
	}
	var n []uint64
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		v, _ := strconv.ParseUint(f, 10, 8)
		n = append(n, v)
	}
	if len(n) < 6 {
		return to, false
	}
	n = n[len(n)-6:]
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n[0]), byte(n[1]), byte(n[2]), byte(n[3])}), uint16(n[4]<<8|n[5])), true
}

// ftpScenario is a control connection with commands that announce addresses, right
// and wrong ones, and the data connections.
func ftpScenario(g *gen) {
	n := 0
	g.merge(oneOf(g, 1, 1, 2), func() {
		n++
		t := g.helpedTalk(21)
		if g.chance(90) {
			t.say(1, 0, "220 ready\r\n")
			t.say(0, 0, "USER x\r\n")
			t.say(1, 0, oneOf(g, "331 yes\r\n", "331-yes\r\n331 no\r\n", "331 yes"))
		}
		for range g.some(1, 4) {
			n += 10
			port := oneOf(g, 6000, 6001, 80, 1000, 65535, g.some(1, 65535))
			if g.chance(50) {
				t.say(0, n, g.ftpCommand(t.end[0].at.Addr(), port))
				t.say(1, 0, "200 ok\r\n")
				from := netip.AddrPortFrom(t.end[1].at.Addr(), oneOf[uint16](g, 20, 20, 3000))
				if g.chance(5) {
					from = netip.AddrPortFrom(g.server(g.set.v6).Addr(), 20)
				}
				if g.chance(70) {
					g.connects(1, n, g.some(1, 3), from, func(left []byte) (netip.AddrPort, bool) {
						src, _ := endsOf(left)
						return ftpAddress(left, src.Addr())
					})
				}
			} else {
				t.say(0, 0, oneOf(g, "PASV\r\n", "EPSV\r\n"))
				t.say(1, n, g.ftpAnswer(t.end[1].at.Addr(), port))
				from := netip.AddrPortFrom(t.end[0].at.Addr(), oneOf[uint16](g, 5001, 5002))
				if g.chance(10) {
					from = g.client(g.set.v6)
				}
				if g.chance(70) {
					g.connects(0, n, g.some(1, 3), from, func(left []byte) (netip.AddrPort, bool) {
						src, _ := endsOf(left)
						return ftpAddress(left, src.Addr())
					})
				}
			}
			if g.chance(10) {
				g.later(time.Duration(oneOf(g, 5, 100, 400)) * time.Second)
			}
		}
		if g.chance(20) {
			t.send(0, t.segment(0, oneOf[uint8](g, packets.RST, packets.FIN|packets.ACK), 0))
		}
	})
}

func commas(a netip.Addr, port int) string {
	b := a.AsSlice()
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d", b[0], b[1], b[2], b[3], port>>8, port&255)
}

func (g *gen) ftpCommand(a netip.Addr, port int) string {
	if g.chance(5) {
		a = g.client(a.Is6()).Addr()
	}
	af := 1
	if a.Is6() {
		af = 2
		return oneOf(g, fmt.Sprintf("EPRT |2|%s|%d|\r\n", a, port), fmt.Sprintf("EPRT |2|%s|%d|\r\n", a.StringExpanded(), port),
			fmt.Sprintf("EPRT |1|10.0.0.2|%d|\r\n", port), "PORT 10,0,0,2,4,5\r\n")
	}
	if g.chance(60) {
		return oneOf(g, "PORT "+commas(a, port)+"\r\n", "PORT "+commas(a, port)+"\r\n", "port "+commas(a, port)+"\r\n",
			"PORT "+commas(a, port)+"\n", "PORT "+commas(a, port), "PORT  "+commas(a, port)+"\r\n", " PORT "+commas(a, port)+"\r\n",
			"PORT "+commas(a, port)+",9\r\n", "PORT 10,0,0\r\n", "PORT "+commas(a, 0)+"\r\n", "PORT 10,0,0,002,100,05\r\n",
			"PORT 10,0,0,2,256,5\r\n", "NOOP\r\nPORT "+commas(a, port)+"\r\n", "PORT "+commas(a, port)+"\rX", "PORTX\r\n")
	}
	return oneOf(g, fmt.Sprintf("EPRT |%d|%s|%d|\r\n", af, a, port), fmt.Sprintf("EPRT |%d|%s|%d|\r\n", af, a, port),
		fmt.Sprintf("eprt !%d!%s!%d!\r\n", af, a, port), fmt.Sprintf("EPRT |2|%s|%d|\r\n", a, port), fmt.Sprintf("EPRT |%d|%s|%d\r\n", af, a, port),
		fmt.Sprintf("EPRT |%d|%s|0|\r\n", af, a), fmt.Sprintf("EPRT |%d|%s|70000|\r\n", af, a), fmt.Sprintf("EPRT  |%d|%s|%d|\r\n", af, a, port),
		fmt.Sprintf("EPRT 1%d1%s1%d1\r\n", af, a, port))
}

func (g *gen) ftpAnswer(a netip.Addr, port int) string {
	if a.Is4() && g.chance(60) {
		if g.chance(10) {
			a = g.server(false).Addr()
		}
		c := commas(a, port)
		return oneOf(g, "227 Entering Passive Mode ("+c+").\r\n", "227 Entering Passive Mode ("+c+").\r\n", "227 =["+c+"]\r\n", "227 "+c+"\r\n",
			"227-"+c+"\r\n", "227 a 1 ("+c+")\r\n", "227 ("+c, "228 ("+c+")\r\n", "227 Entering\r\n", "227 (0,0,0,0,9,9)\r\n",
			"220 x\r\n227 ("+c+")\r\n", "227 ("+commas(a, 0)+")\r\n")
	}
	return oneOf(g, fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)\r\n", port), fmt.Sprintf("229 (|||%d|)\r\n", port),
		fmt.Sprintf("229 (!!!%d!)\r\n", port), fmt.Sprintf("229 |||%d|\r\n", port), fmt.Sprintf("229 ((|||%d|)\r\n", port),
		"229 (|||0|)\r\n", fmt.Sprintf("229 (|||%d)\r\n", port), fmt.Sprintf("229 (|1|%s|%d|)\r\n", a, port), "229 x\r\n")
}

// tftpScenario is requests and the transfers that follow.
func tftpScenario(g *gen) {
	n := 0
	g.merge(g.some(1, 4), func() {
		n++
		flow := n
		c, s := g.helped(69)
		for range g.some(1, 4) {
			op := byte(oneOf(g, 1, 1, 2, 2, 3, 5, 0, 9))
			data := append([]byte{0, op}, "file\x00octet\x00"...)
			if g.chance(8) {
				data = data[:g.IntN(4)]
			}
			g.send(flow, packets.UDP{Src: c, Dst: s, Data: data})
			for range g.IntN(3) {
				port := oneOf[uint16](g, 3000, 3000, 3001, 69)
				g.answered(flow, func(src, dst netip.AddrPort) builder {
					return packets.UDP{Src: netip.AddrPortFrom(src.Addr(), port), Dst: dst, Data: []byte{0, 3, 0, 1}}
				})
				if g.chance(50) {
					g.a(packets.UDP{Src: c, Dst: netip.AddrPortFrom(s.Addr(), port), Data: []byte{0, 4, 0, 1}})
				}
			}
		}
	})
}

// ircScenario is messages with DCC offers.
func ircScenario(g *gen) {
	n := 0
	g.merge(oneOf(g, 1, 1, 2), func() {
		n++
		t := g.helpedTalk(6667)
		if g.chance(80) {
			t.say(0, 0, "NICK a\r\n")
			t.say(1, 0, ":s 001 a :hi\r\n")
		}
		for range g.some(1, 4) {
			n += 10
			b := t.end[0].at.Addr().As4()
			addr := binary.BigEndian.Uint32(b[:])
			if g.chance(10) {
				addr = g.Uint32()
			}
			port := oneOf(g, 5000, 6000, 0, 70000, g.some(1, 65535))
			verb := oneOf(g, "SEND", "CHAT", "MOVE", "TSEND", "SCHAT", "RESUME", "send", "XMIT")
			t.say(0, n, oneOf(g,
				fmt.Sprintf("PRIVMSG b :\x01DCC %s file %d %d 1000\x01\r\n", verb, addr, port),
				fmt.Sprintf("PRIVMSG b :\x01DCC %s file %d %d\x01\n", verb, addr, port),
				fmt.Sprintf("PRIVMSG b :\x01DCC %s \"a b\" %d %d 1000\x01\r\n", verb, addr, port),
				fmt.Sprintf("PRIVMSG b :\x01DCC %s file 10.0.0.2 %d\x01\r\n", verb, port),
				fmt.Sprintf("NOTICE b :\x01DCC %s file %d %d\x01\r\n", verb, addr, port),
				fmt.Sprintf("PRIVMSG b :hello\r\nPRIVMSG b :\x01DCC %s file %d %d\x01\r\n", verb, addr, port),
				"PRIVMSG b :hello\r\n"))
			from := g.server(false)
			if g.chance(70) {
				g.connects(1, n, g.some(1, 2), from, func(left []byte) (netip.AddrPort, bool) {
					f := strings.Fields(string(dataOf(left)))
					for i := 0; i+4 < len(f); i++ {
						if strings.HasSuffix(f[i], "DCC") {
							a, err := strconv.ParseUint(f[i+3], 10, 32)
							p, err2 := strconv.ParseUint(strings.TrimRight(f[i+4], "\x01\r\n"), 10, 16)
							var b [4]byte
							binary.BigEndian.PutUint32(b[:], uint32(a))
							return netip.AddrPortFrom(netip.AddrFrom4(b), uint16(p)), err == nil && err2 == nil
						}
					}
					return netip.AddrPort{}, false
				})
			}
			t.say(1, 0, ":s NOTICE a :x\r\n")
		}
	})
}

// amandaScenario is a request and the answer that announces three ports.
func amandaScenario(g *gen) {
	c, s := g.helped(10080)
	n := 1
	g.send(n, packets.UDP{Src: c, Dst: s, Data: []byte("Amanda 2.4 REQ HANDLE 0 SEQ 1\n")})
	for range g.some(1, 3) {
		text := g.garbled(oneOf(g, "Amanda 2.4 REP\nCONNECT DATA 5001 MESG 5002 INDEX 5003\n", "CONNECT DATA 5001\n",
			"CONNECT DATA 5001 MESG 0 INDEX 5003\nOPTIONS x;\n", "CONNECT DATA 5001 MESG 5002 INDEX 5003", "CONNECT ", "nothing\n",
			"CONNECT INDEX 7 DATA 8\n", "CONNECT DATA 500100 MESG 5002\n", "CONNECT DATA 5001 MESG x INDEX 5003\n",
			"CONNECT DATA 05001 MESG 00006 INDEX 7 STATE 8\n"))
		g.moves = append(g.moves, move{at: netlab.B, flow: n, other: 2, answer: func(left []byte) []byte {
			src, dst := endsOf(left)
			return packets.UDP{Src: dst, Dst: src, Data: []byte(text)}.Bytes()
		}})
		port := oneOf[uint16](g, 5001, 5002, 5003, 7, 8)
		if g.chance(70) {
			g.connects(0, 2, g.some(1, 3), netip.AddrPortFrom(c.Addr(), oneOf[uint16](g, 900, 901)), func(left []byte) (netip.AddrPort, bool) {
				src, _ := endsOf(left)
				return netip.AddrPortFrom(src.Addr(), port), true
			})
		}
	}
}

// saneScenario is a request to start a scan and the port in its answer.
func saneScenario(g *gen) {
	t := g.helpedTalk(6566)
	word := func(n ...uint32) string {
		var b []byte
		for _, v := range n {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return string(b)
	}
	for i := range g.some(1, 3) {
		n := 10 * (i + 1)
		t.say(0, 0, word(oneOf[uint32](g, 7, 7, 7, 6, 0), 0)[:oneOf(g, 8, 8, 4, 3)])
		port := oneOf[uint32](g, 5001, 6000, 0, 70000)
		t.say(1, n, word(oneOf[uint32](g, 0, 0, 0, 1), port, 0x1234, 0)[:oneOf(g, 16, 16, 12, 8, 7)])
		from := netip.AddrPortFrom(t.end[0].at.Addr(), uint16(900+i))
		if g.chance(80) {
			g.connects(0, n, g.some(1, 3), from, func(left []byte) (netip.AddrPort, bool) {
				src, _ := endsOf(left)
				d := dataOf(left)
				if len(d) < 8 {
					return src, false
				}
				return netip.AddrPortFrom(src.Addr(), binary.BigEndian.Uint16(d[6:])), true
			})
		}
	}
}

// sipScenario is a registration and calls.
func sipScenario(g *gen) {
	c, s := g.helped(5060)
	if g.set.v6 {
		c = netip.AddrPortFrom(c.Addr(), 5060)
	}
	n := 1
	sdp := func(a netip.Addr, port int) string {
		f := "IP4"
		if a.Is6() {
			f = "IP6"
		}
		return fmt.Sprintf("v=0\r\no=x 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n", f, a, f, a, port) +
			oneOf(g, "", "", fmt.Sprintf("m=video %d RTP/AVP 31\r\n", port+10))
	}
	host := func(a netip.AddrPort) string { return a.String() }
	message := func(first string, cseq int, method string, extra, body string) string {
		m := fmt.Sprintf("%s\r\nVia: SIP/2.0/UDP %s;branch=z9\r\nFrom: <sip:a@%s>;tag=1\r\nTo: <sip:b@%s>\r\nCall-ID: 1@x\r\n",
			first, host(c), host(c), host(s))
		if cseq > 0 {
			m += fmt.Sprintf("CSeq: %d %s\r\n", cseq, method)
		}
		return g.garbled(m + extra + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body)
	}
	contact := fmt.Sprintf("Contact: <sip:a@%s>\r\n", host(c))
	for i := range g.some(1, 5) {
		port := oneOf(g, 4000, 4000, 4002, 7001, 0)
		switch g.IntN(6) {
		case 0, 1:
			expires := oneOf(g, "Expires: 1800\r\n", "Expires: 0\r\n", "")
			g.send(n, packets.UDP{Src: c, Dst: s, Data: []byte(message(fmt.Sprintf("REGISTER sip:%s SIP/2.0", s.Addr()), i+1, "REGISTER", contact+expires, ""))})
			answer := message("SIP/2.0 "+oneOf(g, "200 OK", "200 OK", "401 No"), i+1, "REGISTER", contact+expires, "")
			g.answered(n, func(src, dst netip.AddrPort) builder {
				return packets.UDP{Src: src, Dst: dst, Data: []byte(answer)}
			})
		case 2, 3:
			body := sdp(c.Addr(), port)
			g.send(n, packets.UDP{Src: c, Dst: s, Data: []byte(message(fmt.Sprintf("INVITE sip:b@%s SIP/2.0", s), i+1, "INVITE", contact+"Content-Type: application/sdp\r\n", body))})
			answer := message("SIP/2.0 "+oneOf(g, "200 OK", "183 Progress", "486 Busy"), i+1, "INVITE", fmt.Sprintf("Contact: <sip:b@%s>\r\nContent-Type: application/sdp\r\n", host(s)), sdp(s.Addr(), 8000))
			g.answered(n, func(src, dst netip.AddrPort) builder {
				return packets.UDP{Src: src, Dst: dst, Data: []byte(answer)}
			})
			if g.chance(60) {
				g.b(packets.UDP{Src: netip.AddrPortFrom(s.Addr(), 8000), Dst: netip.AddrPortFrom(c.Addr(), uint16(port)), Data: []byte("rtp")})
				g.a(packets.UDP{Src: netip.AddrPortFrom(c.Addr(), uint16(port)), Dst: netip.AddrPortFrom(s.Addr(), 8000), Data: []byte("rtp")})
			}
		case 4:
			g.send(n, packets.UDP{Src: c, Dst: s, Data: []byte(message(fmt.Sprintf("BYE sip:b@%s SIP/2.0", s), i+1, "BYE", "", ""))})
			g.answered(n, func(src, dst netip.AddrPort) builder {
				return packets.UDP{Src: src, Dst: dst, Data: []byte(message("SIP/2.0 200 OK", i+1, "BYE", "", ""))}
			})
		case 5:
			m := []byte(message("OPTIONS sip:x SIP/2.0", g.IntN(2), "OPTIONS", "", ""))
			if g.chance(50) {
				m = bytes.ReplaceAll(m, []byte("\r\n"), []byte(oneOf(g, "\n", "\r")))
			}
			if g.chance(30) {
				m = []byte("no sip at all")
			}
			g.send(n, packets.UDP{Src: c, Dst: s, Data: m})
		}
	}
}
