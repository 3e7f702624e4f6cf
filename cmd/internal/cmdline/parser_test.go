package cmdline

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

func parse(t *testing.T, line string) (*Request, error) {
	t.Helper()
	return ParseClassic(strings.Fields(line), nil)
}

// TestLegalityRows: every row of the tables has a sign for each of its columns.
func TestLegalityRows(t *testing.T) {
	for _, row := range legality {
		signs := strings.ReplaceAll(row.signs, " ", "")
		if len(signs) != int(NumClassic) || strings.Trim(signs, "+o.p") != "" {
			t.Errorf("-%c of table %d: %d signs %q, want %d of +o.p", row.command, row.table, len(signs), signs, NumClassic)
		}
	}
	for _, proto := range Protocols {
		l := proto.legal
		for _, row := range []string{l.list, l.delete, l.update, l.create, l.get, l.createExpect, l.namedByExpect} {
			signs := strings.ReplaceAll(row, " ", "")
			if row != "" && (len(signs) != len(proto.Options) || strings.Trim(signs, "+o.p") != "") {
				t.Errorf("%s: %d signs %q, want %d of +o.p", proto.Name, len(signs), signs, len(proto.Options))
			}
		}
	}
}

// TestOptionTables: every option has its names and a word.
func TestOptionTables(t *testing.T) {
	for i := range Extensions {
		o := NumClassic + Option(i)
		if w := o.Extension(); w == nil || w.Long == "" || w.Help.Text == "" ||
			strings.Trim(w.Flows+w.Expect, EveryCommand+"R") != "" {
			t.Errorf("option %d lacks a name, help or commands: %+v", o, w)
		}
	}
	for o := range NumClassic {
		found := false
		for _, w := range Words {
			found = found || w.Command == CmdNone && w.Option == o && w.Long == OptionNames[o]
		}
		if !found {
			t.Errorf("option %d (%q) has no word of its name", o, OptionNames[o])
		}
	}
	for o := 1; o < len(ProtoOptionNames); o++ {
		if len(ProtoOptionNames[o]) == 0 {
			t.Errorf("protocol option %d lacks a name", o)
		}
	}
}

// TestCuts: a long option may be cut to any beginning that fits one option.
func TestCuts(t *testing.T) {
	works := strings.Fields(
		"--du --del --cr --co --count --ver --upd --proto --ti --dst-n --an --na --b --u --ou --orig-s --reply-d --reply-z --reply-port-s --label-a --zon",
	)
	unknown := strings.Fields(
		"--s --sr --d --ds --c --l --o --or --orig --m --mask --f --z --t --e --a --st --re --reply --reply-p --orig-port --foo",
	)
	p := newParser(nil)
	if err := p.generic(OptProtoNum, "tcp", true); err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		if p.find(w[2:]) == nil {
			t.Errorf("%s is not found", w)
		}
	}
	for _, w := range unknown {
		if found := p.find(w[2:]); found != nil && found.Long != w[2:] {
			t.Errorf("%s is taken for --%s", w, found.Long)
		}
	}
}

// TestRequest: what a line says ends in the fields of the request.
func TestRequest(t *testing.T) {
	r, err := parse(
		t,
		"-L conn -s 10.1 -d 192.0.2.0/24 -p tcp --sport 0x7 --dport -1 --state LISTEN -m 0x10/0xf0 -u se,!ASS,UNREPLIED -w 010 -o ext,id",
	)
	if err != nil {
		t.Fatal(err)
	}
	if r.Command != CmdList || r.Table != TableConntrack || r.Family != ctnetlink.FamilyIPv4 {
		t.Errorf("command %c, table %d, family %d", r.Command, r.Table, r.Family)
	}
	if r.Orig.Src != netip.MustParseAddr("10.0.0.1") || r.Mask.Dst != netip.MustParseAddr("255.255.255.0") {
		t.Errorf("src %v, mask %v", r.Orig.Src, r.Mask.Dst)
	}
	if r.Orig.SrcPort != 0 || r.Orig.DstPort != 65535 || r.Info.State != ctnetlink.TCPSynSent2 {
		t.Errorf(
			"ports %d %d, state %d: atoi reads no prefix and cuts to 16 bits",
			r.Orig.SrcPort,
			r.Orig.DstPort,
			r.Info.State,
		)
	}
	if r.Mark != 0x10 || r.MarkMask != 0xf0 || r.Zone != 8 {
		t.Errorf("mark %#x/%#x, zone %d", r.Mark, r.MarkMask, r.Zone)
	}
	if r.StatusSet != ctnetlink.StatusSeenReply || r.StatusClear != ctnetlink.StatusAssured|ctnetlink.StatusSeenReply {
		t.Errorf("status %#x, clear %#x", r.StatusSet, r.StatusClear)
	}
	if !r.Output.Extended || !r.Output.ID || r.Output.KTimestamp {
		t.Errorf("output %+v", r.Output)
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]int64{"": 0, "x": 0, " 12x": 12, "-3": -3, "+4": 4, "0x7": 0, "010": 10, "- 1": 0,
		"99999999999999999999": 1<<63 - 1, "-99999999999999999999": -1 << 63} {
		if got := atol(s); got != want {
			t.Errorf("atol(%q) = %d, want %d", s, got, want)
		}
	}
	for s, want := range map[string]uint64{"0x10": 16, "010": 8, "10": 10, " +5": 5, "0": 0, "0xfFfFfFfF": 1<<32 - 1} {
		if got, ok := parseUint(s, 1<<32-1); !ok || got != want {
			t.Errorf("parseUint(%q) = %d, %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-1", "0x", "08", "1 ", "x", "4294967296", "99999999999999999999", "+", "+-1"} {
		if got, ok := parseUint(s, 1<<32-1); ok {
			t.Errorf("parseUint(%q) = %d, want a refusal", s, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]string{"1.2.3.4": "1.2.3.4", "10.1": "10.0.0.1", "0x7f.1": "127.0.0.1", "1.2.3": "1.2.0.3",
		"017.0.0.1": "15.0.0.1", "4294967295": "255.255.255.255", "1.2.3.4 x": "1.2.3.4", "::1": "::1", "::ffff:1.2.3.4": "::ffff:1.2.3.4"} {
		if got, ok := parseAddr(s); !ok || got.String() != want {
			t.Errorf("parseAddr(%q) = %v, %v, want %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "256.1.1.1", "1.2.3.4.5", "1..2", "1.2.3.4x", " 1.2.3.4", "4294967296", "1.16777216", "fe80::1%lo", "a", "-1"} {
		if got, ok := parseAddr(s); ok {
			t.Errorf("parseAddr(%q) = %v, want a refusal", s, got)
		}
	}
}

func TestSplitLine(t *testing.T) {
	for line, want := range map[string][]string{
		"":                      nil,
		"  \t\n":                nil,
		"-F\x00 -D\n":           {"-F"},
		"-l \"a\x00\"":          {"-l", "a"},
		"-D -s 1.1.1.1\n":       {"-D", "-s", "1.1.1.1"},
		`-l "a b" -F`:           {"-l", "a b", "-F"},
		`"a\"b\\"c`:             {`a"b\`, "c"},
		`a\b`:                   {`a\b`},
		`a"b"c`:                 {"ab", "c"},
		`""`:                    {""},
		"-F\r\n":                {"-F\r"},
		"-D # not a comment":    {"-D", "#", "not", "a", "comment"},
		"\"open quote to the\n": {"open quote to the\n"},
	} {
		got, err := splitWords(line, nil)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("splitWords(%q) = %q, %v, want %q", line, got, err, want)
		}
	}
	for line, want := range map[string]bool{
		"\n": true, " \t\n": true, "#": true, "  # -F\n": true, "#\x00": true,
		"-F\n": false, "  ": false, "\x00\n": false, " \x00#\n": false, "\r\n": false,
	} {
		if got := skipped(line); got != want {
			t.Errorf("skipped(%q) = %v", line, got)
		}
	}
	if _, err := splitWords(strings.Repeat("a ", 255), nil); err == nil || err.Error() != "too many arguments" {
		t.Errorf("255 words: %v", err)
	}
	if _, err := splitWords(strings.Repeat("a", 1024), nil); err == nil || err.Error() != "Parameter too long!" {
		t.Errorf("1024 bytes: %v", err)
	}
}

func TestLabelMap(t *testing.T) {
	m, err := readLabelMap(
		strings.NewReader("# names\n0 web\n0x10 dns server\n1 web\n16 other\nx bad\n2\n1024 far\n3 bad_name\n 5 late\r\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	for label, bit := range map[string]int{"web": 0, "dns server": 16, "late": 5} {
		if got, ok := m.bits[label]; !ok || got != bit || m.Names[bit] != label {
			t.Errorf("%q is bit %d, %v, want %d", label, got, ok, bit)
		}
	}
	if len(m.bits) != 3 {
		t.Errorf("names %v, want three", m.bits)
	}
}

// FuzzClassic: whatever is typed, the answer is a request or an error, and a
// request has a filter.
func FuzzClassic(f *testing.F) {
	for _, line := range []string{
		"-L -p tcp --dport 80", "-Lz exp", "-I -s 1.1.1.1 -d ::1/129 -p 58 --icmpv6-t 1", "-u !x,,y -o save",
		"-n [::1]:80 -j -g :", "--mark=1/2 --zone 0x", "-p sctp --state X --role", "-> a -< b", "-L\x00-- -p\xff",
		"-U -p tcp --sport 1 -p icmp -t -9", "-A -p gre --srckey 99999999999999999999", "--labelmap /dev/null -l a",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "/") { // names files
			return
		}
		r, err := ParseClassic(strings.Fields(line), nil)
		if err != nil {
			var usage *UsageError
			var other *Failure
			if !errors.As(err, &usage) && !errors.As(err, &other) {
				t.Fatalf("%q: %v is no message", line, err)
			}
			return
		}
		_ = r.ValidateFilter()
		for _, part := range r.Filter().Split() {
			part.Kernel()
		}
	})
}

// FuzzSplitLine: a line never makes more words than it may, and no long ones.
func FuzzSplitLine(f *testing.F) {
	f.Add(`-D -s "1.1\"" x`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line, nil)
		if err != nil {
			return
		}
		if len(words) > maxWords {
			t.Fatalf("%d words", len(words))
		}
		for _, w := range words {
			if len(w) > maxWordSize {
				t.Fatalf("a word of %d bytes", len(w))
			}
		}
	})
}

// FuzzLabelMap: every name that is found has its bit, and the bit its name.
func FuzzLabelMap(f *testing.F) {
	f.Add("0 a\n1 b c\n#\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := readLabelMap(strings.NewReader(text))
		if err != nil {
			return
		}
		for label, bit := range m.bits {
			if m.Names[bit] != label {
				t.Fatalf("%q is bit %d, which is %q", label, bit, m.Names[bit])
			}
		}
	})
}

// BenchmarkLine parses and validates a line of a -R file.
func BenchmarkLine(b *testing.B) {
	text := "-I -s 10.0.0.1 -d 192.0.2.1 -p tcp --sport 1024 --dport 80 --state ESTABLISHED -t 100000 -u SEEN_REPLY,ASSURED\n"
	b.ReportAllocs()
	words := make([]string, 0, maxWords)
	for b.Loop() {
		words, err := splitWords(text, words[:0])
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ParseClassic(words, nil); err != nil {
			b.Fatal(err)
		}
	}
}
