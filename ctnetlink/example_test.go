package ctnetlink_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// The examples use the table of package engine, so that they run everywhere. With
// the kernel's, a program begins with ctnetlink.Dial instead.

// dial returns a Conn on a table with connections to some ports of 192.0.2.1.
func dial(ports ...uint16) *ctnetlink.Conn {
	conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
	for _, port := range ports {
		en := ctnetlink.NewFlowSpec(connection(port))
		en.SetTimeout(time.Hour)
		en.SetState(ctnetlink.TCPEstablished)
		if err := conn.Create(en); err != nil {
			panic(err)
		}
	}
	return conn
}

// connection is the tuple of a TCP connection.
func connection(port uint16) ctnetlink.Tuple {
	return ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("10.0.0.1:40000"),
		netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port))
}

// List all entries.
func Example() {
	conn := dial(80, 443) // conn, err := ctnetlink.Dial()
	defer conn.Close()
	for f, err := range conn.Dump(nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		state, _ := f.State()
		fmt.Println(f.Orig(), state)
	}
	// Output:
	// tcp 10.0.0.1:40000 -> 192.0.2.1:80 ESTABLISHED
	// tcp 10.0.0.1:40000 -> 192.0.2.1:443 ESTABLISHED
}

// List the entries of one port. The kernel leaves out the others.
func ExampleConn_Dump() {
	conn := dial(80, 443, 8080)
	defer conn.Close()
	https := connection(443)
	q := &ctnetlink.DumpRequest{
		Family: ctnetlink.FamilyIPv4,
		Orig:   https.Only(ctnetlink.FieldProto | ctnetlink.FieldDstPort),
	}
	for f, err := range conn.Dump(q) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Orig())
	}
	// Output: tcp 10.0.0.1:40000 -> 192.0.2.1:443
}

// Create an entry that sends a connection on to another server.
func ExampleConn_Create() {
	conn := dial()
	defer conn.Close()
	en := ctnetlink.NewFlowSpec(connection(80))
	en.SetTimeout(time.Minute)
	en.SetState(ctnetlink.TCPEstablished)
	en.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	en.SetDstNAT(ctnetlink.NAT{MinAddr: netip.MustParseAddr("10.9.0.2"), MinPort: 8080})
	if err := conn.Create(en); err != nil {
		fmt.Println(err)
		return
	}
	f, err := conn.Get(en)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Orig())
	fmt.Println(f.Reply())
	fmt.Println(f.DestinationNAT())
	// Output:
	// tcp 10.0.0.1:40000 -> 192.0.2.1:80
	// tcp 10.9.0.2:8080 -> 10.0.0.1:40000
	// true
}

// Set the lower byte of an entry's mark.
func ExampleConn_Update() {
	conn := dial(80)
	defer conn.Close()
	en := &ctnetlink.FlowSpec{Orig: connection(80)}
	en.SetMark(7, 0xff)
	if err := conn.Update(en); err != nil {
		fmt.Println(err)
		return
	}
	f, err := conn.Get(en)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Mark())
	// Output: 7 true
}

// Delete many entries in few datagrams. A refusal does not stop the rest.
func ExampleBatch() {
	conn := dial(80, 443)
	defer conn.Close()
	b := conn.NewBatch()
	defer b.Close()
	ports := []uint16{80, 81, 443}
	for _, port := range ports {
		b.Delete(&ctnetlink.FlowSpec{Orig: connection(port)})
	}
	results, err := b.Do()
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, r := range results {
		fmt.Println(ports[i], r.Err)
	}
	// Output:
	// 80 <nil>
	// 81 ctnetlink: delete: No such file or directory
	// 443 <nil>
}

// Follow what happens in the table.
func ExampleConn_Subscribe() {
	conn := dial()
	defer conn.Close()
	s, err := conn.Subscribe(context.Background(), ctnetlink.ListenRequest{
		Groups: []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupDestroy},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	en := ctnetlink.NewFlowSpec(connection(80))
	en.SetTimeout(time.Minute)
	if err := errors.Join(conn.Create(en), conn.Delete(en)); err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range s.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Type, e.Flow.Orig())
		if e.Type == ctnetlink.EventDestroy {
			break
		}
	}
	fmt.Println("lost:", s.Loss().Overruns)
	// Output:
	// NEW tcp 10.0.0.1:40000 -> 192.0.2.1:80
	// DESTROY tcp 10.0.0.1:40000 -> 192.0.2.1:80
	// lost: 0
}

// Errors of the table can be compared by the names of the standard library.
func ExampleErrno() {
	conn := dial()
	defer conn.Close()
	_, err := conn.Get(&ctnetlink.FlowSpec{Orig: connection(80)})
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, ctnetlink.ENOENT))
	// Output: true true
}
