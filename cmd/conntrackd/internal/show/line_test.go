package show

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// objectOf returns the object that a peer's message makes.
func objectOf(t testing.TB, ty wire.Type, text string) wire.Object {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	o, err := wire.Merge(nil, ty, nil, b)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// Payloads that conntrack-tools has sent.
const (
	ofTCP = "000c0000 0a000064 c0000264 00080005 0000019e 00050002 06000000 00080003 ed880050 00050004 03000000" +
		"00080006 00069780 0008000c c0000201"
	ofICMP = "000c0000 0a000064 c0000264 00080005 0000019a 00050002 01000000 00050016 08000000 00050017 00000000" +
		"00060018 c0230000 00080006 0000001e 0008000c c0000201 0006000e 00000000 0006000f 00000000"
	ofExpect = "000c0000 0a000064 c0000264 00050002 06000000 00080003 b9e40015 000c0004 0a000064 c0000264" +
		"00050006 06000000 00080007 00009465 000c0008 ffffffff ffffffff 0005000a 06000000 0008000b 0000ffff" +
		"0008000c 0000012c 0008000d 00000000 0008000e 00000000 000c000f 00000000 00000000 00050011 06000000" +
		"00080010 94650000 00080012 00000000 00080013 66747000 00160014 6e61742d666f6c6c6f772d6d6173746572 00 0000"
)

func TestAppendLine(t *testing.T) {
	const orig = "src=10.0.0.100 dst=192.0.2.100 sport=60808 dport=80 "
	for _, c := range []struct {
		ty    wire.Type
		text  string
		entry Entry
		want  string
	}{
		{wire.New, ofTCP, Entry{}, "tcp      6 ESTABLISHED " + orig +
			"src=192.0.2.100 dst=192.0.2.1 sport=80 dport=60808 [ASSURED] [active since 4s]"},
		{wire.New, ofTCP, Entry{External: true}, "tcp      6 ESTABLISHED " + orig + "[ASSURED] [active since 4s]"},
		{wire.New, ofTCP, Entry{External: true, Expires: noon.Add(3 * time.Second)},
			"tcp      6 ESTABLISHED " + orig + "[ASSURED] [expires in 3s] [active since 4s]"},
		{wire.New, ofTCP, Entry{Listed: true}, "tcp      6 432000 ESTABLISHED " + orig +
			"src=192.0.2.100 dst=192.0.2.1 sport=80 dport=60808 [ASSURED]"},
		{wire.New, ofICMP, Entry{External: true},
			"icmp     1 src=10.0.0.100 dst=192.0.2.100 type=8 code=0 id=9152 [active since 4s]"},
		{wire.ExpectNew, ofExpect, Entry{}, "proto=6 src=10.0.0.100 dst=192.0.2.100 sport=0 dport=37989 " +
			"mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 " +
			"master-src=10.0.0.100 master-dst=192.0.2.100 sport=47588 dport=21 class=0 helper=ftp [active since 4s]"},
	} {
		e := c.entry
		e.Object = objectOf(t, c.ty, c.text)
		e.Created = noon.Add(-4 * time.Second)
		if got := string(AppendLine([]byte("before\n"), &e, noon, false)); got != "before\n"+c.want+"\n" {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}

// TestAppendLineXML tells what an external entry has in place of the reply tuple.
func TestAppendLineXML(t *testing.T) {
	const want = `<flow><meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>10.0.0.100</src>` +
		`<dst>192.0.2.100</dst></layer3>` +
		`<layer4 protonum="6" protoname="tcp"><sport>60808</sport><dport>80</dport></layer4></meta>` +
		`<meta direction="reply"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3>` +
		`<layer4 protonum="0" protoname="unknown"></layer4></meta>` +
		`<meta direction="independent"><state>ESTABLISHED</state><assured/></meta></flow>` + "\n"
	got := AppendLine(nil, &Entry{Object: objectOf(t, wire.New, ofTCP), External: true}, noon, true)
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestAppendLineClass shows a class that is not 0, and the flags.
func TestAppendLineClass(t *testing.T) {
	x := &ctnetlink.ExpectSpec{Class: 1, Flags: ctnetlink.ExpectPermanent, Helper: "sip\x1b"}
	a, b := netip.MustParseAddrPort("[fd00::1]:1"), netip.MustParseAddrPort("[fd00::2]:2")
	x.Tuple = ctnetlink.NewTuple(ctnetlink.ProtoUDP, a, b)
	x.Mask, x.Master = x.Tuple, x.Tuple
	var e ctnetlink.Expect
	if err := e.Decode(x.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	o, err := wire.AppendExpect(nil, &e, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := string(AppendLine(nil, &Entry{Object: o, Created: noon}, noon, false))
	if !strings.HasSuffix(got, ` PERMANENT class=1 helper=sip\x1b [active since 0s]`+"\n") {
		t.Error(got)
	}
}

// FuzzAppendLine makes lines of anything: each is one line, or nothing.
func FuzzAppendLine(f *testing.F) {
	f.Add([]byte(objectOf(f, wire.New, ofTCP)))
	f.Add([]byte(objectOf(f, wire.New, ofICMP)))
	f.Add([]byte(objectOf(f, wire.ExpectNew, ofExpect)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, xml := range []bool{false, true} {
			line := AppendLine(nil, &Entry{Object: b, Created: noon}, noon, xml)
			if n := bytes.Count(line, []byte("\n")); len(line) > 0 && (n != 1 || line[len(line)-1] != '\n') {
				t.Errorf("%q", line)
			}
		}
	})
}

func BenchmarkAppendLine(b *testing.B) {
	e := &Entry{Object: objectOf(b, wire.New, ofTCP), Created: noon}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = AppendLine(buf[:0], e, noon, false)
	}
}
