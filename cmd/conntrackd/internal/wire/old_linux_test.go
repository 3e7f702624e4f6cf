package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// The requests of conntrack-tools' control socket.
const (
	requestKill   = 20
	requestBulk   = 22
	requestResync = 44
)

// oldDaemon is conntrack-tools' conntrackd in a network namespace of its own, which
// sends its messages to received.
type oldDaemon struct {
	dir      string
	ns       *os.File
	cmd      *exec.Cmd
	received net.PacketConn
}

// within calls f by a thread of the namespace.
func (d *oldDaemon) within(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := unix.Setns(int(d.ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// run runs a program to its end.
func run(input string, name string, arg ...string) error {
	c := exec.Command(name, arg...)
	c.Stdin = bytes.NewReader([]byte(input))
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", c.Args, err, out)
	}
	return nil
}

func startOld(t *testing.T) *oldDaemon {
	t.Helper()
	for _, p := range []string{"conntrackd", "ip", "nft"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("SKIPPED, no %s", p)
		}
	}
	ns, err := netlab.Namespace(nil)
	if err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	t.Cleanup(func() { ns.Close() })
	d := &oldDaemon{dir: t.TempDir(), ns: ns}
	conf := fmt.Sprintf(`Sync {
 Mode NOTRACK { }
 UDP { IPv4_address 127.0.0.1
  IPv4_Destination_Address 127.0.0.2
  Port 3780
  Interface lo }
 Options { TCPWindowTracking On
  ExpectationSync On }
}
General {
 LockFile %[1]s/lock
 UNIX { Path %[1]s/ctl }
 Scheduler { Type RR Priority 0 }
 Filter From Userspace { Address Ignore { IPv4_address 127.0.0.0/8 } }
}
`, d.dir)
	if err := os.WriteFile(filepath.Join(d.dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	d.within(t, func() error {
		if err := run("", "ip", "link", "set", "lo", "up"); err != nil {
			return err
		}
		// Labels are there where a rule uses them.
		rules := "table inet x {\n chain c {\n type filter hook forward priority 0; ct label set 1\n }\n}\n"
		if err := run(rules, "nft", "-f", "-"); err != nil {
			return err
		}
		if d.received, err = net.ListenPacket("udp", "127.0.0.2:3780"); err != nil {
			return err
		}
		d.cmd = exec.Command("conntrackd", "-C", filepath.Join(d.dir, "conf"))
		return d.cmd.Start()
	})
	t.Cleanup(func() {
		d.request(requestKill)
		d.cmd.Wait()
		d.received.Close()
	})
	if !testwait.For(10*time.Second, func() bool { return d.request(255) }) {
		t.Fatal("conntrackd does not answer")
	}
	return d
}

// request makes a request at the control socket, and reports whether it was answered.
func (d *oldDaemon) request(n uint32) bool {
	c, err := net.Dial("unix", filepath.Join(d.dir, "ctl"))
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testwait.Scale(5 * time.Second)))
	if _, err := c.Write(binary.NativeEndian.AppendUint32(nil, n)); err != nil {
		return false
	}
	_, err = c.Read(make([]byte, 1))
	return err != nil // the end
}

// oldEntries are entries of all kinds.
func oldEntries() []*ctnetlink.FlowSpec {
	addr := netip.MustParseAddr
	make := func(orig ctnetlink.Tuple, change func(s *ctnetlink.FlowSpec)) *ctnetlink.FlowSpec {
		s := ctnetlink.NewFlowSpec(orig)
		s.Reply = orig.Reverse()
		s.SetTimeout(5000 * time.Second)
		s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
		change(s)
		return s
	}
	v4 := func(p ctnetlink.Protocol, n int) ctnetlink.Tuple {
		return flowTuple(p, fmt.Sprintf("10.0.0.%d:1000", n), "192.0.2.1:2000")
	}
	v6 := func(p ctnetlink.Protocol, n int) ctnetlink.Tuple {
		return flowTuple(p, fmt.Sprintf("[fd01::%d]:1000", n), "[fd02::1]:2000")
	}
	to := func(a string, port uint16) ctnetlink.NAT {
		return ctnetlink.NAT{MinAddr: addr(a), MaxAddr: addr(a), MinPort: port, MaxPort: port}
	}
	established := tcpInfo(3)
	established.WScale = [2]uint8{7, 9}
	established.Has |= ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply
	plain := func(*ctnetlink.FlowSpec) {}
	master := v4(ctnetlink.ProtoTCP, 20)
	return []*ctnetlink.FlowSpec{
		make(v4(ctnetlink.ProtoTCP, 1), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetSrcNAT(to("192.0.2.9", 0))
			s.SetMark(42, 0xffffffff)
		}),
		make(v4(ctnetlink.ProtoTCP, 2), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetDstNAT(to("192.0.2.10", 80))
		}),
		make(v4(ctnetlink.ProtoUDP, 3), func(s *ctnetlink.FlowSpec) {
			s.SetSrcNAT(to("192.0.2.9", 3000))
			s.SetDstNAT(to("192.0.2.11", 53))
		}),
		make(v4(ctnetlink.ProtoUDP, 4), func(s *ctnetlink.FlowSpec) { s.SetZone(7) }),
		make(v4(ctnetlink.ProtoUDP, 4), plain),
		make(v6(ctnetlink.ProtoTCP, 5), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetSrcNAT(to("fd02::9", 4000))
			s.SetDstNAT(to("fd02::10", 81))
		}),
		make(v6(ctnetlink.ProtoUDP, 6), func(s *ctnetlink.FlowSpec) { s.SetLabels(ctnetlink.NewLabels(1, 70), nil) }),
		make(ctnetlink.NewICMPTuple(addr("10.0.0.7"), addr("192.0.2.1"), 8, 0, 258), func(s *ctnetlink.FlowSpec) {
			s.SetSrcNAT(to("192.0.2.9", 258))
		}),
		make(ctnetlink.NewICMPTuple(addr("fd01::8"), addr("fd02::1"), 128, 0, 0x1234), plain),
		make(v4(ctnetlink.ProtoSCTP, 9), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(ctnetlink.ProtoInfo{
				Proto: ctnetlink.ProtoSCTP, Has: ctnetlink.InfoState | ctnetlink.InfoVTags,
				State: ctnetlink.NewState(ctnetlink.ProtoSCTP, 4), VTag: [2]uint32{0x1234, 0x56789abc},
			})
		}),
		make(v4(ctnetlink.ProtoUDPLite, 10), plain),
		make(v4(ctnetlink.ProtoGRE, 11), plain),
		make(v4(50, 12), plain),
		make(master, func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetHelper("ftp")
			s.SetSrcNAT(to("192.0.2.9", 0))
			s.SeqAdj[0] = ctnetlink.SeqAdj{Pos: 0x3a5167ef, Before: 3, After: -1}
			s.SeqAdj[1] = ctnetlink.SeqAdj{Pos: 5, Before: 6, After: 7}
			s.Set = s.Set.With(ctnetlink.AttrSeqAdjOrig).With(ctnetlink.AttrSeqAdjReply)
		}),
		make(v4(ctnetlink.ProtoTCP, 21), func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(established)
			s.SetMaster(master)
		}),
		make(v4(ctnetlink.ProtoUDP, 13), func(s *ctnetlink.FlowSpec) {
			s.Orig.Zone, s.Orig.Has = 8, s.Orig.Has|ctnetlink.FieldZone
		}),
	}
}

// withoutNoise returns an object without what differs between two tellings of the same
// entry: the timeout's value, which must be about the one that was set, and the ports of
// translated queries, which are 0.
func withoutNoise(t *testing.T, o []byte) []byte {
	t.Helper()
	o = bytes.Clone(o)
	for i := 0; ; {
		num, v, end := Object(o).next(i)
		if end == 0 {
			return o
		}
		switch {
		case num == int(connAttrs[sTimeout].num) && !Object(o).Expect():
			if n := binary.BigEndian.Uint32(v); n > 5000 || n < 4000 {
				t.Errorf("timeout %d", n)
			}
			copy(v, "\x00\x00\x00\x00")
		case num == int(expectAttrs[xTimeout].num) && Object(o).Expect():
			copy(v, "\x00\x00\x00\x00")
		case (num == 14 || num == 15) && v[0]|v[1] == 0 && !Object(o).Expect():
			o = append(o[:i], o[end:]...)
			continue
		}
		i = end
	}
}

// TestAgainstOld makes entries and expectations of all kinds in the kernel, and compares
// the objects that we make of what it tells with the messages of conntrack-tools' daemon.
func TestAgainstOld(t *testing.T) {
	d := startOld(t)
	conn, err := ctnetlink.DialIn(d.ns)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range oldEntries() {
		if err := conn.Create(s); err != nil {
			t.Fatalf("%v: %v", &s.Orig, err)
		}
	}
	x := &ctnetlink.ExpectSpec{
		Tuple:  flowTuple(ctnetlink.ProtoTCP, "10.0.0.20:0", "192.0.2.1:37989"),
		Mask:   flowTuple(ctnetlink.ProtoTCP, "255.255.255.255:0", "255.255.255.255:65535"),
		Master: flowTuple(ctnetlink.ProtoTCP, "10.0.0.20:1000", "192.0.2.1:2000"),
		Helper: "ftp",
		NAT:    ctnetlink.ExpectNAT{Reply: true, Tuple: flowTuple(ctnetlink.ProtoTCP, "10.0.0.99:37989", "0.0.0.0:0")},
	}
	x.SetTimeout(300 * time.Second)
	if err := conn.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	mine := make(map[Key]Object)
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Orig().Src.IsLoopback() {
			continue // the messages themselves
		}
		o, err := WindowTracking.AppendFlow(nil, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		mine[o.Key()] = o
	}
	for e, err := range conn.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			t.Fatal(err)
		}
		o, err := AppendExpect(nil, e, nil)
		if err != nil {
			t.Fatal(err)
		}
		mine[o.Key()] = o
	}
	d.compare(t, mine)
}

// compare has the daemon send all that is in its kernel, until each entry was seen as
// our objects have it.
func (d *oldDaemon) compare(t *testing.T, mine map[Key]Object) {
	theirs := make(map[string]bool)
	for _, o := range mine {
		cut := o
		for i := 0; ; {
			num, _, end := o.next(i)
			if end == 0 || num >= firstOurs {
				cut = o[:i]
				break
			}
			i = end
		}
		theirs[string(withoutNoise(t, cut))] = false
	}
	if len(mine) != len(oldEntries())+1 {
		t.Errorf("%d objects of %d", len(mine), len(oldEntries())+1)
	}
	missing, buf := len(theirs), make([]byte, 65536)
	strange := make(map[string]Type)
	d.request(requestResync)
	d.request(requestBulk)
	again := time.Now()
	found := testwait.For(10*time.Second, func() bool {
		if time.Since(again) > time.Second {
			d.request(requestBulk)
			again = time.Now()
		}
		d.received.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, _, err := d.received.ReadFrom(buf)
		if err != nil {
			return missing == 0
		}
		for b := buf[:n]; len(b) > 0; {
			h, payload, rest, err := Next(b)
			if b = rest; err != nil {
				t.Errorf("%+v: %v", h, err)
			}
			if h.Type == Control {
				continue
			}
			p := string(withoutNoise(t, payload))
			if seen, known := theirs[p]; known && !seen {
				theirs[p] = true
				missing--
			} else if !known {
				strange[p] = h.Type
			}
			if o, err := Merge(nil, h.Type, nil, payload); err != nil || o.Ours() {
				t.Errorf("Merge of %x: %v", payload, err)
			}
		}
		return missing == 0
	})
	if found {
		return
	}
	for p, seen := range theirs {
		if !seen {
			t.Errorf("not sent by conntrackd: %x", p)
		}
	}
	for p, typ := range strange {
		t.Errorf("sent by conntrackd (type %d): %x", typ, p)
	}
}
