package live

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// clock is one that a test sets. Sockets of the engine read it, too.
type clock struct {
	mu sync.Mutex
	time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Time
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Time = c.Add(d)
}

// newTable returns a copy of a table in the process.
func newTable(t testing.TB, o engine.Options, l Options) (*Table, *engine.Table, *ctnetlink.Conn, *clock) {
	t.Helper()
	now := &clock{Time: time.Unix(1_700_000_000, 123456789)}
	o.Now = now.now
	kernel := engine.New(o)
	conn := ctnetlink.NewConn(kernel.Dial)
	t.Cleanup(func() { conn.Close() })
	return New([]Source{{Conn: conn, Now: now.now}}, l), kernel, conn, now
}

// dumpInto dumps the source's whole table into the copy.
func dumpInto(t testing.TB, table *Table, source int) {
	t.Helper()
	s := &table.sources[source]
	d := table.beginDump(source)
	for f, err := range s.Conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		d.saw(f, s.Now())
	}
	for d.end() {
	}
}

// generator makes messages of entries as dumps list them.
type generator struct {
	*rand.Rand
	w  wire.Builder
	id uint32
}

func newGenerator(seed uint64) *generator { return &generator{Rand: rand.New(rand.NewPCG(seed, 1))} }

func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

var testProtocols = []ctnetlink.Protocol{
	ctnetlink.ProtoTCP, ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6,
	ctnetlink.ProtoSCTP, ctnetlink.ProtoUDPLite, ctnetlink.ProtoGRE, ctnetlink.ProtoDCCP, 99,
}

// tuple returns the i-th original tuple.
func (g *generator) tuple(i int) ctnetlink.Tuple {
	proto := testProtocols[g.IntN(len(testProtocols))]
	var src, dst netip.Addr
	if proto == ctnetlink.ProtoICMPv6 || proto != ctnetlink.ProtoICMP && g.one(2) {
		src = netip.AddrFrom16([16]byte{0xfd, 1, 12: byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		dst = netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(g.Uint32())})
	} else {
		src = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		dst = netip.AddrFrom4([4]byte{192, 0, 2, byte(g.Uint32())})
	}
	switch proto {
	case ctnetlink.ProtoICMP:
		types := []uint8{0, 8, 13, 15, 17}
		return ctnetlink.NewICMPTuple(src, dst, types[g.IntN(len(types))], uint8(g.Uint32()), uint16(g.Uint32()))
	case ctnetlink.ProtoICMPv6:
		types := []uint8{128, 129, 139}
		return ctnetlink.NewICMPTuple(src, dst, types[g.IntN(len(types))], uint8(g.Uint32()), uint16(g.Uint32()))
	}
	return ctnetlink.NewTuple(proto, netip.AddrPortFrom(src, uint16(g.Uint32())),
		netip.AddrPortFrom(dst, uint16(g.Uint32())))
}

// translate changes a reply tuple.
func (g *generator) translate(t *ctnetlink.Tuple) {
	if g.one(2) {
		b := t.Dst.AsSlice()
		b[len(b)-3] ^= 1 + byte(g.IntN(255))
		t.Dst, _ = netip.AddrFromSlice(b)
	}
	if g.one(2) {
		b := t.Src.AsSlice()
		b[len(b)-3] ^= 1 + byte(g.IntN(255))
		t.Src, _ = netip.AddrFromSlice(b)
	}
	if t.Has&ctnetlink.FieldPorts != 0 && g.one(2) {
		t.SrcPort, t.DstPort = uint16(g.Uint32()), uint16(g.Uint32())
	}
	if t.Has&ctnetlink.FieldICMPID != 0 && g.one(2) {
		t.ICMPID = uint16(g.Uint32())
	}
}

// entry returns the message of the i-th entry, which began at the time start.
func (g *generator) entry(i int, start time.Time) []byte {
	orig := g.tuple(i)
	en := ctnetlink.NewFlowSpec(orig)
	en.SetTimeout(time.Duration(1+g.IntN(500_000)) * time.Second)
	status := ctnetlink.StatusConfirmed
	for _, s := range []ctnetlink.Status{ctnetlink.StatusSeenReply, ctnetlink.StatusAssured,
		ctnetlink.StatusFixedTimeout, ctnetlink.StatusSeqAdjust} {
		if g.one(3) {
			status |= s
		}
	}
	if g.one(4) {
		g.translate(&en.Reply)
		status |= ctnetlink.StatusSrcNAT | ctnetlink.StatusDstNAT | ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone
	}
	en.SetStatus(status)
	zone := uint16(g.Uint32()) | 1
	switch g.IntN(6) {
	case 0:
		en.SetZone(zone)
	case 1:
		en.Orig.Zone, en.Orig.Has = zone, en.Orig.Has|ctnetlink.FieldZone
	case 2:
		en.Reply.Zone, en.Reply.Has = zone, en.Reply.Has|ctnetlink.FieldZone
	}
	if g.one(2) {
		en.SetMark(g.Uint32(), 0)
		en.Set = en.Set.Without(ctnetlink.AttrMarkMask)
	}
	if g.one(4) {
		l := ctnetlink.NewLabels()
		for range 1 + g.IntN(5) {
			l.Set(g.IntN(ctnetlink.MaxLabels))
		}
		en.SetLabels(l, nil)
	}
	if orig.Proto == ctnetlink.ProtoTCP || orig.Proto == ctnetlink.ProtoSCTP {
		en.SetState(ctnetlink.NewState(orig.Proto, uint8(1+g.IntN(8))))
	}
	if orig.Proto == ctnetlink.ProtoDCCP && g.one(2) {
		en.SetProtoInfo(ctnetlink.ProtoInfo{Proto: orig.Proto, State: ctnetlink.DCCPOpen, Role: uint8(g.IntN(2)),
			Has: ctnetlink.InfoState | ctnetlink.InfoRole})
	}
	if orig.Proto == ctnetlink.ProtoTCP && g.one(4) {
		en.SetHelper([]string{"ftp", "irc", "tomorrow"}[g.IntN(3)])
	}
	g.id += 0x9e3779b1
	en.SetID(g.id)
	g.w.B = en.AppendMessage(g.w.B[:0])
	if !g.one(8) {
		g.counters()
	}
	if !g.one(8) {
		in := g.w.Nest(uint16(ctnetlink.AttrTimestamp))
		g.w.U64(wire.TimestampStart, uint64(start.UnixNano()))
		g.w.Close(in)
	}
	if g.one(8) {
		in := g.w.Nest(uint16(ctnetlink.AttrSecCtx))
		g.w.Str(wire.SecCtxName, "system_u:object_r:unlabeled_t:s0")
		g.w.Close(in)
	}
	g.w.End()
	return g.w.B
}

func (g *generator) counters() {
	for k := range uint16(2) {
		in := g.w.Nest(uint16(ctnetlink.AttrCountersOrig) + k)
		packets := g.Uint64() >> g.IntN(64)
		g.w.U64(wire.CountersPackets, packets)
		g.w.U64(wire.CountersBytes, g.Uint64()>>g.IntN(64))
		g.w.Close(in)
	}
}
