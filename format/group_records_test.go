package format

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/stats"
)

// Groups with rates, without them, and without counters; one look and two.
func TestGroupRecords(t *testing.T) {
	groups := []stats.Group{
		{Entries: 3, Packets: 10, Bytes: 4000, Counted: true, Values: []stats.Value{
			{Kind: stats.Addr, Addr: netip.MustParseAddr("10.0.0.1")}, {Kind: stats.Number, Number: 443}}},
		{Entries: 1, Packets: 7, Bytes: 70, Counted: true, Values: []stats.Value{
			{Kind: stats.Addr, Addr: netip.MustParseAddr("fd00::1")}, {}}},
		{Entries: 1, Values: make([]stats.Value, 2)},
	}
	rates := []Rates{{Known: true, OrigPackets: 1, ReplyPackets: .25, OrigBytes: 1000, ReplyBytes: 1.0004}, {}, {}}
	look := time.Date(2026, 11, 26, 14, 3, 7, 0, time.UTC)
	for _, c := range []struct {
		style  Style
		groups []stats.Group
		looks  []time.Time
		want   string
	}{
		{StyleJSON, groups, make([]time.Time, 1), `[
{"src":"10.0.0.1","dport":443,"entries":3,"packets":10,"bytes":4000,"packet_rate":1.25,"byte_rate":1001},
{"src":"fd00::1","entries":1,"packets":7,"bytes":70},
{"entries":1}
]
`},
		{StyleJSON, nil, make([]time.Time, 1), "[]\n"},
		{StyleCSV, nil, []time.Time{look, look}, "time,src,dport,entries,packets,bytes,packet_rate,byte_rate\n"},
		{StyleCSV, groups, make([]time.Time, 1), `src,dport,entries,packets,bytes,packet_rate,byte_rate
10.0.0.1,443,3,10,4000,1.25,1001
fd00::1,,1,7,70,,
,,1,,,,
`},
		{StyleCSV, groups[:1], []time.Time{look, look.Add(time.Second)},
			`time,src,dport,entries,packets,bytes,packet_rate,byte_rate
2026-11-26T14:03:07.000000000Z,10.0.0.1,443,3,10,4000,1.25,1001
2026-11-26T14:03:08.000000000Z,10.0.0.1,443,3,10,4000,1.25,1001
`},
		{StyleJSONL, groups[:1], []time.Time{look, look.Add(time.Second)},
			`{"time":"2026-11-26T14:03:07.000000000Z","src":"10.0.0.1","dport":443,"entries":3,"packets":10,"bytes":4000,` +
				`"packet_rate":1.25,"byte_rate":1001}
{"time":"2026-11-26T14:03:08.000000000Z","src":"10.0.0.1","dport":443,"entries":3,"packets":10,"bytes":4000,` +
				`"packet_rate":1.25,"byte_rate":1001}
`},
	} {
		w := NewGroupRecords(c.style, []string{"src", "dport"}, []Kind{KindAddr, KindNumber})
		var got []byte
		for _, look := range c.looks {
			got = w.Append(got, c.groups, rates, look)
		}
		if string(got) != c.want {
			t.Errorf("style %d:\n%s\nwant\n%s", c.style, got, c.want)
		}
	}
}
