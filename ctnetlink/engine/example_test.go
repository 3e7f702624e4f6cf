package engine_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
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

// Packets, here from a slice, are judged one by one.
func ExampleTable_Track() {
	client, server := netip.MustParseAddrPort("10.0.0.2:40000"), netip.MustParseAddrPort("192.0.2.2:80")
	capture := []interface{ Bytes() []byte }{
		packets.TCP{Src: client, Dst: server, Flags: packets.SYN, Seq: 1000},
		packets.TCP{Src: server, Dst: client, Flags: packets.SYN | packets.ACK, Seq: 5000, Ack: 1001},
		packets.TCP{Src: client, Dst: server, Flags: packets.ACK, Seq: 1001, Ack: 5001},
		packets.TCP{Src: server, Dst: client, Flags: packets.RST, Seq: 4000},
		packets.TCP{Src: server, Dst: client, Flags: packets.ACK, Seq: 5001, Ack: 9000},
		packets.UDP{Src: client, Dst: netip.MustParseAddrPort("192.0.2.53:53")},
	}
	table := engine.New(engine.Options{})
	at := time.Unix(1_700_000_000, 0)
	for i, p := range capture {
		v := table.Track(&engine.Packet{Data: p.Bytes(), Time: at.Add(time.Duration(i) * time.Millisecond)})
		fmt.Printf("%d %v", i+1, v.State)
		if v.After != 0 {
			fmt.Printf(", now %v, %d s left", v.After, v.Entry.Timeout())
		}
		if v.Reason.Code != engine.NoReason {
			fmt.Printf(": %v", v.Reason)
		}
		fmt.Println()
	}
	fmt.Println(table.Len(), "entries")
	// Output:
	// 1 NEW, now SYN_SENT, 120 s left
	// 2 ESTABLISHED, now SYN_RECV, 60 s left
	// 3 ESTABLISHED, now ESTABLISHED, 432000 s left
	// 4 INVALID: RST with a wrong sequence number: 1001 bytes below what the other side acknowledged
	// 5 INVALID: acknowledges 7999 bytes more than were seen from the other side
	// 6 NEW
	// 2 entries
}
