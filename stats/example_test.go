package stats_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/stats"
)

// Count the connections of each source and destination port, the most frequent
// pair first. The engine stands in for the kernel: ctnetlink.Open returns a Conn
// on the kernel's table.
func ExampleSummary() {
	conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
	defer conn.Close()
	for i, src := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.1"} {
		if err := conn.Create(connection(src, uint16(40000+i))); err != nil {
			fmt.Println(err)
			return
		}
	}

	sum := stats.NewSummary([]string{"src", "dport"})
	var values []byte
	for f, err := range conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		values = stats.AppendAddr(values[:0], f.Orig().Src)
		values = stats.AppendNumber(values, uint64(f.Orig().DstPort))
		packets, bytes, counted := f.CountersOrig()
		sum.Add(values, packets, bytes, counted)
	}
	groups, err := sum.Sorted(stats.ParseOrder("-entries"), 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	for g := range groups {
		fmt.Println(g.Values[0].Addr, g.Values[1].Number, g.Entries)
	}
	// Output:
	// 10.0.0.1 443 3
	// 10.0.0.2 443 1
}

// connection is a TCP connection to port 443 of 192.0.2.1.
func connection(src string, port uint16) *ctnetlink.FlowSpec {
	orig := ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldPorts | ctnetlink.FieldProto,
		Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr("192.0.2.1"),
		SrcPort: port, DstPort: 443, Proto: ctnetlink.ProtoTCP,
	}
	reply := orig
	reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = orig.Dst, orig.Src, orig.DstPort, orig.SrcPort
	return &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4, Orig: orig, Reply: reply, Timeout: time.Minute,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout),
	}
}
