package cmdline

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

func TestParseSet(t *testing.T) {
	for value, want := range map[string]string{
		"80":               "[{80 80}]",
		"80,443,8000-8099": "[{80 80} {443 443} {8000 8099}]",
		"5-9,1-4,9":        "[{1 9}]",
		"0-65535":          "[{0 65535}]",
		"!80":              "[{0 79} {81 65535}]",
		"!0,65535":         "[{1 65534}]",
		"7-7":              "[{7 7}]",
		"":                 "", "!": "", ",": "", "80,": "", ",80": "", "80,,443": "",
		"90-80": "", "80-": "", "-80": "", "80-90-99": "", "--": "",
		"65536": "", "1-65536": "", "99999999999999999999": "", "18446744073709551616": "",
		"http": "", "80x": "", " 80": "", "80 ": "", "+80": "", "0x50": "", "8_0": "", "!!80": "", "80,!443": "",
		"!0-65535": "",
	} {
		got, err := parseSet(value, decimal, math.MaxUint16)
		if (err != nil) != (want == "") || err == nil && fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %v", value, got, err, want)
		}
	}
	if got, err := parseSet("0x10-0x1f,010", prefixed, math.MaxUint32); err != nil || len(got) != 2 ||
		got[0] != (filter.Range{Min: 8, Max: 8}) {
		t.Errorf("numbers with a base: %v, %v", got, err)
	}
}

func TestParseMarks(t *testing.T) {
	got, negated, err := parseMarks("!1,2/0xff,0x10-31")
	want := []filter.MarkRange{
		{Min: 1, Max: 1, Mask: math.MaxUint32},
		{Min: 2, Max: 2, Mask: 0xff},
		{Min: 16, Max: 31, Mask: math.MaxUint32},
	}
	if err != nil || !negated || len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, %v, %v", got, negated, err)
	}
	for _, bad := range []string{"", "!", "1,", "x", "1/", "1/x", "/1", "2-1", "-1", "1/2/3", "0x100/0xff", "1-0x100/0xff", "4294967296", "1/4294967296"} {
		if got, _, err := parseMarks(bad); err == nil {
			t.Errorf("%q is accepted: %v", bad, got)
		}
	}
}

func TestParseSizes(t *testing.T) {
	for s, want := range map[string]uint64{
		"1": 1, "1024": 1024, "1k": 1024, "10K": 10 << 10, "3M": 3 << 20, "2g": 2 << 30, "1T": 1 << 40, "16777215T": 16777215 << 40,
		"0": 0, "": 0, "K": 0, "-1": 0, "1KB": 0, "1.5K": 0, "1kk": 0, "16777216T": 0, "99999999999999999999": 0, "0M": 0,
	} {
		if got, ok := parseSize(s); ok != (want != 0) || ok && got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", s, got, ok, want)
		}
	}
	for s, want := range map[string]time.Duration{
		"1": time.Second, "90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute,
		"2d": 48 * time.Hour, "1w1d": 8 * 24 * time.Hour, "1h0m": time.Hour, "9223372036": 9223372036 * time.Second,
		"": 0, "0": 0, "0s": 0, "s": 0, "-1": 0, "1x": 0, "1h30": 0, "1.5h": 0, "1 h": 0, "9223372037": 0, "99999999999999999999d": 0, "20000w": 0,
	} {
		if got, ok := parseDuration(s); ok != (want != 0) || ok && got != want {
			t.Errorf("parseDuration(%q) = %v, %v; want %v", s, got, ok, want)
		}
	}
}

// TestListsAreNeverDropped: what a command that deletes is given is a criterion
// of the filter, or the line is refused: it never becomes a filter without it.
func TestListsAreNeverDropped(t *testing.T) {
	values := []string{
		"1",
		"1,2",
		"1-2",
		"!1",
		"!1,2-3",
		"1,",
		"!",
		",",
		"2-1",
		"!0-4294967295",
		"!0-65535",
		"!0-255",
		"!!1",
		"x,y",
		"10.0.0.1",
		"10.0.0.0/8",
		"!10.0.0.1",
		"!10.0.0.0/8",
		"!fd00::/8",
		"!0.0.0.0/0",
		"tcp,udp",
		"!tcp",
		"1h",
		"1K",
		"-5",
		"",
	}
	options := []string{"-s", "-d", "-r", "-q", "-p", "-m", "-w", "-i", "-n", "-g", "--orig-zone", "--reply-zone",
		"-p tcp --sport", "-p tcp --dport", "-p udp --reply-port-src", "-p udp --reply-port-dst", "-p icmp --icmp-type", "-p icmp --icmp-id",
		"-p gre --srckey", "-p tcp,udp --sport", "-p tcp --state", "--host", "--port", "--min-bytes", "--min-packets", "--older",
		"--younger", "--expires-within"}
	accepted := 0
	for _, o := range options {
		for _, value := range values {
			words := append([]string{"-D"}, strings.Fields(o)...)
			before := *mustFilter(t, strings.Fields("-D "+o[:max(0, strings.LastIndexByte(o, ' '))]))
			r, err := ParseClassic(append(words, value), nil)
			if err == nil {
				err = r.ValidateFilter()
			}
			if err != nil {
				continue
			}
			accepted++
			m := r.Filter()
			if reflect.DeepEqual(m, &before) {
				t.Errorf("%q %q chooses what it would choose without it", words, value)
			}
			for _, w := range []filter.Tuple{m.Orig, m.Reply} {
				for field := ctnetlink.Fields(1); field != 0; field <<= 1 {
					if s := w.Number(field); s != nil && len(s) == 0 {
						t.Errorf("%q %q chooses nothing", words, value)
					}
				}
			}
		}
	}
	if accepted < 100 {
		t.Errorf("only %d lines are accepted", accepted)
	}
}

// mustFilter returns the filter of a line that is right.
func mustFilter(t *testing.T, words []string) *filter.Filter {
	t.Helper()
	r, err := ParseClassic(words, nil)
	if err != nil {
		t.Fatal(words, err)
	}
	return r.Filter()
}

// TestListsElsewhere: commands that take single values read what they always
// read in a list.
func TestListsElsewhere(t *testing.T) {
	r, err := ParseClassic(
		strings.Fields("-I -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 80,443 --dport 8000-8099 --state ESTABLISHED -t 9"),
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Orig; o.SrcPort != 80 || o.DstPort != 8000 || o.Has&ctnetlink.FieldPorts != ctnetlink.FieldPorts {
		t.Errorf("%+v", o)
	}
	r, err = ParseClassic(
		[]string{"-I", "-s", "10.0.0.1", "-d", "10.0.0.2", "-p", "99", "-t", "9", "-n", "!10.0.0.3"},
		nil,
	)
	if err != nil || !reflect.DeepEqual(r.SrcNAT, filter.NAT{Given: true}) {
		t.Errorf("a word that -n passes over: %+v, %v", r, err)
	}
	for line, want := range map[string]string{
		"-I -p tcp,udp -s x":           "`tcp,udp' unsupported protocol",
		"-G -w 1,2":                    "unexpected value '1,2' with -w option",
		"-U -p tcp --state NONE,CLOSE": "unknown TCP state `NONE,CLOSE'",
		"-L -n 1.2.3.4/-1":             "CIDR notation unavailable for `--src-nat'",
		"-I --dst-nat 1.2.3.4/-1":      "CIDR notation unavailable for `--dst-nat'",
		"-A --reply-src 10.0.0.0/8":    "CIDR notation unavailable for `--reply-src'",
		"-m 1,2 -I":                    "unexpected value '1,2' with -m option",
		"-m 1,2":                       "unexpected value '1,2' with -m option",
		"-I exp -s !10.0.0.1":          "Invalid IP address `!10.0.0.1'",
	} {
		if _, err := ParseClassic(strings.Fields(line), nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// TestStateLists: a list of states selects by their numbers.
func TestStateLists(t *testing.T) {
	for line, want := range map[string]uint32{
		"-L -p tcp --state SYN_SENT,TIME_WAIT": 1<<1 | 1<<7,
		"-L -p tcp --state TIME_WAIT":          1 << 7,
		"-L -p tcp --state !TIME_WAIT":         ^uint32(1 << 7),
		"-L -p sctp --state ESTABLISHED":       1 << 4,
	} {
		r, err := ParseClassic(strings.Fields(line), nil)
		if err != nil {
			t.Fatal(line, err)
		}
		if got := r.Filter().States; len(got) != 1 || got[0].States != want {
			t.Errorf("%s: %+v, want states %b", line, got, want)
		}
	}
}
