package format

import (
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// expectTuples are the tuples of an expectation: master, expected, mask.
func expectTuples(proto ctnetlink.Protocol) []byte {
	return join(
		nest(1, addrs("10.0.0.2", "192.0.2.2"), ports(proto, 32874, 21)),
		nest(2, addrs("192.0.2.2", "10.0.0.2"), ports(proto, 0, 51210)),
		nest(3, addrs("255.255.255.255", "255.255.255.0"), ports(proto, 0, 65535)))
}

const (
	expectLine = "proto=6 src=192.0.2.2 dst=10.0.0.2 sport=0 dport=51210 mask-src=255.255.255.255 mask-dst=255.255.255.0 sport=0 dport=65535 master-src=10.0.0.2 master-dst=192.0.2.2 sport=32874 dport=21"
	expectXML  = `<layer3 protonum="2" protoname="ipv4"><expected><src>192.0.2.2</src><dst>10.0.0.2</dst></expected><mask><src>255.255.255.255</src><dst>255.255.255.0</dst></mask><master><src>10.0.0.2</src><dst>192.0.2.2</dst></master></layer3>` +
		`<layer4 protonum="6" protoname="tcp"><expected><sport>0</sport><dport>51210</dport></expected><mask><sport>0</sport><dport>65535</dport></mask><master><sport>32874</sport><dport>21</dport></master></layer4>`
)

var expectTests = []struct {
	golden
	xml string
}{
	{golden{name: "as of a kernel",
		msg:  exp(expectTuples(6), u32(4, 300), u32(5, 77), str(6, "ftp"), u32(8, 0), u32(9, 0)),
		ctx:  Context{Event: EventNew, PortID: 9},
		want: "    [NEW] 300 " + expectLine + " class=0 helper=ftp"},
		`<flow type="new">` + expectXML + `<meta><helper-name>ftp</helper-name><timeout>300</timeout><class>0</class></meta></flow>`},
	{golden{name: "everything",
		msg: exp(expectTuples(6), u32(4, 299), str(6, "f<p\x1b"), u16(7, 4), u32(8, 7), u32(9, 1), str(11, "fn")), opts: Options{Timestamp: true, ID: true},
		want: "[1795237081.261197]\t299 " + expectLine + ` zone=4 PERMANENT,INACTIVE,USERSPACE class=1 helper=f<p\x1b`},
		`<flow>` + expectXML + `<meta><helper-name>f&lt;p\x1b</helper-name><timeout>299</timeout><class>1</class><zone>4</zone><when><hour>6</hour><min>58</min><sec>01</sec><wday>7</wday><day>21</day><month>11</month><year>2026</year></when><permanent/><inactive/><userspace/></meta></flow>`},
	{golden{name: "least",
		msg: exp(expectTuples(6)), want: expectLine},
		`<flow>` + expectXML + `<meta></meta></flow>`},
	{golden{name: "flags end the line",
		msg: exp(expectTuples(6), u32(8, 5)), ctx: Context{Event: EventUpdate}, want: " [UPDATE] " + expectLine + " PERMANENT,USERSPACE"},
		`<flow type="update">` + expectXML + `<meta><permanent/><userspace/></meta></flow>`},
	{golden{name: "unknown flags",
		msg: exp(expectTuples(6), u32(8, 8)), ctx: Context{Event: EventDestroy}, want: "[DESTROY] " + expectLine},
		`<flow type="destroy">` + expectXML + `<meta></meta></flow>`},
	{golden{name: "nothing",
		msg: exp(), want: "proto=0"},
		`<flow><layer3 protonum="0" protoname="unknown"><expected><src></src><dst></dst></expected><mask><src></src><dst></dst></mask><master><src></src><dst></dst></master></layer3><layer4 protonum="0" protoname="unknown"><expected></expected><mask></mask><master></master></layer4><meta></meta></flow>`},
	{golden{name: "gre",
		msg:  exp(expectTuples(47)),
		want: "proto=47 src=192.0.2.2 dst=10.0.0.2 srckey=0x0 dstkey=0xc80a mask-src=255.255.255.255 mask-dst=255.255.255.0 srckey=0x0 dstkey=0xffff master-src=10.0.0.2 master-dst=192.0.2.2 srckey=0x806a dstkey=0x15"},
		""},
	{golden{name: "small times",
		msg: exp(expectTuples(6)), opts: Options{Timestamp: true}, ctx: Context{Now: time.Unix(12, 345000)}, want: "[12      .345   ]\t" + expectLine},
		""},
}

func TestExpect(t *testing.T) {
	for _, x := range expectTests {
		if x.ctx.Now.IsZero() {
			x.ctx.Now = now
		}
		for _, style := range []Style{StyleClassic, StyleSave} {
			x.checkExpect(t, style)
		}
		if x.xml != "" {
			x.want = x.xml
			x.checkExpect(t, StyleXML)
		}
	}
}

// TestExpectNetNS: the line ends in the name of the network namespace.
func TestExpectNetNS(t *testing.T) {
	x := expectTests[len(expectTests)-1]
	x.opts, x.ctx = Options{}, Context{Now: now, NetNS: "web"}
	x.want = expectLine + " netns=web"
	x.checkExpect(t, StyleClassic)
}

// An IPv6 expectation says so.
func TestExpectIPv6(t *testing.T) {
	e := expectation(t, message(0x200, ctnetlink.FamilyIPv6,
		nest(1, addrs("::1", "fd00::2"), ports(17, 10, 20)),
		nest(2, addrs("fd00::2", "::1"), ports(17, 0, 30)),
		nest(3, addrs("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"), ports(17, 0, 65535))))
	got := string(NewPrinter(Options{}).AppendExpect(nil, e, nil))
	want := "proto=17 src=fd00::2 dst=::1 sport=0 dport=30 mask-src=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff mask-dst=:: sport=0 dport=65535 master-src=::1 master-dst=fd00::2 sport=10 dport=20\n"
	if got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	got = string(NewPrinter(Options{Style: StyleXML}).AppendExpect(nil, e, nil))
	if !strings.HasPrefix(got, `<flow><layer3 protonum="10" protoname="ipv6"><expected><src>fd00::2</src>`) {
		t.Errorf("got %q", got)
	}
}
