package format

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/stats"
)

// someGroups is a summary by a network, a port and a helper.
func someGroups(counted bool) (*stats.Summary, []Kind) {
	s := stats.NewSummary([]string{"src/24", "dport", "helper"})
	add := func(n int, addr string, dport int, helper string) {
		code := stats.AppendNetwork(nil, netip.MustParseAddr(addr), 24)
		if dport < 0 {
			code = stats.AppendAbsent(code)
		} else {
			code = stats.AppendNumber(code, uint64(dport))
		}
		if helper == "" {
			code = stats.AppendAbsent(code)
		} else {
			code = stats.AppendText(code, []byte(helper))
		}
		for i := range n {
			s.Add(code, 1000, 1<<20, counted && (i > 0 || dport != 53))
		}
	}
	add(1500, "10.0.0.7", 443, "")
	add(20, "10.0.1.9", 21, "ftp")
	add(1, "10.0.1.9", 53, "x\x1b[m,")
	add(3, "2001:db8::1", -1, "")
	return s, []Kind{KindWord, KindNumber, KindName}
}

func writeSummary(t testing.TB, o Options, counted bool, limit int) string {
	t.Helper()
	s, kinds := someGroups(counted)
	groups, err := s.Sorted(stats.ParseOrder("-entries"), limit)
	if err != nil {
		t.Fatal(err)
	}
	out, err := NewSummary(o, s, kinds).Append(nil, groups, func(b []byte) ([]byte, error) { return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       Options
		counted bool
		limit   int
		want    string
	}{
		{"plain", Options{}, true, 0, `
src/24         dport  helper    entries  packets       bytes
10.0.0.0/24      443  -            1500  1500000  1572864000
10.0.1.0/24       21  ftp            20    20000    20971520
2001:d00::/24      -  -               3     3000     3145728
10.0.1.0/24       53  x\x1b[m,        1        -           -
`},
		{"plain, not accounted", Options{}, false, 2, `
src/24       dport  helper  entries
10.0.0.0/24    443  -          1500
10.0.1.0/24     21  ftp          20
`},
		{"table", Options{Style: StyleTable}, true, 0, `
SRC/24         DPORT  HELPER    ENTRIES   SHARE  PACKETS  BYTES
10.0.0.0/24      443  -            1500   98.4%     1.5M   1.5G
10.0.1.0/24       21  ftp            20    1.3%      20k    20M
2001:d00::/24      -  -               3    0.2%     3000   3.0M
10.0.1.0/24       53  x\x1b[m,        1    0.1%        -      -
total                              1524  100.0%     1.5M   1.5G
`},
		{"table, limited", Options{Style: StyleTable}, false, 1, `
SRC/24       DPORT  HELPER  ENTRIES   SHARE
10.0.0.0/24    443  -          1500   98.4%
(3 more)                         24    1.6%
total                          1524  100.0%
`},
		{"csv", Options{Style: StyleCSV}, true, 0, `
src/24,dport,helper,entries,packets,bytes
10.0.0.0/24,443,,1500,1500000,1572864000
10.0.1.0/24,21,ftp,20,20000,20971520
2001:d00::/24,,,3,3000,3145728
10.0.1.0/24,53,"x\x1b[m,",1,,
`},
		{"json", Options{Style: StyleJSON}, true, 2, `
[
{"src/24":"10.0.0.0/24","dport":443,"entries":1500,"packets":1500000,"bytes":1572864000},
{"src/24":"10.0.1.0/24","dport":21,"helper":"ftp","entries":20,"packets":20000,"bytes":20971520}
]
`},
	} {
		if got := "\n" + writeSummary(t, c.o, c.counted, c.limit); got != c.want {
			t.Errorf("%s:%s\nwant:%s", c.name, got, c.want)
		}
	}
	for line := range strings.Lines(writeSummary(t, Options{Style: StyleJSONL}, true, 0)) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%v in %q", err, line)
		}
	}
}

// TestSummaryFits: a table of groups fits the width. Addresses are cut, then packets,
// the share and bytes are left out, in this order.
func TestSummaryFits(t *testing.T) {
	s := stats.NewSummary([]string{"src", "dst", "helper"})
	add := func(n int, src, dst, helper string) {
		code := stats.AppendAddr(nil, netip.MustParseAddr(src))
		code = stats.AppendText(stats.AppendAddr(code, netip.MustParseAddr(dst)), []byte(helper))
		for range n {
			s.Add(code, 1000, 1<<20, true)
		}
	}
	add(3, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "2a02:26f0:1180:1a::1d:9abc", "ftp")
	add(2, "10.0.0.1", "10.0.0.2", "sip")
	add(1, "10.0.0.1", "10.0.0.3", "漢字")
	for width, want := range map[int]string{
		0: `
SRC                                   DST                         HELPER  ENTRIES   SHARE  PACKETS  BYTES
2001:db8:85a3:8d3:1319:8a2e:370:7348  2a02:26f0:1180:1a::1d:9abc  ftp           3   50.0%     3000   3.0M
(2 more)                                                                        3   50.0%     3000   3.0M
total                                                                           6  100.0%     6000   6.0M
`,
		80: `
SRC                      DST                      HELPER  ENTRIES   SHARE  BYTES
2001:db8:85…2e:370:7348  2a02:26f0:1…1a::1d:9abc  ftp           3   50.0%   3.0M
(2 more)                                                        3   50.0%   3.0M
total                                                           6  100.0%   6.0M
not shown for lack of width: PACKETS
`,
		45: `
SRC            DST            HELPER  ENTRIES
2001:d…0:7348  2a02:2…d:9abc  ftp           3
(2 more)                                    3
total                                       6
not shown for lack of width: SHARE, PACKETS,
  BYTES
`,
	} {
		groups, err := s.Sorted(stats.ParseOrder("-entries"), 1)
		if err != nil {
			t.Fatal(err)
		}
		kinds := []Kind{KindAddr, KindAddr, KindName}
		out, err := NewSummary(Options{Style: StyleTable, Width: width}, s, kinds).Append(nil, groups,
			func(b []byte) ([]byte, error) { return b, nil })
		if got := "\n" + string(out); err != nil || got != want {
			t.Errorf("%d columns: %v%s\nwant%s", width, err, got, want)
		}
	}
	for width := 45; width < 120; width++ {
		groups, err := s.Sorted(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		kinds := []Kind{KindAddr, KindAddr, KindName}
		out, err := NewSummary(Options{Style: StyleTable, Width: width}, s, kinds).Append(nil, groups,
			func(b []byte) ([]byte, error) { return b, nil })
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if n := textWidth(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns: %d in %q", width, n, line)
			}
		}
	}
}

// TestSummaryEmpty: no entries are no groups, in every style.
func TestSummaryEmpty(t *testing.T) {
	for style, want := range map[Style]string{StyleClassic: "src  entries\n", StyleTable: "SRC  ENTRIES  SHARE\n",
		StyleCSV: "src,entries\n", StyleJSON: "[]\n", StyleJSONL: ""} {
		s := stats.NewSummary([]string{"src"})
		groups, err := s.Sorted(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out, err := NewSummary(Options{Style: style}, s, []Kind{KindAddr}).Append(nil, groups, func(b []byte) ([]byte, error) { return b, nil })
		if err != nil || string(out) != want {
			t.Errorf("style %d: %q, %v; want %q", style, out, err, want)
		}
	}
}

// TestSummaryStops: a reader that went away ends the writing.
func TestSummaryStops(t *testing.T) {
	s := stats.NewSummary([]string{"dport"})
	for i := range 5 * blockRows {
		s.Add(stats.AppendNumber(nil, uint64(i)), 0, 0, false)
	}
	for _, style := range []Style{StyleClassic, StyleTable, StyleJSON} {
		groups, err := s.Sorted(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		gone := fmt.Errorf("gone")
		_, err = NewSummary(Options{Style: style}, s, []Kind{KindNumber}).Append(nil, groups, func(b []byte) ([]byte, error) {
			if calls++; calls == 2 {
				return b, gone
			}
			return b[:0], nil
		})
		if err != gone || calls != 2 {
			t.Errorf("style %d: %v after %d calls", style, err, calls)
		}
	}
}

// TestSummaryProm: a sample for each group that is shown and one for the others,
// with labels that no other sample of the family has.
func TestSummaryProm(t *testing.T) {
	got := writeSummary(t, Options{Style: StyleProm}, true, 2)
	want := `# HELP conntrack_groups Groups of entries, each of those that are labelled other too.
# TYPE conntrack_groups gauge
conntrack_groups 4
# HELP conntrack_group_entries Entries of the group.
# TYPE conntrack_group_entries gauge
conntrack_group_entries{src_24="10.0.0.0/24",dport="443",helper=""} 1500
conntrack_group_entries{src_24="10.0.1.0/24",dport="21",helper="ftp"} 20
conntrack_group_entries{src_24="other",dport="other",helper="other"} 4
# HELP conntrack_group_packets Packets of the group's entries so far, both directions.
# TYPE conntrack_group_packets gauge
conntrack_group_packets{src_24="10.0.0.0/24",dport="443",helper=""} 1500000
conntrack_group_packets{src_24="10.0.1.0/24",dport="21",helper="ftp"} 20000
conntrack_group_packets{src_24="other",dport="other",helper="other"} 3000
# HELP conntrack_group_bytes Bytes of the group's entries so far, both directions.
# TYPE conntrack_group_bytes gauge
conntrack_group_bytes{src_24="10.0.0.0/24",dport="443",helper=""} 1572864000
conntrack_group_bytes{src_24="10.0.1.0/24",dport="21",helper="ftp"} 20971520
conntrack_group_bytes{src_24="other",dport="other",helper="other"} 3145728
# EOF
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := writeSummary(t, Options{Style: StyleProm}, true, 0); strings.Contains(got, promOther+`"`) ||
		!strings.Contains(got, `helper="x\\x1b[m,"`) {
		t.Errorf("got\n%s", got)
	}
}

// TestSummaryPromOther: a group whose values are "other" has no sample of its own,
// as its labels would be those of the others.
func TestSummaryPromOther(t *testing.T) {
	s := stats.NewSummary([]string{"helper"})
	for _, name := range []string{"other", "other", `a"\`, "b"} {
		s.Add(stats.AppendText(nil, []byte(name)), 0, 0, false)
	}
	groups, err := s.Sorted(nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	out, err := NewSummary(Options{Style: StyleProm}, s, []Kind{KindName}).Append(nil, groups,
		func(b []byte) ([]byte, error) { return b, nil })
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out); !strings.HasSuffix(got, `
conntrack_group_entries{helper="a\"\\"} 1
conntrack_group_entries{helper="b"} 1
conntrack_group_entries{helper="other"} 2
# EOF
`) {
		t.Errorf("got\n%s", got)
	}
}
