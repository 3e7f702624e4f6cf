package top

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// doing is a typist at a table with some entries, which has events.
type doing struct {
	*typist
	table *testTable
	live  *live.Table
}

// newDoing returns one with n entries, whose sources have the ports from 1000 on.
func newDoing(t *testing.T, n int, readOnly bool) *doing {
	t.Helper()
	table := newTestTable(t)
	copied := live.New([]live.Source{{Conn: table.Beside(), Now: time.Now}}, live.Options{Interval: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = copied.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	// The entries have events, because somebody listens when they begin.
	read := testwait.For(10*time.Second, func() bool { return !copied.Status().Reading })
	for i := range n {
		table.make(doingTuple(i))
	}
	if !read || !testwait.For(10*time.Second, func() bool { return copied.Status().Entries == n }) {
		t.Fatal("the table is not read")
	}
	return &doing{newTypist(t, copied, []*target.Table{table.target()}, readOnly), table, copied}
}

func doingTuple(i int) ctnetlink.Tuple {
	return ctnetlink.NewTuple(ctnetlink.ProtoUDP, netip.AddrPortFrom(addr4[0], uint16(1000+i)), netip.AddrPortFrom(addr4[1], 53))
}

// shows returns what a panel with all entries shows, in the order of their ports, with
// the cursor on one.
func (d *doing) shows(cursor int) shown {
	d.Helper()
	keys, err := cmdline.ParseKeys("sport")
	if err != nil {
		d.Fatal(err)
	}
	q := live.Query{Order: []live.Key{{Key: keys[0]}}, Filter: d.filter}
	page := q
	page.Limit = 1000
	p, err := d.live.Page(context.Background(), &page)
	if err != nil || cursor >= len(p.Rows) {
		d.Fatal(len(p.Rows), err)
	}
	return shown{&p.Rows[cursor], q}
}

// lines returns what lies over the panel, without styles.
func (d *doing) lines(width, height int) string {
	text, _, _ := d.over.draw(d.Model, width, height)
	for i, line := range text {
		text[i] = strings.NewReplacer("\x1b[1m", "", "\x1b[m", "").Replace(line)
	}
	return strings.Join(text, "\n")
}

// asks waits for a question.
func (d *doing) asks() *confirmation {
	d.Helper()
	d.until("a question", func() bool { _, ok := d.over.(*confirmation); return ok })
	return d.over.(*confirmation)
}

// says waits for a message.
func (d *doing) says(text string) {
	d.Helper()
	d.until(text, func() bool { return strings.Contains(d.message, text) })
}

// TestQuestion: a question names what is meant and shows the command line; the number is
// the current one; everything but y refuses.
func TestQuestion(t *testing.T) {
	d := newDoing(t, 12, false)
	d.do("d", d.shows(3))
	d.asks()
	want := "\nDelete this entry?\ny does it, as this would:\n" +
		"  conntrack -D -p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1003 --dport 53 --id "
	if got := d.lines(100, 20); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, name := range []string{"n", "esc", "enter", "N", "Y", "x", "d", "D", "space", "q"} {
		if d.over == nil {
			d.do("d", d.shows(3))
			d.asks()
		}
		d.message = ""
		if d.answer(name); d.over != nil || d.message != "Nothing was deleted." {
			t.Errorf("%s: %T lies over the panel, the message is %q", name, d.over, d.message)
		}
	}
	if n := len(d.table.ids(t)); n != 12 {
		t.Fatalf("%d entries are left", n)
	}

	d.filterText = "-p udp --dport 53"
	if err := d.setFilter(d.filterText); err != nil {
		t.Fatal(err)
	}
	d.do("D", d.shows(0))
	c := d.asks()
	want = "\nDelete the 12 entries that match?\nEntries that come later are not meant.\ny does it, as this would:\n" +
		"  conntrack -D -p udp --dport 53"
	if got := d.lines(100, 20); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	d.table.run(t, "-D", "-p", "udp", "--sport", "1000-1004")
	d.table.make(doingTuple(100)) // comes later
	d.until("the number", func() bool { return c.n == 7 })
	if got := d.lines(100, 20); !strings.Contains(got, "Delete the 7 entries that match?") {
		t.Error(got)
	}
	d.answer("y")
	d.says("Deleted 7 entries")
	if n := len(d.table.ids(t)); n != 1 {
		t.Errorf("%d entries are left, want the one that came later", n)
	}
}

// TestQuestionEnds: a question goes when all that it is about has ended.
func TestQuestionEnds(t *testing.T) {
	d := newDoing(t, 3, false)
	what := d.shows(1)
	d.do("d", what)
	d.asks()
	d.table.run(t, "-D", "-p", "udp", "--sport", "1001")
	d.says("Nothing was deleted: all of them have ended.")
	if d.over != nil {
		t.Errorf("%T lies over the panel", d.over)
	}
	d.message = ""
	d.do("d", what) // the row is on the screen still
	d.says("it has ended")
	if n := len(d.table.ids(t)); n != 2 {
		t.Errorf("%d entries are left", n)
	}
}

// TestMarked: marks, the question about those that are marked, and the file of their
// commands, which does what the question would.
func TestMarked(t *testing.T) {
	d := newDoing(t, 20, false)
	for _, i := range []int{2, 3, 5, 7, 11, 13, 17} {
		what := d.shows(i)
		d.do("t", what)
		if !what.row.Marked {
			t.Error("the mark is not shown at once")
		}
	}
	d.until("marks", func() bool { return d.live.Status().Marked == 7 })
	d.do("d", d.shows(0))
	c := d.asks()
	got := d.lines(100, 20)
	if !strings.Contains(got, "Delete the 7 entries that are marked?") || strings.Count(got, "conntrack -D") != 5 ||
		!strings.Contains(got, "… and 2 more: w writes all of them to a file for `conntrack -R'") {
		t.Error(got)
	}
	path := filepath.Join(t.TempDir(), "commands")
	d.answer("w")
	for _, r := range path {
		d.answer(string(r))
	}
	d.answer("enter")
	d.says("7 commands were written to " + path)
	if d.over != overlay(c) {
		t.Errorf("%T lies over the panel", d.over)
	}
	d.answer("n")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "# conntrack -R FILE\n") {
		t.Errorf("%s", text)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); words[0] != "#" {
			d.table.run(t, words...)
		}
	}
	left, err := d.table.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	var ports []int
	for _, f := range left {
		ports = append(ports, int(f.Orig().SrcPort)-1000)
	}
	slices.Sort(ports)
	if want := []int{0, 1, 4, 6, 8, 9, 10, 12, 14, 15, 16, 18, 19}; !slices.Equal(ports, want) {
		t.Errorf("%d are left, want %d", ports, want)
	}
}

// TestSetMark: m sets the mark of the entry, after a question.
func TestSetMark(t *testing.T) {
	d := newDoing(t, 3, false)
	d.do("m", d.shows(1))
	for _, r := range "0x1g" {
		d.answer(string(r))
	}
	d.answer("enter")
	if p, ok := d.over.(*prompt); !ok || p.wrong == "" {
		t.Fatalf("a wrong mark: %T", d.over)
	}
	d.answer("esc")
	d.do("m", d.shows(1))
	for _, r := range "0x12/0xff" {
		d.answer(string(r))
	}
	d.answer("enter")
	d.asks()
	if got := d.lines(120, 20); !strings.Contains(got, "Set the mark of this entry to 0x12/0xff?") ||
		!strings.Contains(got, "conntrack -U -p udp") || !strings.HasSuffix(got, " -m 0x12/0xff") {
		t.Error(got)
	}
	d.answer("y")
	d.says("Set the mark of 1 entry")
	list, _ := d.table.DumpAll(nil)
	for _, f := range list {
		mark, _ := f.Mark()
		if want := f.Orig().SrcPort == 1001; (mark == 0x12) != want {
			t.Errorf("port %d has mark %#x", f.Orig().SrcPort, mark)
		}
	}
}

// TestReadOnly: nothing can be changed, and the keys say why.
func TestReadOnly(t *testing.T) {
	d := newDoing(t, 3, true)
	for _, name := range []string{"d", "D", "m"} {
		d.message = ""
		if d.do(name, d.shows(0)); !strings.Contains(d.message, "--read-only") || d.over != nil {
			t.Errorf("%s: %q, %T", name, d.message, d.over)
		}
	}
	for _, h := range d.actHints() {
		if strings.Contains(h.text, "delete") || strings.Contains(h.text, "set mark") {
			t.Errorf("the foot has %v", h)
		}
	}
	d.do("enter", d.shows(0))
	d.until("an entry in words", func() bool { v, ok := d.over.(*detail); return ok && v.text != nil })
	d.answer("d")
	if !strings.Contains(d.message, "--read-only") {
		t.Errorf("%q", d.message)
	}
}

// TestRefused: who may not change the table is told so in the words of conntrack -D, and
// nothing is counted as done.
func TestRefused(t *testing.T) {
	d := newDoing(t, 3, false)
	d.actor.tables = []*target.Table{target.InMemory(func() (ctnetlink.Socket, error) {
		s, err := d.table.Dial()
		return refusing{s}, err
	}, time.Now)}
	d.do("d", d.shows(0))
	d.asks()
	d.answer("y")
	d.says("Deleted 0 of 1; Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this")
	if !d.failed || len(d.table.ids(t)) != 3 {
		t.Error(d.failed, d.table.ids(t))
	}
}

// refusing is a socket of somebody without rights.
type refusing struct{ ctnetlink.Socket }

func (refusing) Send([]byte) error { return ctnetlink.EPERM }

// TestExplain: an entry in words is kept up to date, and tells at the end how it ended.
func TestExplain(t *testing.T) {
	d := newDoing(t, 3, false)
	d.do("enter", d.shows(1))
	shows := func(text string) {
		t.Helper()
		d.until(text, func() bool {
			_, ok := d.over.(*detail)
			return ok && strings.Contains(d.lines(78, 100), text)
		})
	}
	shows("UDP")
	shows("1001")
	d.table.run(t, "-U", "-p", "udp", "--sport", "1001", "-m", "77")
	shows("77")
	d.table.run(t, "-D", "-p", "udp", "--sport", "1001")
	shows("Ended: at ")
	shows("it was deleted by a process")
	shows("As it was last seen:")
	shows("77")
	if got, _, _ := d.over.draw(d.Model, 40, 5); len(got) != 5 {
		// The rest is below: it scrolls.
		d.answer("end")
		if _, _, _ = d.over.draw(d.Model, 40, 5); d.over.(*detail).offset == 0 {
			t.Error("it does not scroll")
		}
	}
	d.answer("x")
	if d.over != nil {
		t.Errorf("%T lies over the panel", d.over)
	}
}

// TestHowEnded holds the words about ends.
func TestHowEnded(t *testing.T) {
	entry := func(left time.Duration, state ctnetlink.State) *ctnetlink.Flow {
		en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(addr4[0], 1), netip.AddrPortFrom(addr4[1], 2)))
		en.SetTimeout(left)
		if state != 0 {
			en.SetState(state)
		}
		f := new(ctnetlink.Flow)
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		return f
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		row  *ctnetlink.Flow
		end  live.Ending
		want string
	}{
		{entry(time.Hour, 0), live.Ending{PortID: 7, Program: "con\x1bntrack"}, `it was deleted by con\x1bntrack (netlink port 7)`},
		{entry(time.Hour, 0), live.Ending{PortID: 7}, "it was deleted by a process whose name is not known"},
		{entry(time.Hour, 0), live.Ending{Replaced: true}, "another entry had taken its place"},
		{entry(time.Hour, 0), live.Ending{Left: true}, "no longer matched the filters"},
		{entry(time.Hour, 0), live.Ending{}, "a dump found at 03:04:05 that it was gone"},
		{entry(0, 0), live.Ending{Flow: entry(0, 0)}, "at 03:04:05 it timed out"},
		{entry(time.Hour, 0), live.Ending{Flow: entry(0, 0)}, "the kernel removed it 1 h before its timeout"},
		{entry(0, ctnetlink.TCPTimeWait), live.Ending{Flow: entry(0, 0)}, "TCP closed it (its state was TIME_WAIT), and then it timed out"},
		{nil, live.Ending{Flow: entry(0, ctnetlink.TCPClose)}, "TCP closed it (its state was CLOSE)"},
	} {
		c.end.Ended, c.end.Time = true, at
		var row *live.Row
		if c.row != nil {
			row = &live.Row{Flow: c.row}
		}
		if got := howEnded(row, &c.end); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestCopy: the command line is copied and shown.
func TestCopy(t *testing.T) {
	d := newDoing(t, 3, true)
	d.do("y", d.shows(1))
	d.until("what was copied", func() bool { _, ok := d.over.(*copied); return ok })
	if got := d.lines(120, 10); !strings.Contains(got, "  conntrack -D -p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1001 --dport 53 --id ") {
		t.Error(got)
	}
	d.answer("x")
	if d.over != nil {
		t.Errorf("%T", d.over)
	}
}
