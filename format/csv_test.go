package format

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"
)

// csvRecord returns what a printer writes for one thing, by column.
func csvRecord(t *testing.T, o Options, line func(p *Printer) []byte) map[string]string {
	t.Helper()
	o.Style = StyleCSV
	p := NewPrinter(o)
	text := append(p.AppendHeader(nil), line(p)...)
	r := csv.NewReader(strings.NewReader(string(text)))
	records, err := r.ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v: %q", len(records), err, text)
	}
	values := map[string]string{}
	for i, name := range records[0] {
		if v := records[1][i]; v != "" {
			values[name] = v
		}
	}
	return values
}

// checkRecord compares a record with name=value pairs.
func checkRecord(t *testing.T, got map[string]string, want ...string) {
	t.Helper()
	for _, pair := range want {
		name, value, _ := strings.Cut(pair, "=")
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more than wanted: %v", got)
	}
}

func TestCSV(t *testing.T) {
	f := flow(t, dumped["full"])
	names := labelMap(map[int]string{1: "web", 5: "two words"})
	values := []string{"family=ipv4", "proto=tcp", "protonum=6", "state=ESTABLISHED", "timeout=431999",
		"src=10.0.0.2", "dst=192.0.2.1", "sport=40296", "dport=8080", "orig_packets=7", "orig_bytes=450",
		"reply_src=192.0.2.2", "reply_dst=192.0.2.1", "reply_sport=80", "reply_dport=40297", "reply_packets=6", "reply_bytes=697",
		"nat_src=192.0.2.1", "nat_sport=40297", "nat_dst=192.0.2.2", "nat_dport=80",
		"status=SEEN_REPLY|ASSURED|CONFIRMED|SRC_NAT_DONE|DST_NAT_DONE", "mark=7", "secctx=unconfined", "zone=3",
		"labels=web|two words|#127", "helper=ftp", "start=2026-11-21T04:56:40.123456789Z", "id=3152748731", "use=1"}
	checkRecord(t, csvRecord(t, Options{LabelNames: names}, func(p *Printer) []byte { return p.AppendFlow(nil, f, nil) }), values...)

	event := csvRecord(t, Options{LabelNames: names, Events: true, NetNS: true}, func(p *Printer) []byte {
		return p.AppendFlow(nil, f, &Context{Event: EventDestroy, Now: now, NetNS: "a,b", PortID: 5, Program: "=1+1"})
	})
	checkRecord(t, event, append(slices.Clone(values), "event=destroy", "time=2026-11-21T04:58:01.261197000Z", "netns=a,b",
		"stop=2026-11-21T04:57:57.123456789Z", "portid=5", "program='=1+1")...)

	ping := flow(t, v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), query(1, 8, 0, 77)), nest(2, addrs("5.6.7.8", "9.9.9.9"), query(1, 0, 0, 78)), status(stNAT)))
	checkRecord(t, csvRecord(t, Options{}, func(p *Printer) []byte { return p.AppendFlow(nil, ping, nil) }),
		"family=ipv4", "proto=icmp", "protonum=1", "src=1.2.3.4", "dst=5.6.7.8", "type=8", "code=0", "icmp_id=77",
		"reply_src=5.6.7.8", "reply_dst=9.9.9.9", "nat_src=9.9.9.9", "nat_sport=78", "status=CONFIRMED|SRC_NAT_DONE|DST_NAT_DONE")

	x := expectation(t, expected)
	checkRecord(t, csvRecord(t, Options{Expect: true, Events: true}, func(p *Printer) []byte {
		return p.AppendExpect(nil, x, &Context{Event: EventNew, Now: now})
	}), "event=new", "time=2026-11-21T04:58:01.261197000Z", "family=ipv4", "proto=tcp", "protonum=6", "timeout=300",
		"src=192.0.2.2", "dst=10.0.0.2", "sport=0", "dport=51210",
		"mask_src=255.255.255.255", "mask_dst=255.255.255.255", "mask_sport=0", "mask_dport=65535",
		"master_src=10.0.0.2", "master_dst=192.0.2.2", "master_sport=32874", "master_dport=21",
		"zone=4", "flags=PERMANENT|INACTIVE|USERSPACE", "class=1", "helper=ftp", "id=77")
}

// TestCSVColumns: what is picked is there in the order in which it was picked;
// one that this entry has not is empty.
func TestCSVColumns(t *testing.T) {
	o := Options{Style: StyleCSV}
	for _, name := range []string{"dport", "reply-src", "bytes", "packets", "age", "reply_vtag", "role", "master_src", "mask_src"} {
		o.Columns = append(o.Columns, FieldByName(name))
	}
	p := NewPrinter(o)
	got := string(p.AppendFlow(p.AppendHeader(nil), flow(t, dumped["full"]), &Context{Now: time.Unix(1795237078, 0)}))
	if want := "dport,reply_src,bytes,packets,age,reply_vtag,role,master_src,mask_src\n8080,192.0.2.2,1147,13,77,,,,\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = string(p.AppendFlow(nil, flow(t, v4(min4(132), sctpState(1, 5, 6))), nil))
	if want := "80,192.0.2.1,,,,6,,,\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = string(p.AppendFlow(nil, flow(t, v4(min4(33), dccpState(1, 0))), nil))
	if want := "80,192.0.2.1,,,,,client,,\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCSVNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                     "",
		"ftp":                  "ftp",
		"a,b":                  `"a,b"`,
		`say "x"`:              `"say ""x"""`,
		"=cmd|'/C calc'!A0":    "'=cmd|'/C calc'!A0",
		"+1":                   "'+1",
		"-1,2":                 `"'-1,2"`,
		"@SUM(1)":              "'@SUM(1)",
		"a=b":                  "a=b",
		"x\n-F":                `x\x0a-F`,
		"\t=1":                 `\x09=1`,
		"\x9b\"\xff":           `"\x9b""\xff"`,
		"ö, \u202f":            "\"ö, \u202f\"",
		strings.Repeat(",", 9): `"` + strings.Repeat(",", 9) + `"`,
	} {
		if got := string(appendCSVName([]byte("<"), name)); got != "<"+want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		// In place, after other text, with and without room.
		for _, room := range []int{0, 1, 100} {
			b := append(make([]byte, 0, 1+len(name)+room), "<"+name...)
			if got := string(csvQuote(b, 1)); got != "<"+want {
				t.Errorf("in place, %q: %q, want %q", name, got, want)
			}
		}
	}
}
