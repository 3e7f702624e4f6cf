package timo_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
	"github.com/gonntrack/gonntrack/ctnetlink/timo"
)

// deleteFrom deletes the connections of a source. It is written for
// ti-mo/conntrack: only the type of its first parameter was *conntrack.Conn.
func deleteFrom(c timo.Client, src netip.Addr) (deleted int, err error) {
	flows, err := c.Dump(nil)
	if err != nil {
		return 0, err
	}
	for _, f := range flows {
		if f.TupleOrig.IP.SourceAddress != src {
			continue
		}
		if err := c.Delete(f); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

// A test of a function that was written for ti-mo/conntrack, without root or a
// kernel.
func ExampleConn() {
	c := timo.New(ctnetlink.NewConn(engine.New(engine.Options{}).Dial))
	defer c.Close()
	dst := netip.MustParseAddr("192.0.2.1")
	for i, src := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.1"} {
		f := conntrack.NewFlow(6, conntrack.StatusConfirmed, netip.MustParseAddr(src), dst, uint16(1000+i), 443, 60, 0)
		if err := c.Create(f); err != nil {
			fmt.Println(err)
			return
		}
	}

	fmt.Println(deleteFrom(c, netip.MustParseAddr("10.0.0.1")))
	left, err := c.Dump(nil)
	fmt.Println(len(left), err)
	// Output:
	// 2 <nil>
	// 1 <nil>
}

// Read a table file, which `conntrack -L -o netlink' has written, with the types
// of ti-mo/conntrack.
func ExampleFlow() {
	dir, err := os.MkdirTemp("", "timo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file, err := tablefile.Open(filepath.Join(dir, "table.nl"), tablefile.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	conn := ctnetlink.NewConn(file.Dial)
	defer conn.Close()
	f := conntrack.NewFlow(17, conntrack.StatusConfirmed|conntrack.StatusSeenReply,
		netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.53"), 4000, 53, 60, 7)
	if err := conn.Create(timo.FlowSpec(f)); err != nil {
		fmt.Println(err)
		return
	}

	for f, err := range conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		flow := timo.Flow(f)
		fmt.Println(flow.TupleOrig, flow.Status, flow.Mark)
	}
	// Output:
	// <udp, Src: 10.0.0.1:4000, Dst: 10.0.0.53:53> SEEN_REPLY|CONFIRMED 7
}
