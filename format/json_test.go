package format

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// jsonTuples are both tuples of min4, as JSON has them.
const jsonTuples = `"orig":{"src":"10.0.0.2","dst":"192.0.2.1","sport":40296,"dport":80},"reply":{"src":"192.0.2.1","dst":"10.0.0.2","sport":80,"dport":40296}`

func TestJSON(t *testing.T) {
	const second = 1e9
	web := labelMap(map[int]string{0: "web", 33: "two words", 40: `a"b`})
	udp := `{"family":"ipv4","proto":"udp","protonum":17,` + jsonTuples
	for _, g := range []golden{
		{name: "everything of a dump",
			msg: v4(
				nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(6, 40296, 8080)),
				nest(2, addrs("192.0.2.2", "192.0.2.1"), ports(6, 80, 40297)),
				status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(119), tcpState(7), zone(3), u32(17, 9),
				nest(14, addrs("10.0.0.2", "192.0.2.9"), ports(17, 5060, 5061)),
				counters(9, 7, 450), counters(10, 6, 697), started(1795237077*second+5), helper("ftp"), labels(0)),
			opts: Options{LabelNames: web},
			ctx:  Context{Now: time.Unix(1795237078, 0), NetNS: "blue"},
			want: `{"netns":"blue","family":"ipv4","proto":"tcp","protonum":6,"state":"TIME_WAIT","timeout":119,` +
				`"orig":{"src":"10.0.0.2","dst":"192.0.2.1","sport":40296,"dport":8080,"packets":7,"bytes":450},` +
				`"reply":{"src":"192.0.2.2","dst":"192.0.2.1","sport":80,"dport":40297,"packets":6,"bytes":697},` +
				`"nat":{"src":{"addr":"192.0.2.1","port":40297},"dst":{"addr":"192.0.2.2","port":80}},` +
				`"status":["SEEN_REPLY","ASSURED","CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"],"mark":7,"secmark":9,"zone":3,"labels":["web"],"helper":"ftp",` +
				`"master":{"proto":"udp","protonum":17,"src":"10.0.0.2","dst":"192.0.2.9","sport":5060,"dport":5061},` +
				`"start":"2026-11-21T04:57:57.000000005Z","age":1,"id":3152748731,"use":1}`},
		{name: "nothing", msg: v4(), want: `{"family":"ipv4"}`},
		{name: "no reply tuple",
			msg:  v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(6, 1, 2))),
			want: `{"family":"ipv4","proto":"tcp","protonum":6,"orig":{"src":"1.2.3.4","dst":"5.6.7.8","sport":1,"dport":2}}`},
		{name: "attributes of 0 are shown",
			msg:  v4(min4(17), status(0), mark(0), use(0), id(0), zone(0), u32(17, 0), counters(9, 0, 0), labels()),
			want: strings.Replace(udp, `80},"reply"`, `80,"packets":0,"bytes":0},"reply"`, 1) + `,"status":[],"mark":0,"secmark":0,"zone":0,"labels":[],"id":0,"use":0}`},
		{name: "only the port of the source was translated",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(17, 1, 2)), nest(2, addrs("5.6.7.8", "1.2.3.4"), ports(17, 2, 9)), status(stNAT)),
			want: `{"family":"ipv4","proto":"udp","protonum":17,"orig":{"src":"1.2.3.4","dst":"5.6.7.8","sport":1,"dport":2},"reply":{"src":"5.6.7.8","dst":"1.2.3.4","sport":2,"dport":9},` +
				`"nat":{"src":{"port":9}},"status":["CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"]}`},
		{name: "only the address of the destination was translated",
			msg: v6(nest(1, addrs("fd00::1", "fd00::2"), ports(17, 1, 2)), nest(2, addrs("fd00::3", "fd00::1"), ports(17, 2, 1)), status(stNAT)),
			want: `{"family":"ipv6","proto":"udp","protonum":17,"orig":{"src":"fd00::1","dst":"fd00::2","sport":1,"dport":2},"reply":{"src":"fd00::3","dst":"fd00::1","sport":2,"dport":1},` +
				`"nat":{"dst":{"addr":"fd00::3"}},"status":["CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"]}`},
		{name: "a ping, translated",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), query(1, 8, 0, 77)), nest(2, addrs("5.6.7.8", "9.9.9.9"), query(1, 0, 0, 78)), status(stNAT)),
			want: `{"family":"ipv4","proto":"icmp","protonum":1,"orig":{"src":"1.2.3.4","dst":"5.6.7.8","type":8,"code":0,"icmp_id":77},"reply":{"src":"5.6.7.8","dst":"9.9.9.9","type":0,"code":0,"icmp_id":78},` +
				`"nat":{"src":{"addr":"9.9.9.9","icmp_id":78}},"status":["CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"]}`},
		{name: "gre, its key translated",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(47, 1, 0xbeef)), nest(2, addrs("5.6.7.8", "1.2.3.4"), ports(47, 0xbeef, 2)), status(stNAT)),
			want: `{"family":"ipv4","proto":"gre","protonum":47,"orig":{"src":"1.2.3.4","dst":"5.6.7.8","srckey":1,"dstkey":48879},"reply":{"src":"5.6.7.8","dst":"1.2.3.4","srckey":48879,"dstkey":2},` +
				`"nat":{"src":{"key":2}},"status":["CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"]}`},
		{name: "through the hooks, and not translated",
			msg: v4(min4(17), status(stNAT)), want: udp + `,"status":["CONFIRMED","SRC_NAT_DONE","DST_NAT_DONE"]}`},
		{name: "sctp",
			msg: v4(min4(132), sctpState(8, 1, 4294967295)),
			want: `{"family":"ipv4","proto":"sctp","protonum":132,"state":"HEARTBEAT_SENT","orig":{"src":"10.0.0.2","dst":"192.0.2.1","sport":40296,"dport":80,"vtag":1},` +
				`"reply":{"src":"192.0.2.1","dst":"10.0.0.2","sport":80,"dport":40296,"vtag":4294967295}}`},
		{name: "dccp",
			msg: v4(min4(33), dccpState(4, 1)), want: `{"family":"ipv4","proto":"dccp","protonum":33,"state":"OPEN","role":"server",` + jsonTuples + `}`},
		{name: "a state without a name",
			msg: v4(min4(6), tcpState(10)), want: `{"family":"ipv4","proto":"tcp","protonum":6,"state":"UNKNOWN",` + jsonTuples + `}`},
		{name: "another protocol",
			msg:  message(0x100, 7, nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(99))),
			want: `{"family":"unknown","proto":"unknown","protonum":99,"orig":{"src":"1.2.3.4","dst":"5.6.7.8"},"reply":{"src":"5.6.7.8","dst":"1.2.3.4"}}`},
		{name: "zones of directions",
			msg:  v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(50), tupleZone(5)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(50), tupleZone(0))),
			want: `{"family":"ipv4","proto":"unknown","protonum":50,"orig":{"src":"1.2.3.4","dst":"5.6.7.8","zone":5},"reply":{"src":"5.6.7.8","dst":"1.2.3.4","zone":0}}`},
		{name: "status without a name",
			msg: v4(min4(17), status(1<<31|1<<16|1<<15)), want: udp + `,"status":["HW_OFFLOAD","BIT16","BIT31"]}`},
		{name: "labels without names, and one to escape",
			msg: v4(min4(17), labels(0, 1, 33, 40, 126)), opts: Options{LabelNames: web},
			want: udp + `,"labels":["web","#1","two words","a\"b","#126"]}`},
		{name: "destruction by a process",
			msg: v4(min4(17), id(703169038), status(stPlain|1<<9), counters(9, 1, 31), lived(1795237077*second, 1795237081*second-1), eventAt(1795237081261197999)),
			ctx: Context{Event: EventDestroy, PortID: 3420058817, Program: "conntrack", Now: time.Unix(1, 0)},
			want: `{"event":"destroy","time":"2026-11-21T04:58:01.261197999Z","family":"ipv4","proto":"udp","protonum":17,` +
				strings.Replace(jsonTuples, `40296,"dport":80}`, `40296,"dport":80,"packets":1,"bytes":31}`, 1) +
				`,"status":["CONFIRMED","DYING"],"start":"2026-11-21T04:57:57.000000000Z","stop":"2026-11-21T04:58:00.999999999Z","age":3,"id":703169038,"portid":3420058817,"program":"conntrack"}`},
		{name: "an event by the clock",
			msg: v4(min4(17)), ctx: Context{Event: EventNew, Now: time.Unix(0, 89)},
			want: `{"event":"new","time":"1970-01-01T00:00:00.000000089Z",` + udp[1:] + `}`},
		{name: "an end without a beginning",
			msg: v4(min4(17), nest(20, u64(2, 7*second))), want: udp + `,"stop":"1970-01-01T00:00:07.000000000Z"}`},
		{name: "names that would command a terminal",
			msg: v4(min4(17), helper("f\x1b[2Jtp\n\x7f"), secctx("u:\xc2\x9b\xff<ö>\"\\")),
			ctx: Context{Event: EventUpdate, PortID: 1, Program: "x\n-F\xf0\x9f"},
			want: `{"event":"update","time":"2026-11-21T04:58:01.261197000Z",` + udp[1:] +
				`,"secctx":"u:\u009b` + "\ufffd" + `<ö>\"\\","helper":"f\u001b[2Jtp\u000a\u007f","portid":1,"program":"x\u000a-F` + "\ufffd\ufffd" + `"}`},
	} {
		if g.ctx.Now.IsZero() {
			g.ctx.Now = now
		}
		g.check(t, StyleJSONL)
	}
}

func TestJSONExpect(t *testing.T) {
	const tuples = `"expected":{"src":"192.0.2.2","dst":"10.0.0.2","sport":0,"dport":51210},"mask":{"src":"255.255.255.255","dst":"255.255.255.255","sport":0,"dport":65535},` +
		`"master":{"proto":"tcp","protonum":6,"src":"10.0.0.2","dst":"192.0.2.2","sport":32874,"dport":21}`
	for _, g := range []golden{
		{name: "everything", msg: expected,
			want: `{"family":"ipv4","proto":"tcp","protonum":6,"timeout":300,` + tuples + `,"zone":4,"flags":["PERMANENT","INACTIVE","USERSPACE"],"class":1,"helper":"ftp","id":77}`},
		{name: "nothing", msg: exp(), want: `{"family":"ipv4"}`},
		{name: "an event", msg: exp(u32(8, 0), str(11, "nat-follow-master")), ctx: Context{Event: EventDestroy, Now: now, NetNS: "b\"c", PortID: 4, Program: "p"},
			want: `{"event":"destroy","time":"2026-11-21T04:58:01.261197000Z","netns":"b\"c","family":"ipv4","flags":[],"fn":"nat-follow-master","portid":4,"program":"p"}`},
	} {
		g.checkExpect(t, StyleJSONL)
	}
}

// TestJSONDocument: entries, separators, header and footer are one document.
func TestJSONDocument(t *testing.T) {
	p := NewPrinter(Options{Style: StyleJSON})
	f := flow(t, v4(min4(17)))
	for n := range 4 {
		doc := p.AppendEmpty(nil)
		if n > 0 {
			doc = p.AppendHeader(nil)
			for i := range n {
				doc = p.AppendFlow(p.AppendSeparator(doc, i), f, nil)
			}
			if json.Valid(doc) {
				t.Errorf("complete without its end: %s", doc)
			}
			doc = p.AppendFooter(doc)
		}
		var entries []map[string]any
		if err := json.Unmarshal(doc, &entries); err != nil || len(entries) != n {
			t.Errorf("%d entries of %d, %v: %s", len(entries), n, err, doc)
		}
		if n > 0 && strings.Count(string(doc), "\n") != n+2 {
			t.Errorf("not a line for each of %d entries: %s", n, doc)
		}
	}
}

// TestJSONString holds the escapes against encoding/json, which reads them.
func TestJSONString(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, s := range []string{"", "a", `"\/`, string(every), "ö\u00ad\u2028\ufffe\uffff\U0001f600", "\xed\xa0\x80", "\xff\xfe"} {
		b := appendJSONString([]byte("x"), s)[1:]
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%q: %v: %s", s, err, b)
		}
		// encoding/json, too, puts one U+FFFD for each bad byte.
		var std string
		quoted, _ := json.Marshal(s)
		if err := json.Unmarshal(quoted, &std); err != nil || got != std {
			t.Errorf("%q, encoding/json has %q", got, std)
		}
		for _, c := range b {
			if c < ' ' || c == 0x7f {
				t.Errorf("control character %#x in %s", c, b)
			}
		}
	}
}

// TestTimes holds the times against the time package's.
func TestTimes(t *testing.T) {
	for _, ns := range []uint64{0, 1, 999999999, 951782400000000000, 1795237081261197000, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		want := time.Unix(int64(ns/1e9), int64(ns%1e9)).UTC().Format("2006-01-02T15:04:05.000000000Z")
		if got := string(appendTime(nil, ns)); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
}
