package format

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Times are written in the local zone: here two hours east of Greenwich.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("EET", 2*60*60)
	os.Exit(m.Run())
}

// now is 2026-11-21 04:58:01.261197 UTC.
var now = time.Unix(1795237081, 261197000)

// min4 is the least that an IPv4 entry carries.
func min4(proto ctnetlink.Protocol) []byte { return both(proto, "10.0.0.2", "192.0.2.1", 40296, 80) }

func labelMap(names map[int]string) []string {
	out := make([]string, 128)
	for n, name := range names {
		out[n] = name
	}
	return out
}

func TestClassic(t *testing.T) {
	const second = 1e9
	web := labelMap(map[int]string{0: "web", 33: "two words", 127: "last"})
	for _, g := range []golden{
		{name: "everything of a dump",
			msg: v4(
				nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(6, 40296, 8080)),
				nest(2, addrs("192.0.2.2", "192.0.2.1"), ports(6, 80, 40296)),
				status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(119), tcpState(7),
				counters(9, 7, 450), counters(10, 6, 697), started(1795237077*second), helper("ftp"), labels(0)),
			opts: Options{Extended: true, ID: true, KTimestamp: true, Labels: true, LabelNames: web},
			ctx:  Context{Now: time.Unix(1795237078, 0)},
			want: "ipv4     2 tcp      6 119 TIME_WAIT src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=8080 packets=7 bytes=450 src=192.0.2.2 dst=192.0.2.1 sport=80 dport=40296 packets=6 bytes=697 [ASSURED] mark=7 delta-time=1 [start=Sat Nov 21 06:57:57 2026] helper=ftp use=1 id=3152748731 labels=web"},
		{name: "least",
			msg:  v4(min4(6)),
			want: "tcp      6 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "attributes of 0 are shown",
			msg:  v4(min4(17), status(stPlain), mark(0), timeout(0), use(0), id(0), zone(0), u32(17, 0), counters(9, 0, 0)),
			opts: Options{ID: true},
			want: "udp      17 0 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 packets=0 bytes=0 [UNREPLIED] src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 mark=0 secmark=0 zone=0 use=0 id=0"},
		{name: "nothing",
			msg: v4(), want: ""},
		{name: "event of nothing",
			msg: v4(), ctx: Context{Event: EventNew, PortID: 4}, want: "    [NEW] [USERSPACE] portid=4"},
		{name: "of a network namespace",
			msg: v4(mark(3)), ctx: Context{Event: EventNew, PortID: 4, NetNS: "web\x1b"}, want: `    [NEW] mark=3 netns=web\x1b [USERSPACE] portid=4`},
		{name: "no reply tuple",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(6, 1, 2)), status(stPlain|stSeen)), want: "tcp      6 src=1.2.3.4 dst=5.6.7.8 sport=1 dport=2"},
		{name: "no addresses",
			msg: v6(nest(1, ports(17, 1, 2))), want: "udp      17 src=:: dst=:: sport=1 dport=2"},
		{name: "unknown family",
			msg: message(0x100, 7, min4(17)), opts: Options{Extended: true},
			want: "unknown  7 udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "IPv6",
			msg: v6(both(6, "2001:db8::1", "::10.0.0.1", 1, 2), tcpState(9)), opts: Options{Extended: true},
			want: "ipv6     10 tcp      6 SYN_SENT2 src=2001:db8::1 dst=::10.0.0.1 sport=1 dport=2 src=::10.0.0.1 dst=2001:db8::1 sport=2 dport=1"},
		{name: "state without a name",
			msg: v4(min4(6), tcpState(10)), want: "tcp      6 NONE src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "state of a protocol without states",
			msg: v4(min4(17), tcpState(3)), want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "sctp",
			msg: v4(min4(132), sctpState(8, 1, 2)), want: "sctp     132 HEARTBEAT_SENT src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "dccp",
			msg: v4(min4(33), dccpState(4, 1)), want: "dccp     33 OPEN src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "dccp without ports",
			msg:  v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(33)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(33))),
			want: "dccp     33 src=1.2.3.4 dst=5.6.7.8 sport=0 dport=0 src=5.6.7.8 dst=1.2.3.4 sport=0 dport=0"},
		{name: "udplite",
			msg: v4(min4(136)), want: "udplite  136 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "gre",
			msg: v4(both(47, "1.2.3.4", "5.6.7.8", 0, 0xbeef)), want: "gre      47 src=1.2.3.4 dst=5.6.7.8 srckey=0x0 dstkey=0xbeef src=5.6.7.8 dst=1.2.3.4 srckey=0xbeef dstkey=0x0"},
		{name: "icmp",
			msg:  v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), query(1, 8, 3, 77)), nest(2, addrs("5.6.7.8", "1.2.3.4"), query(1, 0, 3, 77))),
			want: "icmp     1 src=1.2.3.4 dst=5.6.7.8 type=8 code=3 id=77 src=5.6.7.8 dst=1.2.3.4 type=0 code=3 id=77"},
		{name: "icmpv6",
			msg:  v6(nest(1, addrs("fd00::1", "fd00::2"), query(58, 128, 0, 65535)), nest(2, addrs("fd00::2", "fd00::1"), query(58, 129, 0, 65535))),
			want: "icmpv6   58 src=fd00::1 dst=fd00::2 type=128 code=0 id=65535 src=fd00::2 dst=fd00::1 type=129 code=0 id=65535"},
		{name: "other protocol",
			msg:  v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(99)), timeout(600)),
			want: "unknown  99 600 src=1.2.3.4 dst=5.6.7.8 src=5.6.7.8 dst=1.2.3.4"},
		{name: "zones of directions",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(17, 1, 2), tupleZone(5)), nest(2, addrs("5.6.7.8", "1.2.3.4"), ports(17, 2, 1), tupleZone(0)),
				counters(9, 1, 2), counters(10, 3, 4)),
			want: "udp      17 src=1.2.3.4 dst=5.6.7.8 sport=1 dport=2 zone-orig=5 packets=1 bytes=2 src=5.6.7.8 dst=1.2.3.4 sport=2 dport=1 zone-reply=0 packets=3 bytes=4"},
		{name: "offloaded in hardware",
			msg: v4(min4(17), status(0xc00e)), want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 [HW_OFFLOAD]"},
		{name: "offloaded",
			msg: v4(min4(17), status(0x400e)), want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 [OFFLOAD]"},
		{name: "destruction by a process",
			msg:  v4(min4(17), id(703169038), status(stPlain|1<<9), counters(9, 1, 31), lived(1795237077*second, 1795237081*second-1), eventAt(1795237081261197999)),
			opts: Options{Timestamp: true, KTimestamp: true, ID: true},
			ctx:  Context{Event: EventDestroy, PortID: 3420058817, Program: "conntrack", Now: time.Unix(1, 0)},
			want: "[1795237081.261197]\t[DESTROY] udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 packets=1 bytes=31 [UNREPLIED] src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 delta-time=3 [start=Sat Nov 21 06:57:57 2026] [stop=Sat Nov 21 06:58:00 2026] id=703169038 [USERSPACE] portid=3420058817 progname=conntrack"},
		{name: "event by the clock, small numbers",
			msg:  v4(min4(17)),
			opts: Options{Timestamp: true}, ctx: Context{Event: EventUpdate, Now: time.Unix(1234567, 89000)},
			want: "[01234567.000089]\t [UPDATE] udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "resynchronisation",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99))), opts: Options{Timestamp: true}, ctx: Context{Event: EventResync},
			want: "[1795237081.261197]\t [RESYNC] unknown  99 src=1.2.3.4 dst=5.6.7.8"},
		{name: "timestamp of an entry that was listed",
			msg: v4(min4(17)), opts: Options{Timestamp: true}, want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "seconds are counted by clocks without fractions",
			msg: v4(min4(17), started(1795237077*second+999999999)), ctx: Context{Now: time.Unix(1795237078, 1)},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 delta-time=1"},
		{name: "clock set back",
			msg: v4(min4(17), started(1795237077*second)), ctx: Context{Now: time.Unix(1795237000, 0)},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 delta-time=0"},
		{name: "end without a beginning",
			msg: v4(min4(17), nest(20, u64(2, 7*second))), opts: Options{KTimestamp: true},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 [stop=Thu Jan  1 02:00:07 1970]"},
		{name: "labels",
			msg: v4(min4(17), labels(0, 1, 33, 127)), opts: Options{Labels: true, LabelNames: web},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 labels=web,two words,last"},
		{name: "labels without names",
			msg: v4(min4(17), labels(1, 126)), opts: Options{Labels: true, LabelNames: web},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "labels not asked for",
			msg: v4(min4(17), labels(0)), opts: Options{LabelNames: web},
			want: "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296"},
		{name: "names that would command a terminal",
			msg:  v4(min4(17), helper("f\x1b[2Jtp\n"), secctx("u:\xc2\x9b\xff<ö>")),
			ctx:  Context{Event: EventNew, PortID: 1, Program: "x\n-F"},
			want: `    [NEW] udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 secctx=u:\xc2\x9b\xff<ö> helper=f\x1b[2Jtp\x0a [USERSPACE] portid=1 progname=x\x0a-F`},
	} {
		if g.ctx.Now.IsZero() {
			g.ctx.Now = now
		}
		g.check(t, StyleClassic)
	}
}

// Without a clock in the context, the system's is asked.
func TestClock(t *testing.T) {
	f := flow(t, v4(min4(17), started(uint64(time.Now().UnixNano()))))
	got := string(NewPrinter(Options{}).AppendFlow(nil, f, nil))
	want := "udp      17 src=10.0.0.2 dst=192.0.2.1 sport=40296 dport=80 src=192.0.2.1 dst=10.0.0.2 sport=80 dport=40296 delta-time="
	if got != want+"0\n" && got != want+"1\n" {
		t.Errorf("got %q", got)
	}
}

func TestHeaders(t *testing.T) {
	const declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	for _, x := range []struct {
		o    Options
		want [3]string
	}{
		{Options{}, [3]string{}},
		{Options{Style: StyleSave}, [3]string{}},
		{Options{Style: StyleXML}, [3]string{declaration + "<conntrack>\n", "</conntrack>\n", ""}},
		{Options{Style: StyleXML, Expect: true}, [3]string{declaration + "<expect>\n", "</expect>\n", ""}},
		{Options{Style: StyleJSON}, [3]string{"[\n", "\n]\n", "[]\n"}},
		{Options{Style: StyleJSON, Expect: true}, [3]string{"[\n", "\n]\n", "[]\n"}},
		{Options{Style: StyleJSONL}, [3]string{}},
		{Options{Style: StyleCSV, Columns: []*Field{FieldByName("src"), FieldByName("reply-src")}}, [3]string{"src,reply_src\n", "", "src,reply_src\n"}},
	} {
		p := NewPrinter(x.o)
		for i, f := range []func([]byte) []byte{p.AppendHeader, p.AppendFooter, p.AppendEmpty} {
			if got := string(f([]byte("x"))); got != "x"+x.want[i] {
				t.Errorf("%+v, %d: %q", x.o, i, got)
			}
		}
	}
}

func TestResynced(t *testing.T) {
	for style, want := range map[Style]string{
		StyleClassic: " [RESYNC] 1234 entries\n",
		StyleXML:     `<resync entries="1234"/>` + "\n",
		StyleSave:    "",
		StyleJSONL:   `{"event":"resynced","time":"2026-11-21T04:58:01.261197000Z","entries":1234}` + "\n",
		StyleCSV:     "resynced,2026-11-21T04:58:01.261197000Z" + strings.Repeat(",", len(strings.Fields(csvFlow+csvFlowEnd))) + "\n",
	} {
		if got := string(NewPrinter(Options{Style: style, Events: true}).AppendResynced([]byte("x"), 1234, &Context{Now: time.Unix(1795237081, 261197000)})); got != "x"+want {
			t.Errorf("style %d: %q", style, got)
		}
	}
}

// A label set may be longer than the names, and end in the middle of a word.
func TestLabelSets(t *testing.T) {
	p := NewPrinter(Options{Labels: true, LabelNames: []string{"a", "", "c"}})
	for set, want := range map[string]string{
		"":                                 "",
		"\x07":                             "",
		string(make([]byte, 64)):           "",
		"\xff\xff\xff\xff\xff\xff\xff\xff": "a,c",
		"\xff\xff\xff\xff\xff":             "a,c",
	} {
		if got := string(p.appendLabels([]byte("x"), []byte(set), ",")); got != "x"+want {
			t.Errorf("%x: %q", set, got)
		}
	}
	if len(p.labels) > ctnetlink.MaxLabels {
		t.Error("more names than bits")
	}
}
