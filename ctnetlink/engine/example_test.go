package engine_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// dropUnreplied is code under test: it deletes entries without a reply.
func dropUnreplied(conn *ctnetlink.Conn) (n int, err error) {
	q := &ctnetlink.DumpRequest{StatusMask: ctnetlink.StatusSeenReply}
	for f, err := range conn.Dump(q) {
		if err != nil {
			return n, err
		}
		var spec ctnetlink.FlowSpec
		spec.Identify(f)
		if err := conn.Delete(&spec); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// A test gives the code that it tests a table of its own: without privileges, on
// any system, with a clock that the test sets.
func Example() {
	now := time.Unix(1_700_000_000, 0)
	table := engine.New(engine.Options{Now: func() time.Time { return now }})
	conn := ctnetlink.NewConn(table.Dial)
	defer conn.Close()
	for port := range uint16(3) {
		en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP,
			netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 1000+port), netip.MustParseAddrPort("192.0.2.53:53")))
		en.SetTimeout(30 * time.Second)
		if port == 0 {
			en.SetStatus(ctnetlink.StatusSeenReply)
		}
		if err := conn.Create(en); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(dropUnreplied(conn))
	fmt.Println(table.Len(), "left")

	now = now.Add(time.Minute) // it times out
	left, err := conn.DumpAll(nil)
	fmt.Println(len(left), err)
	// Output:
	// 2 <nil>
	// 1 left
	// 0 <nil>
}
