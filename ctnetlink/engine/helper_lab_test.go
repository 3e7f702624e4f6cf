package engine_test

import (
	"bufio"
	"bytes"
	enchex "encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// helperPorts are the ports whose connections get a helper in these tests.
var helperPorts = map[uint16]string{
	21: "ftp", 69: "tftp", 6667: "irc", 5060: "sip", 10080: "amanda", 137: "netbios-ns", 6566: "sane", 161: "snmp",
	1723: "pptp",
}

// helperRules is a packet filter that gives connections helpers by their
// destination port and, with nat, translates addresses of clients and of one
// server.
type helperRules struct{ nat bool }

func (helperRules) Run(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
	if at(h, -150, engine.Prerouting, from, to) || at(h, -150, engine.OutputHook, from, to) {
		if p := m.Protocol(); p == ctnetlink.ProtoTCP || p == ctnetlink.ProtoUDP {
			if name := helperPorts[destPort(m)]; name != "" {
				m.SetHelper(name, m.Family(), p)
			}
		}
	}
	return engine.Accept
}

// helperTranslations are the translations of helperRules: what comes by a, or leaves by b.
var helperTranslations = []struct {
	hook engine.Hook
	kind engine.TranslationKind
	from netip.Prefix // of the source, or for DNAT of the destination
	to   netip.Addr
}{
	{engine.Prerouting, engine.DNAT, netip.MustParsePrefix("203.0.113.100/32"), packets.Addr("192.0.2.2")},
	{engine.Postrouting, engine.SNAT, netip.MustParsePrefix("10.0.0.0/24"), packets.Addr("192.0.2.1")},
	{engine.Postrouting, engine.SNAT, netip.MustParsePrefix("fd00:a::/64"), packets.Addr("fd00:b::1")},
}

func (f helperRules) NAT(h engine.Hook, m engine.Meta, r *engine.Translation) (engine.Action, bool) {
	at, size := 12, 4
	if m.Family() == ctnetlink.FamilyIPv6 {
		at, size = 8, 16
	}
	for _, n := range helperTranslations {
		if n.kind == engine.DNAT {
			at += size
		}
		addr, _ := netip.AddrFromSlice(m.Data()[at : at+size])
		meets := n.kind == engine.DNAT && m.In() == "a" || n.kind == engine.SNAT && m.Out() == "b"
		if n.hook == h && n.from.Contains(addr) && meets {
			*r = engine.Translation{Kind: n.kind, MinAddr: n.to, MaxAddr: n.to}
			return engine.Accept, true
		}
		if n.kind == engine.DNAT {
			at -= size
		}
	}
	return engine.Accept, false
}

func (f helperRules) HasNAT(ctnetlink.Family) bool { return f.nat }

// helperLab is a table with helpers, and a socket that hears all events.
type helperLab struct {
	*testing.T
	table *engine.Table
	heard ctnetlink.Socket
	now   time.Time
}

func newHelperLab(t *testing.T, o engine.Options) *helperLab {
	l := &helperLab{T: t, table: engine.New(o), now: time.Unix(1_700_000_000, 0)}
	l.heard = listener(t, l.table)
	for g := ctnetlink.GroupExpectNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := l.heard.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// send gives the table a packet, which comes by the device a or b and leaves by
// the other, and returns its verdict and its events.
func (l *helperLab) send(b []byte, in string) (*engine.Verdict, []string) {
	l.Helper()
	p := engine.Packet{Data: b, Time: l.now, In: "a", Out: "b"}
	if in == "b" {
		p.In, p.Out = "b", "a"
	}
	v := l.table.Track(&p)
	return v, l.events()
}

// events returns the events since the last call as text.
func (l *helperLab) events() (all []string) {
	l.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, _, err := l.heard.Poll(buf)
		if err != nil {
			return all
		}
		m := wire.Message(buf[:n])
		kind := "UPDATE"
		switch {
		case m.Type()&0xff == wire.MsgDelete:
			kind = "DESTROY"
		case m.Flags()&(wire.FlagCreate|wire.FlagExcl) != 0:
			kind = "NEW"
		}
		if m.Type()>>8 == wire.SubsysExpect {
			var e ctnetlink.Expect
			if err := e.Decode(buf[:n]); err != nil {
				l.Fatal(err)
			}
			all = append(all, "EXP_"+kind+" "+expectText(&e))
			continue
		}
		var f ctnetlink.Flow
		if err := f.Decode(buf[:n]); err != nil {
			l.Fatal(err)
		}
		all = append(all, kind+" "+flowText(&f))
	}
}

// tupleText returns a tuple as "6 192.0.2.2>10.0.0.2 20>25605".
func tupleText(t *ctnetlink.Tuple) string {
	s := fmt.Sprintf("%d %v>%v", uint8(t.Proto), t.Src, t.Dst)
	switch {
	case t.Proto == ctnetlink.ProtoICMP || t.Proto == ctnetlink.ProtoICMPv6:
		s += fmt.Sprintf(" %d/%d id %d", t.ICMPType, t.ICMPCode, t.ICMPID)
	case t.Has&ctnetlink.FieldPorts != 0:
		s += fmt.Sprintf(" %d>%d", t.SrcPort, t.DstPort)
	}
	return s
}

// expectText returns what a message says of an expectation, in one line.
func expectText(e *ctnetlink.Expect) string {
	timeout, _ := e.Timeout()
	flags, _ := e.Flags()
	class, _ := e.Class()
	s := fmt.Sprintf("%s mask %s timeout %d flags %d class %d", tupleText(e.Tuple()), tupleText(e.Mask()),
		timeout/time.Second, flags, class)
	if h, _ := e.Helper(); len(h) > 0 {
		s += " help " + string(h)
	}
	if fn, _ := e.Fn(); len(fn) > 0 {
		s += " fn " + string(fn)
	}
	if n, ok := e.NAT(); ok {
		dir := 0
		if n.Reply {
			dir = 1
		}
		s += fmt.Sprintf(" nat %d %s", dir, tupleText(&n.Tuple))
	}
	return s
}

// flowText returns what a message says of an entry, in one line.
func flowText(f *ctnetlink.Flow) string {
	status, _ := f.Status()
	s := fmt.Sprintf("%s reply %s status %x", tupleText(f.Orig()), tupleText(f.Reply()), uint32(status))
	if v, ok := f.Timeout(); ok {
		s += fmt.Sprintf(" timeout %d", v/time.Second)
	}
	if v, ok := f.State(); ok {
		s += " state " + v.String()
	}
	if v, _ := f.Helper(); len(v) > 0 {
		s += " help " + string(v)
	}
	if v, ok := f.Master(); ok {
		s += " master " + tupleText(&v)
	}
	if v, _ := f.Mark(); v != 0 {
		s += fmt.Sprintf(" mark %d", v)
	}
	for i, name := range []string{" seqadj_orig", " seqadj_reply"} {
		if v, ok := f.SeqAdj(i == 1); ok {
			s += fmt.Sprintf("%s %d,%d,%d", name, v.Pos, v.Before, v.After)
		}
	}
	return s
}

var timeoutText = regexp.MustCompile(` timeout (\d+)`)

// sameEvent reports whether two events are equal but for a second of the
// timeout.
func sameEvent(got, want string) bool {
	g, w := timeoutText.FindStringSubmatch(got), timeoutText.FindStringSubmatch(want)
	if g != nil && w != nil && g[1] != w[1] {
		a, _ := strconv.Atoi(g[1])
		b, _ := strconv.Atoi(w[1])
		if a-b == 1 || b-a == 1 {
			got = strings.Replace(got, g[0], w[0], 1)
		}
	}
	return got == want
}

// TestHelperTranscripts: conversations in testdata/helpers with what Linux 6.18
// made of each packet. A line without indentation is a packet: the device by
// which it comes, and its bytes. Behind it: verdict and direction; how it leaves
// if it was changed, or "dropped"; the events. "wait" lets time pass, and "flush"
// removes all entries.
func TestHelperTranscripts(t *testing.T) {
	names, err := filepath.Glob("testdata/helpers/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			playTranscript(t, b)
		})
	}
}

func playTranscript(t *testing.T, text []byte) {
	rules := helperRules{nat: bytes.HasPrefix(text, []byte("# nat"))}
	l := newHelperLab(t, engine.Options{Rules: rules})
	var got []string
	title, line := "", 0
	check := func() {
		t.Helper()
		if len(got) > 0 {
			t.Errorf("line %d, %s: also got %q", line, title, got)
		}
	}
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line++
		s := in.Text()
		switch {
		case s == "":
		case s[0] == '#':
			title = s
		case s == "flush":
			check()
			if got = nil; l.flush() != nil {
				t.Fatal("flush")
			}
		case strings.HasPrefix(s, "wait "):
			d, err := time.ParseDuration(s[5:])
			if err != nil {
				t.Fatal(err)
			}
			l.now = l.now.Add(d)
		case s[0] != ' ':
			check()
			p, err := enchex.DecodeString(s[2:])
			if err != nil {
				t.Fatal(err)
			}
			v, events := l.send(p, s[:1])
			got = verdictText(p, v)
			got = append(got, events...)
		case len(got) == 0:
			t.Errorf("line %d, %s: missing %q", line, title, s[2:])
		default:
			if !sameEvent(got[0], s[2:]) {
				t.Errorf("line %d, %s:\n got %s\nwant %s", line, title, got[0], s[2:])
			}
			got = got[1:]
		}
		if t.Failed() {
			return
		}
	}
	check()
}

// verdictText returns a verdict as a transcript has it.
func verdictText(in []byte, v *engine.Verdict) (all []string) {
	dir := "original"
	if v.Reply {
		dir = "reply"
	}
	if v.State == engine.StateInvalid {
		dir = "-"
	}
	all = append(all, v.State.String()+" "+dir)
	if v.Fate == engine.Dropped {
		return append(all, "dropped")
	}
	for _, p := range v.Leaves {
		if !bytes.Equal(p, in) {
			all = append(all, "leaves "+enchex.EncodeToString(p))
		}
	}
	return all
}

func addrPort(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }
