package action

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestTuples: what is missing is the mirror of what was given.
func TestTuples(t *testing.T) {
	for _, c := range []struct{ line, orig, reply string }{
		{"-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:2 1.1.1.1:1"},
		{"-I -r 2.2.2.2 -q 1.1.1.1 -p udp --reply-port-src 2 --reply-port-dst 1 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:2 1.1.1.1:1"},
		{"-I -r 2.2.2.2 -q 1.1.1.1 -p udp --sport 1 --dport 2 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:2 1.1.1.1:1"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -p udp --reply-port-src 2 --reply-port-dst 1 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:2 1.1.1.1:1"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -q 3.3.3.3 -p udp --sport 1 --dport 2 --reply-port-src 4 --reply-port-dst 5 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:4 3.3.3.3:5"},
		// A reply with addresses needs a port: both are not made up.
		{"-I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 3.3.3.3 -p udp --sport 1 --dport 2 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2 3.3.3.3"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 3.3.3.3 -p udp --sport 1 --dport 2 --reply-port-src 4 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:4 3.3.3.3:1"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 3.3.3.3 -p gre --srckey 1 --dstkey 2 --reply-key-dst 4 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:2 3.3.3.3:4"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 3.3.3.3 -p udp --reply-port-src 4 --reply-port-dst 5 -t 9", "1.1.1.1:5 2.2.2.2:4", "2.2.2.2:4 3.3.3.3:5"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -q 3.3.3.3 -p udp --sport 1 --dport 2 --reply-port-src 4 -t 9", "1.1.1.1:1 2.2.2.2:2", "2.2.2.2:4 3.3.3.3:1"},
		{"-I -s 1.1.1.1 -d 2.2.2.2 -p 99 -t 9", "1.1.1.1 2.2.2.2", "2.2.2.2 1.1.1.1"},
	} {
		r, err := cmdline.ParseClassic(strings.Fields(c.line), nil)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		orig, reply := tuples(r)
		if got := tupleText(&orig); got != c.orig {
			t.Errorf("%s: original %s, want %s", c.line, got, c.orig)
		}
		if got := tupleText(&reply); got != c.reply {
			t.Errorf("%s: reply %s, want %s", c.line, got, c.reply)
		}
	}
}

func tupleText(t *ctnetlink.Tuple) string {
	if t.Has&ctnetlink.FieldPorts != ctnetlink.FieldPorts {
		return t.Src.String() + " " + t.Dst.String()
	}
	return netip.AddrPortFrom(t.Src, t.SrcPort).String() + " " + netip.AddrPortFrom(t.Dst, t.DstPort).String()
}

// FuzzEntry: whatever is typed, a request can be turned into what is sent.
func FuzzEntry(f *testing.F) {
	for _, line := range []string{
		"-I -s 1.1.1.1 -d ::1/129 -p 58 --icmpv6-t 1", "-n [::1]:80 -j -g :", "--mark=1/2 --zone 0x", "-p sctp --state X --role",
		"-U -p tcp --sport 1 -p icmp -t -9", "-A -p gre --srckey 99999999999999999999", "-G -r 1.1.1.1 -q 2.2.2.2 -p tcp",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "/") { // names files
			return
		}
		r, err := cmdline.ParseClassic(strings.Fields(line), nil)
		if err != nil {
			return
		}
		entry(r).AppendMessage(nil)
		named(r).AppendMessage(nil)
		expectation(r)
	})
}
