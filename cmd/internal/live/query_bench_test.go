package live

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/wire"
)

const largeTable = 1_000_000

// largeCopy returns a copy of a table with 1 000 000 entries such as routers have: an
// eighth of them IPv6, a quarter of the others translated, most of them with rates.
var largeCopy = sync.OnceValue(func() *Table {
	now := time.Unix(1_700_000_000, 0)
	table := New([]Source{{Now: func() time.Time { return now }}}, Options{})
	g := newGenerator(51)
	d := table.beginDump(0)
	var f ctnetlink.Flow
	states := []ctnetlink.State{ctnetlink.TCPEstablished, ctnetlink.TCPEstablished, ctnetlink.TCPTimeWait, ctnetlink.TCPSynSent}
	for i := range largeTable {
		proto := []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoTCP, ctnetlink.ProtoUDP}[i%3]
		src := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		dst := netip.AddrFrom4([4]byte{198, 51, byte(g.IntN(4)), byte(g.Uint32())})
		if g.one(8) {
			src = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 12: byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
			dst = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 7: 1, 15: byte(g.Uint32())})
		}
		port := uint16([]int{443, 443, 80, 53, 22, 8080}[g.IntN(6)])
		orig := ctnetlink.NewTuple(proto, netip.AddrPortFrom(src, uint16(1024+g.IntN(60000))), netip.AddrPortFrom(dst, port))
		en := ctnetlink.NewFlowSpec(orig)
		en.SetTimeout(time.Duration(1+g.IntN(400_000)) * time.Second)
		status := ctnetlink.StatusConfirmed | ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
		if src.Is4() && g.one(4) {
			en.Reply.Dst, status = netip.AddrFrom4([4]byte{203, 0, 113, 7}), status|ctnetlink.StatusSrcNAT|ctnetlink.StatusSrcNATDone
		}
		en.SetStatus(status)
		if proto == ctnetlink.ProtoTCP {
			en.SetState(states[g.IntN(len(states))])
		}
		if g.one(4) {
			en.SetMark(uint32(1+g.IntN(8)), 0)
			en.Set = en.Set.Without(ctnetlink.AttrMarkMask)
		}
		if proto == ctnetlink.ProtoTCP && g.one(1000) {
			en.SetHelper("ftp")
		}
		g.id++
		en.SetID(g.id * 0x9e3779b1)
		g.w.B = en.AppendMessage(g.w.B[:0])
		for k := range uint16(2) {
			in := g.w.Nest(uint16(ctnetlink.AttrCountersOrig) + k)
			g.w.U64(wire.CountersPackets, g.Uint64()>>(30+g.IntN(30)))
			g.w.U64(wire.CountersBytes, g.Uint64()>>(20+g.IntN(30)))
			g.w.Close(in)
		}
		g.w.End()
		if err := f.Decode(g.w.B); err != nil {
			panic(err)
		}
		d.saw(&f, now)
	}
	for d.end() {
	}
	for _, p := range table.pages.all {
		p.alive.each(func(i int) bool {
			for k := range p.cores[i].rates {
				if p.cores[i].rates[k] = 0; g.one(3) {
					p.cores[i].rates[k] = float32(g.Uint32()>>g.IntN(32)) / 8
				}
			}
			return true
		})
	}
	return table
})

// measure runs a question, and reports the processor's time that it takes too, which
// other programs disturb less.
func measure(b *testing.B, ask func() error) {
	b.Helper()
	b.ReportAllocs()
	before := processTime()
	for b.Loop() {
		if err := ask(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func benchKeys(b *testing.B, list string, descending bool) (order []Key) {
	for _, k := range parseKeys(b, list) {
		order = append(order, Key{k, descending})
	}
	return order
}

func BenchmarkPage(b *testing.B) {
	table := largeCopy()
	port := &filter.Filter{}
	port.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
	port.Orig.SetNumber(ctnetlink.FieldDstPort, filter.Values(22))
	network := &filter.Filter{}
	network.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: netip.MustParseAddr("10.3.0.0"), Mask: netip.MustParseAddr("255.255.0.0")})
	state := &filter.Filter{States: []filter.StateSet{{Proto: ctnetlink.ProtoTCP, States: 1 << ctnetlink.TCPEstablished.Number()}}}
	nat := &filter.Filter{SrcNAT: filter.NAT{Given: true}}
	any := &filter.Filter{Any: filter.NewAny(port, network)}
	group := &GroupID{Keys: parseKeys(b, "dst,dport")}
	g, err := table.Groups(context.Background(), &GroupQuery{Keys: group.Keys, Sort: "entries", Descending: true, Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	group.Values = g.Groups[0].ID.Values
	rate := benchKeys(b, "byte_rate", true)
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"byte_rate", Query{Order: rate}},
		{"bytes", Query{Order: benchKeys(b, "bytes", true)}},
		{"none", Query{}},
		{"timeout", Query{Order: benchKeys(b, "timeout", false)}},
		{"src,sport", Query{Order: benchKeys(b, "src,sport", false)}},
		{"state,dst", Query{Order: benchKeys(b, "state,dst", false)}},
		{"nat_src", Query{Order: benchKeys(b, "nat_src", true)}},
		{"source_text", Query{Order: benchKeys(b, "source", true)}},
		{"byte_rate/half", Query{Order: rate, Offset: largeTable / 2}},
		{"src,sport/half", Query{Order: benchKeys(b, "src,sport", false), Offset: largeTable / 2}},
		{"byte_rate/filter_port", Query{Order: rate, Filter: port}},
		{"byte_rate/filter_network", Query{Order: rate, Filter: network}},
		{"byte_rate/filter_state", Query{Order: rate, Filter: state}},
		{"byte_rate/filter_nat", Query{Order: rate, Filter: nat}},
		{"byte_rate/filter_any", Query{Order: rate, Filter: any}},
		{"byte_rate/group", Query{Order: rate, Group: group}},
		{"byte_rate/search_word", Query{Order: rate, Search: "time_wait"}},
		{"byte_rate/search_address", Query{Order: rate, Search: "10.3.7"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Limit = 60
			measure(b, func() error { _, err := table.Page(context.Background(), &c.q); return err })
		})
	}
}

func BenchmarkGroups(b *testing.B) {
	table := largeCopy()
	for _, list := range []string{"src/24/64", "dst", "dst,dport", "proto,state", "condition,mark", "src,sport,dst,dport", "helper"} {
		b.Run(list, func(b *testing.B) {
			q := GroupQuery{Keys: parseKeys(b, list), Sort: "byte_rate", Descending: true, Limit: 60}
			measure(b, func() error { _, err := table.Groups(context.Background(), &q); return err })
		})
	}
}

func BenchmarkStates(b *testing.B) {
	table := largeCopy()
	measure(b, func() error { _, err := table.States(context.Background(), nil); return err })
}
