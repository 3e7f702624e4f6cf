package format

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

func TestXML(t *testing.T) {
	const second = 1e9
	names := labelMap(map[int]string{0: "web", 33: "a<b&\"c\">"})
	// What precedes the part of each test that differs.
	const (
		l3    = `<layer3 protonum="2" protoname="ipv4"><src>10.0.0.2</src><dst>192.0.2.1</dst></layer3>`
		l3r   = `<layer3 protonum="2" protoname="ipv4"><src>192.0.2.1</src><dst>10.0.0.2</dst></layer3>`
		orig  = `<meta direction="original">` + l3
		reply = `</meta><meta direction="reply">` + l3r
		udp   = orig + `<layer4 protonum="17" protoname="udp"><sport>40296</sport><dport>80</dport></layer4>` + reply + `<layer4 protonum="17" protoname="udp"><sport>80</sport><dport>40296</dport></layer4></meta>`
		indep = `<meta direction="independent">`
	)
	for _, g := range []golden{
		{name: "everything of a dump",
			msg: v4(
				nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(6, 40296, 8080)),
				nest(2, addrs("192.0.2.2", "192.0.2.1"), ports(6, 80, 40296), tupleZone(9)),
				zone(3), status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(119), tcpState(7), u32(17, 2), secctx("a&b"),
				counters(9, 7, 450), counters(10, 6, 697), started(1795237077123456789), helper("f<p"), labels(0, 1, 33)),
			opts: Options{Extended: true, KTimestamp: true, Timestamp: true, Labels: true, LabelNames: names},
			want: `<flow><meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>10.0.0.2</src><dst>192.0.2.1</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>40296</sport><dport>8080</dport></layer4><counters><packets>7</packets><bytes>450</bytes></counters></meta>` +
				`<meta direction="reply"><layer3 protonum="2" protoname="ipv4"><src>192.0.2.2</src><dst>192.0.2.1</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>80</sport><dport>40296</dport></layer4><zone>9</zone><counters><packets>6</packets><bytes>697</bytes></counters></meta>` +
				indep + `<state>TIME_WAIT</state><timeout>119</timeout><mark>7</mark><labels><label>web</label><label>a&lt;b&amp;&quot;c&quot;&gt;</label></labels><secmark>2</secmark><secctx>a&amp;b</secctx><zone>3</zone><use>1</use><id>3152748731</id><assured/>` +
				`<timestamp><start>1795237077123456789</start></timestamp><deltatime>4</deltatime></meta><helper>f&lt;p</helper></flow>`},
		{name: "least", msg: v4(min4(17)), want: "<flow>" + udp + "</flow>"},
		{name: "status alone", msg: v4(min4(17), status(stPlain)), want: "<flow>" + udp + indep + "<unreplied/></meta></flow>"},
		{name: "status without anything to show", msg: v4(min4(17), status(stSeen)), want: "<flow>" + udp + "</flow>"},
		{name: "labels without names", msg: v4(min4(17), labels(1)), opts: Options{Labels: true, LabelNames: names}, want: "<flow>" + udp + "</flow>"},
		{name: "counters of the reply come with the original's",
			msg: v4(min4(17), counters(9, 1, 2)),
			want: "<flow>" + orig + `<layer4 protonum="17" protoname="udp"><sport>40296</sport><dport>80</dport></layer4><counters><packets>1</packets><bytes>2</bytes></counters>` +
				reply + `<layer4 protonum="17" protoname="udp"><sport>80</sport><dport>40296</dport></layer4><counters><packets>0</packets><bytes>0</bytes></counters></meta></flow>`},
		{name: "and not alone", msg: v4(min4(17), counters(10, 1, 2)), want: "<flow>" + udp + "</flow>"},
		{name: "new", msg: v4(min4(17), timeout(30)), ctx: Context{Event: EventNew, PortID: 3, Program: "x"}, want: `<flow type="new">` + udp + indep + "<timeout>30</timeout></meta></flow>"},
		{name: "resynchronisation", msg: v4(min4(17)), ctx: Context{Event: EventResync}, want: `<flow type="resync">` + udp + "</flow>"},
		{name: "update by the clock",
			msg: v4(min4(17), helper("h")), opts: Options{Timestamp: true}, ctx: Context{Event: EventUpdate, Now: time.Unix(1795125845, 0)},
			want: `<flow type="update">` + udp + `<when><hour>0</hour><min>04</min><sec>05</sec><wday>6</wday><day>20</day><month>11</month><year>2026</year></when><helper>h</helper></flow>`},
		{name: "destruction by the table's time",
			msg:  v4(min4(17), lived(1795237077*second+900000000, 1795237079*second+100000000), eventAt(1795237081*second)),
			opts: Options{Timestamp: true, KTimestamp: true}, ctx: Context{Event: EventDestroy, Now: time.Unix(5, 0)},
			want: `<flow type="destroy">` + udp + indep + `<timestamp><start>1795237077900000000</start><stop>1795237079100000000</stop></timestamp><deltatime>1</deltatime></meta>` +
				`<when><hour>6</hour><min>58</min><sec>01</sec><wday>7</wday><day>21</day><month>11</month><year>2026</year></when></flow>`},
		{name: "age below nothing",
			msg: v4(min4(17), lived(8*second, 7*second)), want: "<flow>" + udp + indep + "<deltatime>0</deltatime></meta></flow>"},
		{name: "no tuples",
			msg: v4(), want: `<flow><meta direction="original"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3><layer4 protonum="0" protoname="unknown"></layer4></meta><meta direction="reply"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3><layer4 protonum="0" protoname="unknown"></layer4></meta></flow>`},
		{name: "unknown family",
			msg:  message(0x100, 7, nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99))),
			want: `<flow><meta direction="original"><layer3 protonum="7" protoname="unknown"><src></src><dst></dst></layer3><layer4 protonum="99" protoname="unknown"></layer4></meta><meta direction="reply"><layer3 protonum="0" protoname="unknown"><src></src><dst></dst></layer3><layer4 protonum="0" protoname="unknown"></layer4></meta></flow>`},
		{name: "sctp's states are its own",
			msg:  v4(min4(132), sctpState(4, 1, 2)),
			want: "<flow>" + orig + `<layer4 protonum="132" protoname="sctp"><sport>40296</sport><dport>80</dport></layer4>` + reply + `<layer4 protonum="132" protoname="sctp"><sport>80</sport><dport>40296</dport></layer4></meta>` + indep + `<state>ESTABLISHED</state></meta></flow>`},
		{name: "dccp's states are its own",
			msg:  v4(min4(33), dccpState(4, 0)),
			want: "<flow>" + orig + `<layer4 protonum="33" protoname="dccp"><sport>40296</sport><dport>80</dport></layer4>` + reply + `<layer4 protonum="33" protoname="dccp"><sport>80</sport><dport>40296</dport></layer4></meta>` + indep + `<state>OPEN</state></meta></flow>`},
		{name: "gre",
			msg:  v4(min4(47)),
			want: "<flow>" + orig + `<layer4 protonum="47" protoname="gre"><srckey>0x9d68</srckey><dstkey>0x50</dstkey></layer4>` + reply + `<layer4 protonum="47" protoname="gre"><srckey>0x50</srckey><dstkey>0x9d68</dstkey></layer4></meta></flow>`},
		{name: "icmpv6",
			msg:  v6(nest(1, addrs("fd00::1", "fd00::2"), query(58, 128, 0, 7)), nest(2, addrs("fd00::2", "fd00::1"), query(58, 129, 0, 7))),
			want: `<flow><meta direction="original"><layer3 protonum="10" protoname="ipv6"><src>fd00::1</src><dst>fd00::2</dst></layer3><layer4 protonum="58" protoname="icmpv6"></layer4></meta><meta direction="reply"><layer3 protonum="10" protoname="ipv6"><src>fd00::2</src><dst>fd00::1</dst></layer3><layer4 protonum="58" protoname="icmpv6"></layer4></meta></flow>`},
	} {
		if g.ctx.Now.IsZero() {
			g.ctx.Now = now
		}
		g.check(t, StyleXML)
	}
}

// Every byte that a name can hold comes through an XML parser: as itself, or,
// where XML has no way to write it, as \xNN.
// TestXMLNetNS: the name of a network namespace is an attribute of the element.
func TestXMLNetNS(t *testing.T) {
	p := NewPrinter(Options{Style: StyleXML})
	f := flow(t, v4(mark(3)))
	got := string(p.AppendFlow(nil, f, &Context{Event: EventUpdate, NetNS: `a"b`}))
	if !strings.HasPrefix(got, `<flow type="update" netns="a&quot;b"><meta `) {
		t.Errorf("event: %s", got)
	}
	if got := string(p.AppendFlow(nil, f, &Context{NetNS: "web"})); !strings.HasPrefix(got, `<flow netns="web"><meta `) {
		t.Errorf("entry: %s", got)
	}
}

func TestXMLNames(t *testing.T) {
	var name, want strings.Builder
	for c := byte(1); c != 0; c++ {
		name.WriteByte(c)
		switch {
		case c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0x7f:
			want.WriteByte(c)
		default:
			want.WriteString(`\x` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		}
	}
	name.WriteString("é漢\U0001F600\u0085\uFFFE\uFFFD")
	want.WriteString("é漢\U0001F600" + `\xc2\x85\xef\xbf\xbe` + "\uFFFD")
	got := NewPrinter(Options{Style: StyleXML}).AppendFlow(nil, flow(t, v4(helper(name.String()))), nil)
	var v struct {
		Helper string `xml:"helper"`
	}
	if err := xml.Unmarshal(got, &v); err != nil {
		t.Fatal(err)
	}
	if v.Helper != want.String() {
		t.Errorf("\n got %q\nwant %q", v.Helper, want.String())
	}
}
