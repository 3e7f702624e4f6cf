package show

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// reference is conntrack-tools' program.
const reference = "/usr/sbin/conntrackd"

// pair is a network namespace in which two daemons of conntrack-tools talk to each
// other over the loopback device.
type pair struct {
	t     *testing.T
	ns    *os.File
	files [2]string
}

// in returns a command in the namespace.
func (p *pair) in(name string, args ...string) *exec.Cmd {
	c := exec.Command("nsenter", append([]string{"--net=/proc/self/fd/3", name}, args...)...)
	c.ExtraFiles = []*os.File{p.ns}
	return c
}

// ask returns the answer to a request. The client repeats what is wrong with the
// configuration.
func (p *pair) ask(i int, words ...string) string {
	c := p.in(reference, append([]string{"-C", p.files[i]}, words...)...)
	c.Stderr = io.Discard
	out, _ := c.Output()
	return string(out)
}

// newPair starts two daemons, or one in the statistics mode, with a mode and the clauses
// of General.
func newPair(t *testing.T, sync string) *pair {
	t.Helper()
	if out, err := exec.Command(reference, "-v").Output(); err != nil || !bytes.Contains(out, []byte("GPLv2")) {
		t.Skip("no conntrackd of conntrack-tools")
	}
	ns, err := netlab.Namespace(nil)
	if netlab.Skip(err) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	p := &pair{t: t, ns: ns}
	if out, err := p.in("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Skipf("nsenter: %v: %s", err, out)
	}
	dir := t.TempDir()
	n := 2
	if sync == "" {
		n = 1
	}
	for i := range n {
		file := filepath.Join(dir, fmt.Sprint("c", i))
		text := "General { LockFile " + file + ".lock\nUNIX { Path " + file + ".ctl\n}\nScheduler { Type RR Priority 0 }\n" +
			"Filter From Userspace { Address Ignore { IPv4_address 127.0.0.0/8 } } }\n"
		if sync == "" {
			text += "Stats { }\n"
		} else {
			channel := fmt.Sprintf("IPv4_address 127.0.0.%d IPv4_Destination_Address 127.0.0.%d", i+1, 2-i)
			channel += " Interface lo Port 3780"
			text += "Sync { " + strings.ReplaceAll(sync, "CHANNEL", channel) + " }\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.files[i] = file
		c := p.in(reference, "-C", file)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			c.Process.Kill()
			c.Wait()
			if t.Failed() {
				t.Logf("daemon %d said:\n%s", i, &said)
			}
		})
		if !testwait.For(5*time.Second, func() bool { return p.ask(i, "-s", "runtime") != "" }) {
			t.Fatalf("daemon %d does not answer", i)
		}
	}
	return p
}

// conn opens the namespace's table.
func (p *pair) conn() *ctnetlink.Conn {
	c, err := ctnetlink.DialIn(p.ns)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	return c
}

var (
	// conntrack-tools shows the kernel's id, which no peer is told and no cache has, and
	// calls states of SCTP by the names of TCP's.
	active = regexp.MustCompile(`\[(active since|expires in) \d+s\]`)
	xmlID  = regexp.MustCompile(`<id>\d+</id>`)
	sctp   = regexp.MustCompile(`(?m)^(.*protonum="132".*)<state>[A-Z_]+</state>`)
	use    = regexp.MustCompile(` use=\d+`)
)

// sorted returns the lines of a listing in a form that does not depend on time and order.
func sorted(text string) []string {
	text = xmlID.ReplaceAllString(active.ReplaceAllString(text, "[$1]"), "")
	text = use.ReplaceAllString(sctp.ReplaceAllString(text, "$1"), "")
	l := slices.Collect(strings.Lines(text))
	slices.Sort(l)
	return l
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("%s: conntrack-tools has this line, we do not:\n%s", what, l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("%s: we have this line, conntrack-tools does not:\n%s", what, l)
		}
	}
}

// classic returns the part of an object that conntrack-tools sends.
func classicPart(o wire.Object) (dst wire.Object) {
	for len(o) >= 4 {
		n := min((int(o[0])<<8|int(o[1])+3)&^3, len(o))
		if o[3] < 64 {
			dst = append(dst, o[:n]...)
		}
		o = o[max(n, 4):]
	}
	return dst
}

// someFlows are entries of all kinds that a table can be given.
func someFlows() (list []*ctnetlink.FlowSpec) {
	n := 0
	add := func(p ctnetlink.Protocol, v6 bool, f func(s *ctnetlink.FlowSpec)) {
		n++
		src, dst := netip.MustParseAddr(fmt.Sprintf("10.1.0.%d", n)), netip.MustParseAddr("192.0.2.9")
		if v6 {
			src, dst = netip.MustParseAddr(fmt.Sprintf("fd00::%d", n)), netip.MustParseAddr("2001:db8::9")
		}
		from, to := netip.AddrPortFrom(src, uint16(1000+n)), netip.AddrPortFrom(dst, 80)
		s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(p, from, to))
		switch p {
		case ctnetlink.ProtoICMP:
			s = ctnetlink.NewFlowSpec(ctnetlink.NewICMPTuple(src, dst, 8, 0, uint16(n)))
		case ctnetlink.ProtoICMPv6:
			s = ctnetlink.NewFlowSpec(ctnetlink.NewICMPTuple(src, dst, 128, 0, uint16(n)))
		}
		s.SetTimeout(1000 * time.Second)
		if f != nil {
			f(s)
		}
		list = append(list, s)
	}
	const seen = ctnetlink.StatusSeenReply
	for _, v6 := range []bool{false, true} {
		for state := ctnetlink.TCPSynSent; state <= ctnetlink.TCPClose; state++ {
			add(ctnetlink.ProtoTCP, v6, func(s *ctnetlink.FlowSpec) { s.SetState(state) })
		}
		add(ctnetlink.ProtoTCP, v6, func(s *ctnetlink.FlowSpec) {
			s.SetState(ctnetlink.TCPEstablished)
			s.SetStatus(seen | ctnetlink.StatusAssured)
			s.SetMark(0xfffffff5, 0xffffffff)
		})
		add(ctnetlink.ProtoUDP, v6, nil)
		add(ctnetlink.ProtoUDP, v6, func(s *ctnetlink.FlowSpec) { s.SetStatus(seen) })
		add(ctnetlink.ProtoUDP, v6, func(s *ctnetlink.FlowSpec) { s.SetZone(8) })
		add(ctnetlink.ProtoUDP, v6, func(s *ctnetlink.FlowSpec) {
			a := netip.MustParseAddr(map[bool]string{false: "203.0.113.7", true: "2001:db8::7"}[v6])
			s.SetSrcNAT(ctnetlink.NAT{MinAddr: a, MaxAddr: a, MinPort: 4000, MaxPort: 4000})
		})
		add(ctnetlink.ProtoTCP, v6, func(s *ctnetlink.FlowSpec) {
			s.SetState(ctnetlink.TCPEstablished)
			a := netip.MustParseAddr(map[bool]string{false: "10.7.0.7", true: "fd00:7::7"}[v6])
			s.SetDstNAT(ctnetlink.NAT{MinAddr: a, MaxAddr: a, MinPort: 8080, MaxPort: 8080})
		})
		add(ctnetlink.ProtoUDPLite, v6, nil)
		add(ctnetlink.ProtoSCTP, v6, func(s *ctnetlink.FlowSpec) {
			s.SetProtoInfo(ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoSCTP, State: ctnetlink.SCTPEstablished,
				VTag: [2]uint32{1, 2}, Has: ctnetlink.InfoState | ctnetlink.InfoVTags})
		})
		add(ctnetlink.ProtoGRE, v6, nil)
		add(99, v6, nil)
	}
	add(ctnetlink.ProtoICMP, false, nil)
	add(ctnetlink.ProtoICMPv6, true, nil)
	return list
}

// flowLines are the lines that we make of a table.
func flowLines(t *testing.T, c *ctnetlink.Conn, e Entry, xml bool, change func(wire.Object) wire.Object) []string {
	t.Helper()
	var text []byte
	now := time.Now()
	e.Created = now
	for f, err := range c.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Orig().Src.IsLoopback() {
			continue // the filter's
		}
		o, err := wire.AppendFlow(nil, f, nil)
		if err != nil {
			t.Fatalf("%v: %v", f, err)
		}
		e.Object = change(o)
		text = AppendLine(text, &e, now, xml)
	}
	return sorted(string(text))
}

func same(o wire.Object) wire.Object { return o }

// TestOldLines compares the listings of both caches with those of conntrack-tools.
func TestOldLines(t *testing.T) {
	p := newPair(t, "Mode FTFW { } UDP { CHANNEL }")
	c := p.conn()
	list := someFlows()
	for _, s := range list {
		if err := c.Create(s); err != nil {
			t.Fatalf("%+v: %v", s.Orig, err)
		}
	}
	if !testwait.For(5*time.Second, func() bool { return strings.Count(p.ask(1, "-e"), "\n") == len(list) }) {
		t.Fatalf("%d entries are in the external cache, want %d", strings.Count(p.ask(1, "-e"), "\n"), len(list))
	}
	compareLines(t, "-i", flowLines(t, c, Entry{}, false, same), sorted(p.ask(0, "-i")))
	compareLines(t, "-i -x", flowLines(t, c, Entry{}, true, same), sorted(p.ask(0, "-i", "-x")))
	compareLines(t, "-e", flowLines(t, c, Entry{External: true}, false, classicPart), sorted(p.ask(1, "-e")))
	compareLines(t, "-e -x", flowLines(t, c, Entry{External: true}, true, classicPart), sorted(p.ask(1, "-e", "-x")))
}

// TestOldExpectations compares the listings of expectations.
func TestOldExpectations(t *testing.T) {
	p := newPair(t, "Mode FTFW { } UDP { CHANNEL } Options { ExpectationSync on }")
	c := p.conn()
	var masters []ctnetlink.Tuple
	for _, s := range someFlows() {
		if s.Orig.Proto != ctnetlink.ProtoTCP || s.ProtoInfo.State != ctnetlink.TCPEstablished {
			continue
		}
		s.SetHelper("ftp")
		if err := c.Create(s); err != nil {
			t.Skipf("no helper: %v", err)
		}
		masters = append(masters, s.Orig)
	}
	for i, m := range masters {
		x := &ctnetlink.ExpectSpec{Tuple: m, Mask: m, Master: m, Helper: "ftp"}
		x.Tuple.SrcPort, x.Tuple.DstPort = 0, uint16(4000+i)
		x.Mask.SrcPort, x.Mask.DstPort = 0, 0xffff
		ones := netip.MustParseAddr("255.255.255.255")
		if m.Src.Is6() {
			ones = netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
		}
		x.Mask.Src, x.Mask.Dst = ones, ones
		x.SetTimeout(300 * time.Second)
		if i == 1 {
			x.Flags = ctnetlink.ExpectPermanent | ctnetlink.ExpectInactive
		}
		if err := c.CreateExpect(x); err != nil {
			t.Fatalf("%+v: %v", x, err)
		}
	}
	if !testwait.For(5*time.Second, func() bool { return strings.Count(p.ask(1, "-e", "expect"), "\n") == len(masters) }) {
		t.Fatalf("%d expectations are in the external cache, want %d\n%s", strings.Count(p.ask(1, "-e", "expect"), "\n"),
			len(masters), p.ask(0, "-i", "expect"))
	}
	for _, xml := range []bool{false, true} {
		var text []byte
		now := time.Now()
		for x, err := range c.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				t.Fatal(err)
			}
			o, err := wire.AppendExpect(nil, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			text = AppendLine(text, &Entry{Object: o, Created: now}, now, xml)
		}
		words := []string{"-i", "expect", "-x"}
		if !xml {
			words = words[:2]
		}
		compareLines(t, strings.Join(words, " "), sorted(string(text)), sorted(p.ask(0, words...)))
		words[0] = "-e"
		compareLines(t, strings.Join(words, " "), sorted(string(text)), sorted(p.ask(1, words...)))
	}
}

// TestOldAlarm compares the lines of ALARM, which say when an entry expires.
func TestOldAlarm(t *testing.T) {
	p := newPair(t, "Mode ALARM { RefreshTime 1 CacheTimeout 100 } UDP { CHANNEL }")
	c := p.conn()
	if err := c.Create(someFlows()[0]); err != nil {
		t.Fatal(err)
	}
	if !testwait.For(10*time.Second, func() bool { return p.ask(1, "-e") != "" }) {
		t.Fatal("nothing is told")
	}
	compareLines(t, "-e", flowLines(t, c, Entry{External: true, Expires: time.Now()}, false, same), sorted(p.ask(1, "-e")))
}

// TestOldBypass compares the listing of the kernel's table where there is no internal
// cache: the lines have timeouts and no age. (That of conntrack-tools has no XML.)
func TestOldBypass(t *testing.T) {
	p := newPair(t, "Mode NOTRACK { DisableInternalCache on } UDP { CHANNEL }")
	c := p.conn()
	for _, s := range someFlows() {
		s.SetTimeout(10000 * time.Second)
		if err := c.Create(s); err != nil {
			t.Fatal(err)
		}
	}
	// A second may pass between the two listings.
	second := regexp.MustCompile(`(?m)^([a-z0-9]+ +\d+) (10000|99[89][0-9]) `)
	normal := func(lines []string) []string {
		return sorted(second.ReplaceAllString(strings.Join(lines, ""), "$1 999x "))
	}
	compareLines(t, "-i", normal(flowLines(t, c, Entry{Listed: true}, false, same)), normal(sorted(p.ask(0, "-i"))))
}
