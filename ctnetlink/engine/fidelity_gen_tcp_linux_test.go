package engine_test

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas,
		&area{name: "tcp", setting: tcpSetting, scenario: tcpScenario},
		&area{name: "tcp-wild", setting: tcpSetting, scenario: tcpWild},
	)
}

func tcpSetting(g *gen) *setting {
	return plain(g, [2]string{"tcp_timeout_syn_sent", oneOf(g, "121", "400")}, [2]string{"tcp_timeout_syn_recv", oneOf(g, "61", "500")},
		[2]string{"tcp_timeout_fin_wait", oneOf(g, "125", "700")}, [2]string{"tcp_timeout_close_wait", "67"},
		[2]string{"tcp_timeout_last_ack", "37"}, [2]string{"tcp_timeout_time_wait", "131"}, [2]string{"tcp_timeout_close", "17"},
		[2]string{"tcp_timeout_max_retrans", oneOf(g, "301", "100")}, [2]string{"tcp_timeout_unacknowledged", oneOf(g, "311", "200")},
		[2]string{"tcp_max_retrans", oneOf(g, "0", "1", "2", "5")}, [2]string{"tcp_loose", "0"},
		[2]string{"tcp_be_liberal", oneOf(g, "0", "0", "1")}, [2]string{"tcp_ignore_invalid_rst", "1"}, [2]string{"checksum", "0"})
}

// tcpEnd is one end of a conversation.
type tcpEnd struct {
	at     netip.AddrPort
	isn    uint32
	next   uint32 // what it sends next
	got    uint32 // what it expects next
	window int
	scale  int // -1: without the option
	sack   bool
}

// tcpTalk is a conversation whose numbers are right unless told otherwise.
type tcpTalk struct {
	g   *gen
	end [2]tcpEnd
}

func (g *gen) tcpTalk(v6 bool) *tcpTalk {
	c := &tcpTalk{g: g}
	c.end[0].at, c.end[1].at = g.client(v6), g.server(v6)
	for i := range c.end {
		e := &c.end[i]
		e.isn = oneOf(g, g.Uint32(), 0xffffff00+uint32(g.IntN(300)), 1000)
		e.next = e.isn
		e.window = oneOf(g, 65535, 60000, 1000, 100, g.IntN(65536))
		e.scale = oneOf(g, -1, -1, 0, 2, 7, 14, 15)
		e.sack = g.chance(50)
	}
	return c
}

// segment returns a packet of an end with right numbers, n bytes of data.
func (c *tcpTalk) segment(from int, flags uint8, n int) packets.TCP {
	x, y := &c.end[from], &c.end[1-from]
	p := packets.TCP{Src: x.at, Dst: y.at, Flags: flags, Seq: x.next, Window: x.window, Data: make([]byte, n)}
	if p.Window == 0 {
		p.Window = packets.Zero
	}
	if flags&packets.SYN != 0 {
		p.Seq = x.isn
		if x.scale >= 0 {
			p.Options = append(p.Options, packets.WindowScale(uint8(x.scale))...)
		}
		if x.sack {
			p.Options = append(p.Options, packets.SACKPermitted()...)
		}
		if c.g.chance(30) {
			p.Options = append(packets.MSS(1460), p.Options...)
		}
	} else if c.both() && x.scale > 0 {
		p.Window = max(p.Window>>min(x.scale, 14), 1)
	}
	if flags&packets.ACK != 0 {
		p.Ack = x.got
	}
	return p
}

func (c *tcpTalk) both() bool { return c.end[0].scale >= 0 && c.end[1].scale >= 0 }

// send sends a segment and takes it as received.
func (c *tcpTalk) send(from int, p packets.TCP) {
	x, y := &c.end[from], &c.end[1-from]
	end := p.Seq + uint32(len(p.Data))
	if p.Flags&packets.SYN != 0 {
		end++
	}
	if p.Flags&packets.FIN != 0 {
		end++
	}
	if int32(end-x.next) > 0 || p.Flags&packets.SYN != 0 {
		x.next = end
	}
	if p.Flags&packets.SYN != 0 || int32(end-y.got) > 0 && c.g.chance(80) {
		y.got = end
	}
	c.put(from, p)
}

// put puts a packet in without taking notice of it.
func (c *tcpTalk) put(from int, p packets.TCP) {
	if from == 0 {
		c.g.a(p)
	} else {
		c.g.b(p)
	}
}

// open goes some steps of the way to an established connection, and of the way to
// its end.
func (c *tcpTalk) live(steps int) {
	const S, A, F = packets.SYN, packets.ACK, packets.FIN
	way := []func(){
		func() { c.send(0, c.segment(0, S, 0)) },
		func() { c.send(1, c.segment(1, S|A, 0)) },
		func() { c.send(0, c.segment(0, A, 0)) },
		func() { c.talk(c.g.IntN(5)) },
	}
	first := c.g.IntN(2)
	way = append(way,
		func() { c.send(first, c.segment(first, F|A, 0)) },
		func() { c.send(1-first, c.segment(1-first, A, 0)) },
		func() { c.send(1-first, c.segment(1-first, F|A, 0)) },
		func() { c.send(first, c.segment(first, A, 0)) },
	)
	for _, f := range way[:min(steps, len(way))] {
		f()
		c.disturb()
	}
}

// talk sends data and acknowledgements.
func (c *tcpTalk) talk(n int) {
	for range n {
		from := c.g.IntN(2)
		c.send(from, c.segment(from, packets.ACK|uint8(c.g.IntN(2)*packets.PSH), oneOf(c.g, 0, 0, 1, 100, 1000)))
	}
}

// disturb sometimes sends a packet that does not fit.
func (c *tcpTalk) disturb() {
	if c.g.chance(12) {
		from := c.g.IntN(2)
		c.put(from, c.g.tcpFault(c.segment(from, c.g.tcpFlags(), oneOf(c.g, 0, 0, 10)), &c.end[1-from]))
	}
	if c.g.chance(3) {
		c.g.later(time.Duration(oneOf(c.g, 5, 15, 70, 130, 400)) * time.Second)
	}
}

// tcpFlags returns flags, mostly a combination that is valid.
func (g *gen) tcpFlags() uint8 {
	const F, S, R, A, U = packets.FIN, packets.SYN, packets.RST, packets.ACK, packets.URG
	if g.chance(4) {
		return uint8(g.Uint32())
	}
	f := oneOf[uint8](g, S, S, S|A, S|A, A, A, A, A|U, R, R, R|A, F|A, F|A, F|A|U, S|U)
	return f | uint8(g.IntN(4)&g.IntN(4))*packets.ECE | uint8(g.IntN(2))*packets.PSH
}

// tcpFault changes numbers of a packet, perhaps so that they are wrong.
func (g *gen) tcpFault(p packets.TCP, to *tcpEnd) packets.TCP {
	off := func(by ...int) uint32 {
		n := oneOf(g, by...) + oneOf(g, 0, 0, 1, -1)
		return uint32(n)
	}
	win := to.window
	for range oneOf(g, 0, 1, 1, 2) {
		switch g.IntN(10) {
		case 0, 1:
			p.Seq += off(1, -1, win, -win, 2*win, win/2, -2*win, 100000, -70000, int(int32(g.Uint32())))
		case 2, 3:
			p.Ack += off(1, -1, win, -win, -66000, -66001, 100, -100, 1000000, int(int32(g.Uint32())))
		case 4:
			p.Window = oneOf(g, packets.Zero, 1, 100, 65535)
		case 5:
			p.Data = g.bytes(2000)
		case 6:
			p.Ack = oneOf(g, 0, to.isn+1, to.isn)
		case 7:
			p.Options = packets.SACK([2]uint32{p.Ack + off(0, 1000, -1000, int(int32(g.Uint32()))), p.Ack + off(10, 1000, 70000, -1000, int(int32(g.Uint32())))})
		case 8:
			p.Seq = p.Ack
		case 9:
			p.Options = append(p.Options, packets.Timestamps(g.Uint32(), g.Uint32())...)
		}
	}
	if g.chance(2) {
		p.Sum.Bad = true
	}
	if g.chance(1) {
		p.DataOffset = g.some(1, 15)
	}
	return p
}

// tcpScenario is conversations of which most get far.
func tcpScenario(g *gen) {
	v6 := g.chance(30)
	for range g.some(1, 2) {
		c := g.tcpTalk(v6)
		switch g.IntN(10) {
		case 0: // picked up
			c.end[0].next++
			c.end[1].next++
			c.end[0].got, c.end[1].got = c.end[1].next, c.end[0].next
			c.talk(g.some(1, 5))
		case 1: // simultaneous open
			c.put(0, c.segment(0, packets.SYN, 0))
			c.send(1, c.segment(1, packets.SYN, 0))
			c.end[0].next, c.end[1].got = c.end[0].isn+1, c.end[0].isn+1
			c.talk(g.some(0, 3))
			c.live(0)
		default:
			c.live(g.some(1, 8))
		}
		for range g.some(1, 8) {
			from := g.IntN(2)
			flags := g.tcpFlags()
			p := c.segment(from, flags, oneOf(g, 0, 0, 0, 1, 50, 500))
			if g.chance(40) {
				c.put(from, g.tcpFault(p, &c.end[1-from]))
			} else {
				c.send(from, p)
			}
		}
		if g.chance(20) { // the same ports again
			for i := range c.end {
				c.end[i].isn = g.Uint32()
			}
			c.live(g.some(1, 8))
		}
	}
}

// tcpWild is packets in any order.
func tcpWild(g *gen) {
	c := g.tcpTalk(g.chance(30))
	for range g.some(3, 25) {
		from := g.IntN(2)
		p := c.segment(from, g.tcpFlags(), oneOf(g, 0, 0, 0, 1, 50, 500))
		if g.chance(25) {
			p = g.tcpFault(p, &c.end[1-from])
		}
		if g.chance(15) {
			c.put(from, p)
		} else {
			c.send(from, p)
		}
	}
}
