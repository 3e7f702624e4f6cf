package filter_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/filter"
)

// Delete all TCP connections to ports 8000 to 8099. The engine stands in for
// the kernel: with ctnetlink.Open in place of ctnetlink.NewConn, the example
// deletes from the kernel's table.
func Example_delete() {
	conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
	defer conn.Close()
	for _, port := range []uint16{443, 8000, 8080} {
		if err := conn.Create(connection(port)); err != nil {
			fmt.Println(err)
			return
		}
	}

	m := &filter.Filter{}
	m.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
	m.Orig.SetNumber(ctnetlink.FieldDstPort, filter.NewSet(filter.Range{Min: 8000, Max: 8099}))
	for _, q := range m.Kernel() {
		for f, err := range conn.Dump(q) {
			if err != nil {
				fmt.Println(err)
				return
			}
			if !m.Match(f) {
				continue
			}
			// Identify includes the id, so that a new entry that has the
			// same tuple by then is not deleted.
			var spec ctnetlink.FlowSpec
			spec.Identify(f)
			if err := conn.Delete(&spec); err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println("deleted", f.Orig().Dst, f.Orig().DstPort)
		}
	}
	// Output:
	// deleted 192.0.2.1 8000
	// deleted 192.0.2.1 8080
}

// connection is a TCP connection from 10.0.0.1 to a port of 192.0.2.1.
func connection(port uint16) *ctnetlink.FlowSpec {
	orig := ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldPorts | ctnetlink.FieldProto,
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("192.0.2.1"),
		SrcPort: 40000, DstPort: port, Proto: ctnetlink.ProtoTCP,
	}
	reply := orig
	reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = orig.Dst, orig.Src, orig.DstPort, orig.SrcPort
	return &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4, Orig: orig, Reply: reply, Timeout: time.Minute,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout),
	}
}
