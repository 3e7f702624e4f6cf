package engine_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/wire"
)

func init() {
	areas = append(areas,
		&area{name: "tcp-edges", setting: tcpSetting, scenario: tcpEdges},
		&area{name: "tcp-made", setting: tcpSetting, scenario: tcpMade},
		&area{name: "tcp-nat", setting: tcpNATSetting, scenario: tcpNAT},
	)
}

// tcpEdge makes packets at the edges of what passes. It has a table of its own,
// which gets all that it makes, to know where they are.
type tcpEdge struct {
	*tcpTalk
	side  *engineSide
	fixed bool              // the timeout of the entry cannot be changed
	seen  [2]netip.AddrPort // the ends as the other one sees them
}

func (g *gen) tcpEdge() *tcpEdge {
	side, err := newEngineSide(g.set, time.Unix(1_700_000_000, 0))
	if err != nil {
		panic(err)
	}
	c := &tcpEdge{tcpTalk: g.tcpTalk(g.chance(30)), side: side}
	for i := range c.end {
		e := &c.end[i]
		c.seen[i] = e.at
		e.isn = oneOf(g, 1000000, 5000000, 0, 1, 0xffffff00, 0xffff0000, 0x7fffff00, 0x80000100, g.Uint32(), g.Uint32())
		e.next = e.isn
		e.window = oneOf(g, 60000, 60000, 1000, 30000, 0, 1, 65535)
	}
	return c
}

// packet sends a packet.
func (c *tcpEdge) packet(from int, p packets.TCP) {
	p.Src, p.Dst = c.end[from].at, c.seen[1-from]
	if p.Window == 0 {
		p.Window = packets.Zero
	}
	if from == 0 {
		c.g.a(p)
	} else {
		c.g.b(p)
	}
	o, _, err := c.side.send(c.g.moves[len(c.g.moves)-1])
	if err != nil {
		panic(err)
	}
	end := p.Seq + uint32(len(p.Data)) + uint32(p.Flags&1) + uint32(p.Flags>>1&1)
	if x := &c.end[from]; o.state != "invalid" && p.Flags&packets.RST == 0 &&
		(int32(end-x.next) > 0 || p.Flags&packets.SYN != 0) {
		x.next = end
	}
}

// later lets time pass, so that a timeout that is kept differs from one that is
// set again. Some times 7 seconds are not about the timeout of a state.
func (c *tcpEdge) later() {
	const d = 7 * time.Second
	c.g.later(d)
	c.side.clock = c.side.clock.Add(d)
}

// The ways on which connections begin, as sender and flags.
var tcpWays = []string{
	"oS", "oS rSA", "oS rSA oA", "oS rSA oA", "oS rSA oA", "oS rSA oA", "oS rS", "oS rSA oA oFA", "oS rSA oA rFA",
	"oS rSA oA oFA rA", "oS rSA oA oFA rA rFA", "oS rSA oA oFA rA rFA oA", "oS rSA oA rFA oA oFA", "oS rSA oA rR",
	"oS rSA oA oR", "oA", "oA rA", "oA rA oA", "rA", "", "oS rS oSA", "oS rS rSA", "oS rS oSA rA",
	"oS rSA oPA rA rPA oA", "oS rA", "oS rSA oA oS", "oS rSA oA oFA rA rFA oS",
}

func (c *tcpEdge) way() {
	for _, step := range strings.Fields(oneOf(c.g, tcpWays...)) {
		from := strings.IndexByte("or", step[0])
		var flags uint8
		for _, f := range step[1:] {
			flags |= 1 << strings.IndexRune("FSRPA", f)
		}
		p := packets.TCP{Flags: flags, Seq: c.end[from].next, Window: c.end[from].window}
		if flags&packets.ACK != 0 {
			p.Ack = c.end[1-from].next
		}
		if flags&packets.PSH != 0 {
			p.Data = make([]byte, 100)
		}
		if flags&packets.SYN != 0 {
			p.Options = c.options(from)
		}
		c.packet(from, p)
	}
}

func (c *tcpEdge) options(from int) (b []byte) {
	x := &c.end[from]
	if x.scale >= 0 {
		b = packets.WindowScale(uint8(x.scale))
	}
	if x.sack {
		b = append(b, packets.SACKPermitted()...)
	}
	return b
}

// step sends a packet whose numbers are those expected, or at an edge, or far
// away.
func (c *tcpEdge) step() {
	const F, S, R, P, A = packets.FIN, packets.SYN, packets.RST, packets.PSH, packets.ACK
	g := c.g
	from := g.IntN(2)
	n, turned, known := c.side.t.TCPNumbers(c.end[0].at, c.seen[1], c.side.clock)
	d := from
	if turned {
		d = 1 - d
	}
	x, y, last := n.Sides[d], n.Sides[1-d], n.Last
	self, peer := &c.end[from], &c.end[1-from]
	flags := oneOf[uint8](g, A, A, A, P|A, P|A, P|A, F|A, F|A, R, R|A, S, S, S|A, S|A)
	p := packets.TCP{Flags: flags, Seq: self.next, Ack: peer.next, Window: self.window}
	switch g.IntN(8) {
	case 0:
		p.Seq += uint32(oneOf(g, -1, 1, -100, 500, -70000, 70000, 1500, -1500, 200000, 1<<30, -1<<30, 1<<31-5, 900_000_000))
	case 1, 2:
		p.Seq = oneOf(g, x.End, x.Limit, x.End-y.MaxWin, x.Limit+y.MaxWin, y.MaxAck, last.End, last.Seq, last.Ack, self.isn,
			x.Limit-1, 0) + uint32(g.IntN(3)) - 1
	}
	if flags&S != 0 {
		p.Seq = oneOf(g, p.Seq, self.isn, self.next+200000)
		p.Options = oneOf(g, c.options(from), c.options(from), nil, packets.WindowScale(uint8(g.IntN(16))))
	}
	switch g.IntN(8) {
	case 0:
		p.Ack += uint32(oneOf(g, -1, 1, -100, -70000, 500, -1<<30, 1<<30, 100000))
	case 1, 2:
		p.Ack = oneOf(g, y.End, y.End-66000, y.End-x.MaxWin, x.MaxAck, last.End, last.End, last.Ack, 0, 1) +
			oneOf[uint32](g, 0, 0, 0, 1, 1<<32-1)
	}
	if flags&A == 0 && !g.chance(25) {
		p.Ack = 0
	}
	if g.chance(25) {
		p.Window = oneOf(g, 0, 0, 1, 500, 65000, 65535)
	}
	if flags&P != 0 || g.chance(8) {
		p.Data = make([]byte, oneOf(g, 1, 10, 1000, 1000, 3000))
	}
	if flags&S == 0 && g.chance(16) {
		p.Options = c.sack(p.Ack, y.End)
	}
	if known && g.chance(16) { // the last one again
		if from = 0; last.Reply != turned {
			from = 1
		}
		p = packets.TCP{Flags: A, Seq: last.Seq, Ack: last.Ack, Window: int(last.Window)}
		if size := last.End - last.Seq; size <= 3000 {
			p.Data = make([]byte, size)
		}
	}
	c.packet(from, p)
}

// sack returns an option SACK with one or two blocks.
func (c *tcpEdge) sack(ack, end uint32) []byte {
	g := c.g
	at := oneOf(g, ack, end, ack+1000, end-500, ack+1<<31-1, ack+900_000_000, ack-900_000_000)
	blocks := [][2]uint32{{at, at + oneOf[uint32](g, 0, 1, 100, 1<<32-1)}}
	if g.chance(50) {
		blocks = append(blocks, [2]uint32{end - 100, end + uint32(g.IntN(3)) - 1})
	}
	if g.chance(30) {
		return packets.Options(packets.Timestamps(1, 2), packets.SACK(blocks...))
	}
	return packets.SACK(blocks...)
}

// tcpEdges is a connection, and packets at the edges of what passes.
func tcpEdges(g *gen) {
	c := g.tcpEdge()
	c.way()
	c.steps(g.some(4, 18), 0)
}

// tcpMade is an entry made or changed by requests, and then packets.
func tcpMade(g *gen) {
	c := g.tcpEdge()
	if g.chance(70) {
		c.create()
	} else {
		c.way()
	}
	c.steps(g.some(4, 14), 12)
}

// tcpNATSetting translates the addresses of both ends and keeps the ports.
func tcpNATSetting(g *gen) *setting {
	set := tcpSetting(g)
	set.rules = rulesOf(
		[2]string{"type nat hook prerouting priority -100", "ip daddr 203.0.113.1 dnat to 192.0.2.2"},
		[2]string{"type nat hook postrouting priority 100", "ip saddr 10.0.0.0/8 snat to 198.51.100.1"},
	)
	return set
}

// tcpNAT is tcpEdges with a connection that is translated.
func tcpNAT(g *gen) {
	c := g.tcpEdge()
	c.end[0].at = netip.AddrPortFrom(packets.Addr("10.0.0.2"), uint16(g.some(1024, 65535)))
	c.end[1].at = netip.AddrPortFrom(packets.Addr("192.0.2.2"), uint16(g.some(1, 1000)))
	c.seen[0] = netip.AddrPortFrom(packets.Addr("198.51.100.1"), c.end[0].at.Port())
	c.seen[1] = netip.AddrPortFrom(oneOf(g, packets.Addr("203.0.113.1"), packets.Addr("192.0.2.2")), c.end[1].at.Port())
	c.way()
	c.steps(g.some(1, 12), 0)
}

func (c *tcpEdge) steps(n, changes int) {
	for range n {
		switch {
		case !c.fixed && c.g.chance(10):
			c.later()
		case c.g.chance(changes):
			c.update()
		default:
			c.step()
		}
	}
}

func (c *tcpEdge) spec() *ctnetlink.FlowSpec {
	const has = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	a, b := c.end[0].at, c.end[1].at
	s := &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4,
		Orig:   ctnetlink.Tuple{Has: has, Proto: 6, Src: a.Addr(), Dst: b.Addr(), SrcPort: a.Port(), DstPort: b.Port()},
		Reply:  ctnetlink.Tuple{Has: has, Proto: 6, Src: b.Addr(), Dst: a.Addr(), SrcPort: b.Port(), DstPort: a.Port()},
	}
	if a.Addr().Is6() {
		s.Family = ctnetlink.FamilyIPv6
	}
	return s
}

// info sets the state and perhaps flags and scales.
func (c *tcpEdge) info(s *ctnetlink.FlowSpec) {
	g, p := c.g, &s.ProtoInfo
	s.Set = s.Set.With(ctnetlink.AttrProtoInfo)
	p.Proto, p.State, p.Has = ctnetlink.ProtoTCP, ctnetlink.NewState(ctnetlink.ProtoTCP, uint8(g.IntN(10))), ctnetlink.InfoState
	if g.chance(50) {
		p.Has |= ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply
		for i := range p.Flags {
			p.Flags[i].Mask = oneOf[ctnetlink.TCPFlags](g, 0xff, 8, 10, 15, 0x30)
			p.Flags[i].Value = oneOf(g, 0, ctnetlink.TCPFlags(g.IntN(256)))
		}
	}
	if g.chance(33) {
		p.Has |= ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply
		p.WScale = [2]uint8{uint8(g.IntN(15)), uint8(g.IntN(15))}
	}
}

func (c *tcpEdge) create() {
	s := c.spec()
	s.Set = s.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrStatus)
	s.Timeout = time.Duration(oneOf(c.g, 100, 1000, 5000)) * time.Second
	s.Status = ctnetlink.StatusConfirmed |
		oneOf(c.g, 0, 0, ctnetlink.StatusSeenReply, ctnetlink.StatusSeenReply|ctnetlink.StatusAssured, ctnetlink.StatusAssured,
			ctnetlink.StatusFixedTimeout)
	c.fixed = s.Status&ctnetlink.StatusFixedTimeout != 0
	if !c.g.chance(12) {
		c.info(s)
	}
	c.request(s, flagRequest|flagAck|flagCreate|flagExcl, "create")
}

func (c *tcpEdge) update() {
	s := c.spec()
	s.Reply = ctnetlink.Tuple{}
	c.info(s)
	c.request(s, flagRequest|flagAck, "update")
}

func (c *tcpEdge) request(s *ctnetlink.FlowSpec, flags uint16, verb string) {
	m := wire.Message(s.AppendMessage(nil))
	r := ctRequest{
		typ: ctNew, flags: flags, family: uint8(s.Family), attrs: m.Payload(),
		text: fmt.Sprintf("%s %+v status %v", verb, s.ProtoInfo, s.Status),
	}
	c.g.request(r)
	if _, err := c.side.ask(message(r.typ, r.flags, 0, r.family, r.attrs)); err != nil {
		panic(err)
	}
}
