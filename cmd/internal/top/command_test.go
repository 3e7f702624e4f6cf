package top

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// testTable is a table in the process.
type testTable struct {
	*engine.Table
	*ctnetlink.Conn
}

func newTestTable(t testing.TB) *testTable {
	table := engine.New(engine.Options{})
	conn := ctnetlink.NewConn(table.Dial)
	t.Cleanup(func() { conn.Close() })
	return &testTable{table, conn}
}

// target returns the table for actions.
func (t *testTable) target() *target.Table { return target.InMemory(t.Dial, time.Now) }

// make creates an entry, and reports whether the table took it.
func (t *testTable) make(o ctnetlink.Tuple, set ...func(*ctnetlink.FlowSpec)) bool {
	en := ctnetlink.NewFlowSpec(o)
	en.Reply = o.Reverse()
	en.Reply.Has &^= ctnetlink.FieldZone
	en.SetTimeout(time.Hour)
	for _, f := range set {
		f(en)
	}
	return t.Create(en) == nil
}

// ids returns the ids of the entries, in ascending order.
func (t *testTable) ids(tb testing.TB) (ids []uint32) {
	tb.Helper()
	list, err := t.DumpAll(nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range list {
		id, _ := f.ID()
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// run runs a command line of a shell on the table.
func (t *testTable) run(tb testing.TB, words ...string) {
	tb.Helper()
	var r *cmdline.Request
	var err error
	if strings.HasPrefix(words[0], "-") {
		r, err = cmdline.ParseClassic(words, nil)
	} else {
		b := &cmdline.Beside{}
		if err = b.Scan(words[1:]); err == nil {
			r, err = b.Request(map[string]cmdline.Command{"delete": cmdline.CmdDelete, "update": cmdline.CmdUpdate}[words[0]], nil)
		}
	}
	if err != nil {
		tb.Fatalf("%q: %v", words, err)
	}
	var out, errs bytes.Buffer
	s := console.NewStreams(nil, &out, &errs)
	if err := action.RunTable(s, r, t.target(), nil); err != nil && err != console.ErrQuiet {
		tb.Fatalf("%q: %v %s", words, err, errs.String())
	}
}

var (
	addr4 = [2]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1")}
	addr6 = [2]netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("2001:db8::1")}
)

// fillVaried makes entries that differ in as little as two entries can.
func fillVaried(t *testTable) {
	zones := []func(*ctnetlink.FlowSpec){
		func(*ctnetlink.FlowSpec) {},
		func(en *ctnetlink.FlowSpec) { en.SetZone(7) },
		func(en *ctnetlink.FlowSpec) { en.Orig.Zone, en.Orig.Has = 8, en.Orig.Has|ctnetlink.FieldZone },
		func(en *ctnetlink.FlowSpec) { en.Reply.Zone, en.Reply.Has = 9, en.Reply.Has|ctnetlink.FieldZone },
	}
	for i, zone := range zones {
		to4, to6 := addr4, addr6
		if i >= 2 { // their other direction is in no zone
			to4[1], to6[1] = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), addr6[0]
			to6[0] = netip.AddrFrom16([16]byte{0xfd, 15: byte(i)})
		}
		for _, a := range [][2]netip.Addr{to4, to6} {
			for _, p := range []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoSCTP,
				ctnetlink.ProtoDCCP, ctnetlink.ProtoUDPLite, ctnetlink.ProtoGRE} {
				for port := range uint16(3) {
					t.make(ctnetlink.NewTuple(p, netip.AddrPortFrom(a[0], 1+port), netip.AddrPortFrom(a[1], 80)), zone)
				}
			}
			t.make(ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Proto: 99, Src: a[0], Dst: a[1]}, zone)
			t.make(ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Proto: 98, Src: a[0], Dst: a[1]}, zone)
		}
		for id := range uint16(3) {
			t.make(ctnetlink.NewICMPTuple(to4[0], to4[1], 8, 0, id), zone)
			t.make(ctnetlink.NewICMPTuple(to6[0], to6[1], 128, 0, id), zone)
		}
	}
}

// TestEntryLines: the command line that is shown for an entry deletes it and no other
// one, of all protocols and in all zones; so does its line in a file for -R.
func TestEntryLines(t *testing.T) {
	table := newTestTable(t)
	fillVaried(table)
	list, err := table.DumpAll(nil)
	if err != nil || len(list) < 150 {
		t.Fatal(len(list), err)
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, f := range list {
		before := table.ids(t)
		words := appendEntry([]string{"-D"}, f)
		if line := (&change{}).entryLine(f); strings.Join(words, " ") != line {
			t.Errorf("the line of a file is %q, not %q", line, words)
		}
		table.run(t, words...)
		id, _ := f.ID()
		want := slices.DeleteFunc(before, func(n uint32) bool { return n == id })
		if got := table.ids(t); !slices.Equal(got, want) {
			t.Fatalf("%q: %d entries are left, want %d", words, len(got), len(want))
		}
	}
}

// TestMarkLines: the command line that sets the mark of an entry does that, and changes
// no other one.
func TestMarkLines(t *testing.T) {
	table := newTestTable(t)
	fillVaried(table)
	list, err := table.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range list {
		if i%5 != 0 {
			continue
		}
		ch, err := newMarkChange("0x10/0xff")
		if err != nil {
			t.Fatal(err)
		}
		table.run(t, strings.Fields(ch.entryLine(f))...)
	}
	after, err := table.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, f := range after {
		if mark, _ := f.Mark(); mark == 0x10 {
			marked++
		}
	}
	if want := (len(list) + 4) / 5; marked != want {
		t.Errorf("%d entries have the mark, want %d", marked, want)
	}
}

// TestFilterWords: the options that select what is shown make a command line that
// selects the same, or none.
func TestFilterWords(t *testing.T) {
	words := strings.Fields
	mark, err := newMarkChange("5")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		given, typed, group string
		change              change
		want                string // "": each entry has a line of its own
	}{
		{"", "", "", change{}, "conntrack -D"},
		{"-p tcp", "-s 10.0.0.0/8", "", change{}, "conntrack -D -p tcp -s 10.0.0.0/8"},
		{"", "-p tcp --dport 80,443 --unreplied", "", change{}, "conntrack -D -p tcp --dport 80,443 --unreplied"},
		{"", "--dport 443 -p tcp", "", change{}, "conntrack delete --dport 443 -p tcp"},
		{"", "-p tcp --state ESTABLISHED,CLOSE", "", change{}, "conntrack -D -p tcp --state ESTABLISHED,CLOSE"},
		{"", "-m 7", "-d 192.0.2.1", change{}, "conntrack -D -m 7 -d 192.0.2.1"},
		{"-s 10.0.0.1", "-s 10.0.0.2", "", change{}, ""},
		{"-s 10.0.0.1", "", "-s 10.0.0.0/8", change{}, ""},
		{"--match a", "--match b", "", change{}, ""},
		{"", "-s 10.0.0.1", "", mark, "conntrack -U -s 10.0.0.1 -m 5"},
		{"", "-p tcp --state CLOSE", "", mark, ""}, // a new state, for -U
		{"", "-m 7", "", mark, ""},
		{"", "-u ASSURED", "", mark, ""},
	} {
		got, ok := c.change.filterWords(words(c.given), words(c.typed), words(c.group))
		if text := strings.Join(got, " "); text != c.want || ok != (c.want != "") {
			t.Errorf("%q, %q, %q: %q, %v", c.given, c.typed, c.group, text, ok)
		}
	}
}

// TestShellLine: a shell reads the words of a line as they are.
func TestShellLine(t *testing.T) {
	words := []string{"plain", "", "two words", "it's", `back\slash`, "$HOME `x` \"y\"", "*", "!10.0.0.0/8", "ü→", "tab\there",
		"\x1b[31mred", "new\nline", "quote'\x01", "\xff\xfe"}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	line := shellLine(words)
	for _, b := range []byte(line) {
		if b < ' ' || b == 0x7f {
			t.Errorf("the line has byte %#x", b)
		}
	}
	out, err := exec.Command(bash, "-c", "printf '%s\\0' "+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("%s\n%q\nwant %q", line, got, words)
	}
}

func TestTableWords(t *testing.T) {
	for _, c := range []struct{ line, name, want string }{
		{"-L", "", ""},
		{"-L --table a.nl", "", "--table a.nl"},
		{"-L --netns blue", "blue", "--netns blue"},
		{"-L --all-netns", "blue", "--netns blue"},
		{"-L --all-netns", "", "--all-netns"},
	} {
		r, err := cmdline.ParseClassic(strings.Fields(c.line), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(tableWords(r, c.name), " "); got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.line, c.name, got, c.want)
		}
	}
}

// TestOutcome holds what is said after a change.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		o    outcome
		want string
	}{
		{outcome{named: 1, done: 1}, "deleted 1 entry"},
		{outcome{named: 120, done: 120}, "deleted 120 entries"},
		{outcome{named: 120, done: 118, ended: 2}, "deleted 118 of 120: 2 had ended"},
		{outcome{named: 120, done: 117, ended: 2, differ: 1}, "deleted 117 of 120: 2 had ended, 1 no longer matched"},
		{outcome{named: 3, done: 3, change: change{mark: "7"}}, "set the mark of 3 entries"},
	} {
		if got := c.o.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}

// TestTitle: the question has the number of entries.
func TestTitle(t *testing.T) {
	for _, c := range []struct {
		n    int
		what string
		mark string
		want string
	}{
		{1, "", "", "Delete this entry?"},
		{1, "that match", "", "Delete the only entry that matches?"},
		{1, "that are marked", "7", "Set the mark of the only entry that is marked to 7?"},
		{1, "that match and were found", "", "Delete the only entry that matches and was found?"},
		{2, "that are marked", "", "Delete the 2 entries that are marked?"},
	} {
		q := confirmation{n: c.n, what: c.what, change: change{mark: c.mark}}
		if got := q.title(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestWrapCommand(t *testing.T) {
	for width := range 40 {
		for _, row := range wrapCommand("conntrack -D --netns "+strings.Repeat("ä€", 20), width) {
			if !utf8.ValidString(row) {
				t.Errorf("%d: %q", width, row)
			}
		}
	}
	line := "conntrack -D -p tcp -s 10.0.0.1 -d 192.0.2.1 --sport 12345 --dport 443 --id 123456789"
	for width := 8; width < 100; width++ {
		rows := wrapCommand(line, width)
		var back []string
		for _, row := range rows {
			if len(row) > max(width, 10) {
				t.Errorf("%d: %q", width, row)
			}
			back = append(back, strings.TrimPrefix(row, "  "))
		}
		if width > 20 && strings.Join(back, " ") != line {
			t.Errorf("%d: %q", width, back)
		}
	}
}
