package engine_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// expecting is a table with a clock that stands still, a connection to it, and
// a socket that receives the events of expectations.
type expecting struct {
	testing.TB
	*ctnetlink.Conn
	table *engine.Table
	now   time.Time
	heard ctnetlink.Socket
}

func newExpecting(t testing.TB) *expecting {
	x := &expecting{TB: t, now: time.Unix(1_700_000_000, 0)}
	x.table = engine.New(engine.Options{Now: func() time.Time { return x.now }})
	x.Conn = ctnetlink.NewConn(x.table.Dial)
	var err error
	if x.heard, err = x.table.Dial(); err != nil {
		t.Fatal(err)
	}
	for g := ctnetlink.GroupNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := x.heard.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { x.Conn.Close(); x.heard.Close() })
	return x
}

// master creates the i-th entry with a helper.
func (x *expecting) master(i int, helper string, proto ctnetlink.Protocol) *ctnetlink.FlowSpec {
	x.Helper()
	o := ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: proto,
		Src: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Dst: netip.MustParseAddr("192.0.2.1"), SrcPort: 40000,
		DstPort: 21,
	}
	r := o
	r.Src, r.Dst, r.SrcPort, r.DstPort = o.Dst, o.Src, o.DstPort, o.SrcPort
	en := &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4, Orig: o, Reply: r, Timeout: 100_000 * time.Second, Helper: helper,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout).With(ctnetlink.AttrHelp),
	}
	if err := x.Create(en); err != nil {
		x.Fatal(err)
	}
	return en
}

// expectationOf returns an expectation of UDP from the master's server to a
// port of its client.
func expectationOf(master *ctnetlink.FlowSpec, port uint16) *ctnetlink.ExpectSpec {
	ones := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	e := &ctnetlink.ExpectSpec{Family: ctnetlink.FamilyIPv4, Master: master.Orig, Tuple: ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoUDP,
		Src: master.Orig.Dst, Dst: master.Orig.Src, DstPort: port,
	}}
	e.Mask = e.Tuple
	e.Mask.Src, e.Mask.Dst, e.Mask.DstPort = ones, ones, 0xffff
	return e
}

// ports returns the destination ports of all expectations.
func (x *expecting) ports() (ports []uint16) {
	x.Helper()
	for e, err := range x.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			x.Fatal(err)
		}
		ports = append(ports, e.Tuple().DstPort)
	}
	return ports
}

// events returns the events since the last call: + or - and the port for an
// expectation, "entry" for an entry; * marks those that a request caused.
func (x *expecting) events() (all []string) {
	x.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, _, err := x.heard.Poll(buf)
		if errors.Is(err, ctnetlink.EAGAIN) {
			return all
		}
		if err != nil {
			x.Fatal(err)
		}
		if binary.NativeEndian.Uint16(buf[4:])>>8 == 1 {
			all = append(all, "entry")
			continue
		}
		var e ctnetlink.Expect
		if err := e.Decode(buf[:n]); err != nil {
			x.Fatal(err)
		}
		text := fmt.Sprintf("%c%d", "+ -"[wire.Message(e.Message()).Type()&3], e.Tuple().DstPort)
		if e.PortID() != 0 {
			text += "*"
		}
		all = append(all, text)
	}
}

func (x *expecting) hears(want ...string) {
	x.Helper()
	if got := x.events(); !slices.Equal(got, want) {
		x.Errorf("heard %q, want %q", got, want)
	}
}

// TestExpectLimits: a helper's expectations have its maximum and timeout; the
// oldest makes room.
func TestExpectLimits(t *testing.T) {
	for i, tt := range []struct {
		helper  string
		proto   ctnetlink.Protocol
		most    int
		timeout uint32
	}{
		{"ftp", ctnetlink.ProtoTCP, 1, 300}, {"tftp", ctnetlink.ProtoUDP, 1, 300}, {"sip", ctnetlink.ProtoTCP, 1, 180},
		{"sip", ctnetlink.ProtoUDP, 1, 180}, {"irc", ctnetlink.ProtoTCP, 8, 300}, {"Q.931", ctnetlink.ProtoTCP, 20, 240},
		{"H.245", ctnetlink.ProtoUDP, 18, 240}, {"RAS", ctnetlink.ProtoUDP, 32, 240}, {"amanda", ctnetlink.ProtoUDP, 4, 180},
		{"netbios-ns", ctnetlink.ProtoUDP, 1, 3}, {"pptp", ctnetlink.ProtoTCP, 2, 300}, {"sane", ctnetlink.ProtoTCP, 1, 300},
		{"snmp", ctnetlink.ProtoUDP, 1, 30},
	} {
		x := newExpecting(t)
		m := x.master(i, tt.helper, tt.proto)
		x.hears("entry")
		for n := range tt.most {
			if err := x.CreateExpect(expectationOf(m, uint16(1000+n))); err != nil {
				t.Fatal(tt.helper, err)
			}
		}
		if got := len(x.events()); got != tt.most {
			t.Errorf("%s: %d events for %d", tt.helper, got, tt.most)
		}
		for e, err := range x.DumpExpect(ctnetlink.FamilyIPv4) {
			if err != nil {
				t.Fatal(err)
			}
			if left, _ := e.Timeout(); left != time.Duration(tt.timeout)*time.Second {
				t.Errorf("%s: timeout %d, want %d", tt.helper, left, tt.timeout)
			}
		}
		if err := x.CreateExpect(expectationOf(m, 999)); err != nil {
			t.Fatal(err)
		}
		x.hears("-1000", "+999*")
		if got := len(x.ports()); got != tt.most {
			t.Errorf("%s: %d expectations, the most is %d", tt.helper, got, tt.most)
		}
	}
}

// TestExpectClock: expectations expire in the order of their timeouts, and
// Expire removes them without a request.
func TestExpectClock(t *testing.T) {
	x := newExpecting(t)
	irc, snmp := x.master(1, "irc", ctnetlink.ProtoTCP), x.master(2, "snmp", ctnetlink.ProtoUDP)
	for _, e := range []*ctnetlink.ExpectSpec{expectationOf(irc, 1), expectationOf(irc, 2), expectationOf(snmp, 3)} {
		if err := x.CreateExpect(e); err != nil {
			t.Fatal(err)
		}
	}
	x.hears("entry", "entry", "+1*", "+2*", "+3*")
	x.now = x.now.Add(29 * time.Second)
	x.table.Expire()
	x.hears()
	x.now = x.now.Add(time.Second)
	x.table.Expire()
	x.hears("-3")
	x.now = x.now.Add(270 * time.Second)
	if got := x.ports(); len(got) != 0 {
		t.Error("listed after their time:", got)
	}
	x.hears("-1", "-2")
}

// TestExpectMaster: a master's expectations are removed after it, the newest
// first.
func TestExpectMaster(t *testing.T) {
	x := newExpecting(t)
	m, other := x.master(1, "irc", ctnetlink.ProtoTCP), x.master(2, "irc", ctnetlink.ProtoTCP)
	for _, e := range []*ctnetlink.ExpectSpec{expectationOf(m, 1), expectationOf(other, 2), expectationOf(m, 3)} {
		if err := x.CreateExpect(e); err != nil {
			t.Fatal(err)
		}
	}
	x.events()
	if err := x.Delete(m); err != nil {
		t.Fatal(err)
	}
	x.hears("entry", "-3", "-1")
	if got := x.ports(); !slices.Equal(got, []uint16{2}) {
		t.Error("left:", got)
	}
	if err := x.CreateExpect(expectationOf(m, 1)); !errors.Is(err, ctnetlink.ENOENT) {
		t.Error("for a master that is gone:", err)
	}
}

// TestExpectFull: a full table of expectations refuses more.
func TestExpectFull(t *testing.T) {
	x := newExpecting(t)
	m := x.master(1, "snmp_trap", ctnetlink.ProtoUDP)
	for n := range 4096 {
		if err := x.CreateExpect(expectationOf(m, uint16(n))); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := x.CreateExpect(expectationOf(m, 5000)); !errors.Is(err, ctnetlink.Errno(24)) {
		t.Error("one too many:", err)
	}
	if got := x.ports(); len(got) != 4096 || got[4095] != 4095 {
		t.Errorf("%d listed", len(got))
	}
}

// TestExpectAnswers: requests that are refused, and their errors.
func TestExpectAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		want   error
		change func(e *ctnetlink.ExpectSpec)
	}{
		{"the same again", ctnetlink.EEXIST, func(*ctnetlink.ExpectSpec) {}},
		{"another port", nil, func(e *ctnetlink.ExpectSpec) { e.Tuple.DstPort++ }},
		{"met by the mask", ctnetlink.EEXIST, func(e *ctnetlink.ExpectSpec) { e.Tuple.SrcPort = 5 }},
		{"overlapping", ctnetlink.EBUSY, func(e *ctnetlink.ExpectSpec) {
			e.Tuple.Src, e.Mask.Src = e.Tuple.Src.Next(), netip.AddrFrom4([4]byte{255, 255, 255, 0})
		}},
		{"no tuple", ctnetlink.EINVAL, func(e *ctnetlink.ExpectSpec) { e.Tuple = ctnetlink.Tuple{} }},
		{"no mask", ctnetlink.EINVAL, func(e *ctnetlink.ExpectSpec) { e.Mask = ctnetlink.Tuple{} }},
		{"no master", ctnetlink.EINVAL, func(e *ctnetlink.ExpectSpec) { e.Master = ctnetlink.Tuple{} }},
		{"another zone", ctnetlink.ENOENT, func(e *ctnetlink.ExpectSpec) { e.Zone, e.HasZone = 3, true }},
		{"family 3", ctnetlink.EOPNOTSUPP, func(e *ctnetlink.ExpectSpec) { e.Family = 3 }},
		{"the other family", ctnetlink.EINVAL, func(e *ctnetlink.ExpectSpec) { e.Family = ctnetlink.FamilyIPv6 }},
		{"mask without ports", ctnetlink.EINVAL, func(e *ctnetlink.ExpectSpec) {
			e.Tuple.DstPort++
			e.Mask = e.Mask.Only(^ctnetlink.FieldPorts)
		}},
	} {
		x := newExpecting(t)
		m := x.master(1, "irc", ctnetlink.ProtoTCP)
		if err := x.CreateExpect(expectationOf(m, 7)); err != nil {
			t.Fatal(err)
		}
		e := expectationOf(m, 7)
		tt.change(e)
		if err := x.CreateExpect(e); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestExpectRestore: a table's messages restore the same table, with shorter
// timeouts and without what has expired.
func TestExpectRestore(t *testing.T) {
	x := newExpecting(t)
	for i, helper := range []string{"irc", "snmp"} {
		m := x.master(i, helper, []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoUDP}[i])
		for n := range uint16(1 + i%2) {
			if err := x.CreateExpect(expectationOf(m, 10*uint16(i)+n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var saved [][]byte
	for msg := range x.table.All() {
		saved = append(saved, slices.Clone(msg))
	}
	again := newExpecting(t)
	for _, msg := range saved {
		if err := again.table.Restore(msg, 10*time.Second); err != nil {
			t.Fatalf("%x: %v", msg, err)
		}
	}
	before, after := map[uint16]*ctnetlink.Expect{}, 0
	for e := range x.DumpExpect(ctnetlink.FamilyAny) {
		before[e.Tuple().DstPort] = e.Clone()
	}
	for e := range again.DumpExpect(ctnetlink.FamilyAny) {
		after++
		was := before[e.Tuple().DstPort]
		if was == nil {
			t.Fatal("not in the first table:", *e.Tuple())
		}
		a, _ := was.Timeout()
		b, _ := e.Timeout()
		ida, _ := was.ID()
		idb, _ := e.ID()
		if b != a-10*time.Second || ida != idb || *was.Mask() != *e.Mask() || *was.Master() != *e.Master() {
			t.Errorf("timeout %v, was %v; id %d, was %d", b, a, idb, ida)
		}
	}
	if after != len(before) || after == 0 {
		t.Errorf("%d of %d restored", after, len(before))
	}
	if err := again.table.Restore(saved[len(saved)-1], 10*time.Second); !errors.Is(err, ctnetlink.EEXIST) {
		t.Error("twice:", err)
	}
	late := newExpecting(t)
	for _, msg := range saved {
		if err := late.table.Restore(msg, 100*time.Second); err != nil && !errors.Is(err, engine.ErrEnded) {
			t.Fatal(err)
		}
	}
	if got := late.ports(); !slices.Equal(got, []uint16{0}) {
		t.Error("after 100 seconds there should be the irc helper's:", got)
	}
}
