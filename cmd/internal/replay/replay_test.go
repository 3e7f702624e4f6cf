package replay

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

func TestMoment(t *testing.T) {
	before := time.Local
	time.Local = time.FixedZone("", 3600)
	t.Cleanup(func() { time.Local = before })
	first := time.Date(2026, 1, 2, 13, 3, 0, 0, time.UTC) // 14:03 here
	for text, want := range map[string]string{
		"+90s":                     "13:04:30",
		"+1m30s":                   "13:04:30",
		"+1.5":                     "13:03:01.5",
		"14:04":                    "13:04:00",
		"14:04:05.25":              "13:04:05.25",
		"2026-01-02 14:04":         "13:04:00",
		"2026-01-02 14:04:05.5":    "13:04:05.5",
		"2026-01-02T13:04:05Z":     "13:04:05",
		"2026-01-02T13:04:05.123Z": "13:04:05.123",
		"1767359045.5":             "13:04:05.5",
		"noon":                     "", "+x": "", "+-5s": "", "": "", "-7": "", "25:00": "",
	} {
		at, err := moment(text, first)
		got := ""
		if err == nil {
			got = at.UTC().Format("15:04:05.999")
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", text, got, want, err)
		}
	}
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"a.pcap":                             "",
		"a.pcap --packets -p tcp --dport 80": "",
		"--dport 80 -p tcp a.pcap b.pcap":    "",
		"a.pcap --events -e NEW":             "",
		"a.pcap -n --summary":                "", // a file is no address
		"-n 10.0.0.1 a.pcap":                 "",
		"-- -a.pcap":                         "",
		"a.pcap --by proto":                  "",
		"a.pcap --local 10.0.0.1,fd00::1":    "",
		"a.pcap --address eth0=10.0.0.1/8":   "",
		"a.pcap --sysctl a=1 --sysctl b=2":   "",
		"a.pcap --at +1 --at +1":             "",
		"--help":                             "",
		"":                                   "a FILE is required",
		"a.pcap a.pcap":                      "`a.pcap' is given twice",
		"a.pcap --at +1 --at +2":             "--at is given twice, with `+1' and `+2'",
		"a.pcap --packets --summary":         "only one of",
		"a.pcap --packets --sort src":        "--packets cannot be used with",
		"a.pcap --packets -o table":          "--packets can only be used with -o json, jsonl and csv",
		"a.pcap -e NEW":                      "--event-mask",
		"a.pcap --watch":                     "unknown option `--watch'",
		"a.pcap --pack":                      "unknown option `--pack'",
		"a.pcap -z":                          "unknown option `-z'",
		"a.pcap --at":                        "requires an argument",
		"a.pcap --local x":                   "unexpected value 'x' with --local",
		"a.pcap --address 10.0.0.1":          "unexpected value '10.0.0.1' with --address",
		"a.pcap --interface b.pcap=eth0":     "--interface names `b.pcap', which is not one of the captures",
		"- --local auto":                     "stdin cannot be",
		"- --explain":                        "stdin cannot be",
		"a.pcap --table t -o json":           "--table cannot be used with -o",
		"a.pcap --dport 80":                  "--dport needs -p",
		"a.pcap -p tcp --dport x":            "--dport",
	} {
		_, err := parse(strings.Fields(line), console.NewMessages(&bytes.Buffer{}))
		switch {
		case err == nil && want != "":
			t.Errorf("%q is accepted", line)
		case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %q, want %q", line, err, want)
		}
	}
	if len(takers) != len(cmdline.ReplayOptions) {
		t.Errorf("%d options and %d functions that take them", len(cmdline.ReplayOptions), len(takers))
	}
}

// ip4 returns an IPv4 packet.
func ip4(src, dst string, proto byte, payload ...byte) []byte {
	b := []byte{0x45, 0, 0, byte(20 + len(payload)), 0, 0, 0, 0, 64, proto, 0, 0}
	b = append(append(b, netip.MustParseAddr(src).AsSlice()...), netip.MustParseAddr(dst).AsSlice()...)
	return append(b, payload...)
}

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		name    string
		packets string // SRC>DST, with ! in front of what the capture says was sent
		want    string
	}{
		{"nothing", "", ""},
		{"two hosts", "10.0.0.1>10.0.0.2 10.0.0.2>10.0.0.1", ""},
		{"one talks to all", "10.0.0.1>10.0.0.2 10.0.0.3>10.0.0.1", "10.0.0.1"},
		{"broadcasts do not count", "10.0.0.1>10.0.0.2 10.0.0.9>255.255.255.255 10.0.0.9>224.0.0.1 10.0.0.2>10.0.0.3", "10.0.0.2"},
		{"no common end", "10.0.0.1>10.0.0.2 10.0.0.3>10.0.0.4", ""},
		{"direction flags", "!10.0.0.7>10.0.0.2 10.0.0.3>10.0.0.7 10.0.0.1>10.0.0.2 !10.0.0.7>10.0.0.3 !10.0.0.8>10.0.0.3", "10.0.0.7,10.0.0.8"},
	} {
		var g guess
		for word := range strings.FieldsSeq(c.packets) {
			rec := capture.Record{}
			if rest, sent := strings.CutPrefix(word, "!"); sent {
				word, rec.Direction = rest, capture.Outgoing
			}
			src, dst, _ := strings.Cut(word, ">")
			rec.Data = ip4(src, dst, 17)
			g.add(&rec)
		}
		list, _ := g.addresses()
		if got := joined(list); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLocals(t *testing.T) {
	l := newLocals([]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")})
	v6 := func(src, dst string) []byte {
		b := make([]byte, 8, 40)
		b[0] = 0x60
		return append(append(b, netip.MustParseAddr(src).AsSlice()...), netip.MustParseAddr(dst).AsSlice()...)
	}
	for _, c := range []struct {
		b    []byte
		want engine.Where
	}{
		{ip4("10.0.0.1", "10.0.0.2", 6), engine.Output},
		{ip4("10.0.0.2", "10.0.0.1", 6), engine.Input},
		{ip4("10.0.0.2", "10.0.0.3", 6), engine.Forward},
		{ip4("10.0.0.2", "255.255.255.255", 17), engine.Input},
		{ip4("10.0.0.2", "224.0.0.251", 17), engine.Input},
		{v6("fd00::1", "fd00::2"), engine.Output},
		{v6("fd00::2", "fd00::1"), engine.Input},
		{v6("fd00::2", "ff02::fb"), engine.Input},
		{nil, engine.Forward},
	} {
		if got := l.where(c.b); got != c.want {
			t.Errorf("%x: %d, want %d", c.b, got, c.want)
		}
	}
	if got := newLocals(nil).where(ip4("10.0.0.2", "224.0.0.251", 17)); got != engine.Forward {
		t.Errorf("without addresses: %d", got)
	}
}

func TestTupleOf(t *testing.T) {
	ports := []byte{0x0f, 0xa0, 0, 80}
	v6 := func(next byte, rest ...byte) []byte {
		b := append([]byte{0x60, 0, 0, 0, 0, byte(len(rest)), next, 64}, make([]byte, 32)...)
		b[23], b[39] = 1, 2
		return append(b, rest...)
	}
	fragment := ip4("10.0.0.1", "10.0.0.2", 17, ports...)
	fragment[7] = 185
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"tcp", ip4("10.0.0.1", "10.0.0.2", 6, ports...), "tcp 10.0.0.1:4000 > 10.0.0.2:80"},
		{"cut", ip4("10.0.0.1", "10.0.0.2", 6, 1, 2), "tcp 10.0.0.1 > 10.0.0.2"},
		{"later fragment", fragment, "udp 10.0.0.1 > 10.0.0.2"},
		{"short", []byte{0x45, 0}, ""},
		{"nothing", nil, ""},
		{"udp of IPv6", v6(17, ports...), "udp [::1]:4000 > [::2]:80"},
		{"behind options", v6(0, append([]byte{60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0}, ports...)...), "udp [::1]:4000 > [::2]:80"},
		{"first fragment", v6(44, append([]byte{17, 0, 0, 1, 0, 0, 0, 9}, ports...)...), "udp [::1]:4000 > [::2]:80"},
		{"later fragment of IPv6", v6(44, append([]byte{17, 0, 0, 9, 0, 0, 0, 9}, ports...)...), "udp ::1 > ::2"},
		{"options beyond", v6(0, 17, 9, 0, 0), "unknown ::1 > ::2"},
	} {
		var tuple ctnetlink.Tuple
		tupleOf(c.b, &tuple)
		got := ""
		if tuple.Has != 0 {
			name := tuple.Proto.Name()
			if name == "" {
				name = "unknown"
			}
			src, dst := tuple.Src.String(), tuple.Dst.String()
			if tuple.Has&ctnetlink.FieldPorts != 0 {
				src = netip.AddrPortFrom(tuple.Src, tuple.SrcPort).String()
				dst = netip.AddrPortFrom(tuple.Dst, tuple.DstPort).String()
			}
			got = name + " " + src + " > " + dst
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPartialSum(t *testing.T) {
	tcp := make([]byte, 20)
	b := ip4("198.51.100.10", "203.0.113.80", 6, tcp...)
	var sum uint32
	for i := 12; i < 20; i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	sum += 6 + 20
	sum = sum>>16 + sum&0xffff
	b[36], b[37] = byte(sum>>8), byte(sum)
	if !hasPartialSum(b) {
		t.Error("the sum of the pseudo header is not recognised")
	}
	b[37]++
	if hasPartialSum(b) {
		t.Error("another sum is taken for that of the pseudo header")
	}
	for n := range len(b) {
		hasPartialSum(b[:n])
	}
}
