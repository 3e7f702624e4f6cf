package live

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// askedTable is a table of random entries for questions.
type askedTable struct {
	*Table
	now      *clock
	messages map[uint32][]byte // of the entries, by their id, as the table lists them
	rates    map[uint32]Rates
}

var testLabels = []string{3: "web", 17: "DÄTA"}

// newAsked returns a table with n entries of two dumps.
func newAsked(t testing.TB, seed uint64, n int, o Options) *askedTable {
	t.Helper()
	o.LabelNames = testLabels
	table, kernel, conn, now := newTable(t, engine.Options{Max: -1}, o)
	a := &askedTable{Table: table, now: now, messages: map[uint32][]byte{}, rates: map[uint32]Rates{}}
	g := newGenerator(seed)
	for i := range n {
		if err := kernel.Restore(g.entry(i, now.Add(-time.Duration(g.IntN(5000))*time.Second)), 0); err != nil {
			t.Fatal(err)
		}
	}
	now.advance(2500 * time.Millisecond)
	d := table.beginDump(0)
	take := func(f *ctnetlink.Flow) {
		d.saw(f, now.now())
		id, _ := f.ID()
		a.messages[id] = slices.Clone(f.Message())
	}
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		take(f)
	}
	for i := range n / 10 {
		take(g.unusual(t, n+i, now.now()))
	}
	for d.end() {
	}
	n += n / 10
	// Rates such as dumps of a table with traffic find.
	table.mu.Lock()
	defer table.mu.Unlock()
	odd := 0
	walkLocked(table, func(e *entry) {
		if e.odd() {
			odd++
		}
		r := e.core()
		if r.has&hasCounters != 0 && !g.one(8) {
			for i := range r.rates {
				r.rates[i] = float32(g.Uint32()>>g.IntN(32)) / 8
			}
		}
		a.rates[r.id] = e.ratesNow()
	})
	if n > 100 && odd < n/50 {
		t.Fatal("few entries are odd:", odd)
	}
	if len(a.messages) != n || table.len() != n {
		t.Fatalf("%d entries, %d of them in the copy", len(a.messages), table.len())
	}
	return a
}

// unusual returns an entry that no kernel lists, though a table file may have it.
func (g *generator) unusual(t testing.TB, i int, now time.Time) *ctnetlink.Flow {
	t.Helper()
	var f ctnetlink.Flow
	if err := f.Decode(g.entry(i, now.Add(-time.Minute))); err != nil {
		t.Fatal(err)
	}
	drop, what := ctnetlink.Attr(0), g.IntN(4)
	if what < 2 {
		drop = []ctnetlink.Attr{ctnetlink.AttrTupleReply, ctnetlink.AttrProtoInfo}[what]
	}
	msg := slices.Clone(f.Message()[:wire.HeadLen])
	for a := f.Message()[wire.HeadLen:]; len(a) > 0; {
		size := int(binary.NativeEndian.Uint16(a)+3) &^ 3
		typ := ctnetlink.Attr(binary.NativeEndian.Uint16(a[2:]) & wire.AttrTypeMask)
		if typ != drop {
			msg = append(msg, a[:size]...)
		}
		if typ == ctnetlink.AttrStatus && what == 2 {
			msg[len(msg)-4+1] = 0x10 // bit 20
		}
		if typ == ctnetlink.AttrTupleReply && what == 3 && f.Family() == ctnetlink.FamilyIPv4 {
			msg[len(msg)-size+4+4+16+4+4] ^= 0xff // the protocol
		}
		a = a[size:]
	}
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	if err := f.Decode(msg); err != nil {
		t.Fatal(err)
	}
	return &f
}

// walkLocked is walk for a test that has the lock.
func walkLocked(t *Table, f func(e *entry)) {
	for _, p := range t.pages.all {
		if p != nil {
			p.alive.each(func(i int) bool { f(&entry{p: p, i: i}); return true })
		}
	}
}

// page asks a question that has an answer.
func (a *askedTable) page(t testing.TB, q Query) *Page {
	t.Helper()
	p, err := a.Page(context.Background(), &q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parseKeys(t testing.TB, list string) []cmdline.Key {
	t.Helper()
	if d := format.FieldByName(list); d != nil && d.IsRate() {
		return []cmdline.Key{{Name: d.Name, Field: d}} // to sort by
	}
	keys, err := cmdline.ParseKeys(list)
	if err != nil {
		t.Fatal(list, err)
	}
	return keys
}

// values returns the values for a key of each entry, by its id, as lists and
// summaries read them from what the table listed.
func (a *askedTable) values(t testing.TB, key cmdline.Key) map[uint32][]byte {
	t.Helper()
	values := map[uint32][]byte{}
	context := &format.Context{Now: a.now.now()}
	w := cmdline.NewKeyValues([]cmdline.Key{key}, testLabels, context)
	for id, msg := range a.messages {
		var f ctnetlink.Flow
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		rates := a.rates[id]
		context.Rates = &rates
		values[id] = slices.Clone(w.Read(&f))
	}
	return values
}

// sortedFields are the fields that entries have here.
func sortedFields() (names []string) {
	for d := range format.Fields() {
		if d.OfFlows() && notKept(d) == nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// TestOrder: entries are in the order of `conntrack -L --sort', by every field.
func TestOrder(t *testing.T) {
	a := newAsked(t, 21, 500, Options{})
	names := append(sortedFields(), "src/24/64", "dst/20", "reply_dst/30/120")
	if len(names) < 50 {
		t.Fatal("there are few fields:", names)
	}
	for _, name := range names {
		key := parseKeys(t, name)[0]
		values := a.values(t, key)
		for _, descending := range []bool{false, true} {
			p := a.page(t, Query{Order: []Key{{key, descending}}, Limit: 10000})
			if n := len(a.messages); p.Matched != n || len(p.Rows) != n || p.Offset != 0 || p.At != -1 {
				t.Fatalf("%s: %d rows from %d on of %d, the cursor at %d", name, len(p.Rows), p.Offset, p.Matched, p.At)
			}
			differ := 0
			for i := 1; i < len(p.Rows); i++ {
				before, after := &p.Rows[i-1], &p.Rows[i]
				one, _ := before.Flow.ID()
				two, _ := after.Flow.ID()
				c := bytes.Compare(values[one], values[two])
				if key.Field.IsRate() { // finer than whole numbers
					x, y := before.Rates, after.Rates
					v, knownV := key.Field.Rate(&format.Context{Rates: &x})
					w, knownW := key.Field.Rate(&format.Context{Rates: &y})
					if c = cmp.Compare(v, w); knownV != knownW || !knownV {
						c = bytes.Compare(values[one], values[two])
					}
				}
				if descending {
					c = -c
				}
				if c != 0 {
					differ++
				}
				if name == "start" {
					continue // whole seconds, see TestStartOrder
				}
				if c > 0 {
					t.Fatalf("%s, descending %v: %x is before %x", name, descending, values[one], values[two])
				}
				if c == 0 && !before.Ref.before(after.Ref) {
					t.Fatalf("%s: equal entries are not in the order of their places", name)
				}
			}
			if differ == 0 && slices.Contains([]string{"bytes", "byte_rate", "age", "state", "labels", "nat_src"}, name) {
				t.Errorf("%s: all entries are equal", name)
			}
		}
	}
}

// TestStartOrder: entries are in the order of their start, of which seconds are kept.
func TestStartOrder(t *testing.T) {
	a := newAsked(t, 22, 1000, Options{})
	p := a.page(t, Query{Order: []Key{{parseKeys(t, "start")[0], true}}, Limit: 5000})
	last, different := int64(1)<<62, 0
	for i := range p.Rows {
		var f ctnetlink.Flow
		id, _ := p.Rows[i].Flow.ID()
		if err := f.Decode(a.messages[id]); err != nil {
			t.Fatal(err)
		}
		began := int64(-1) // absent is before all others
		if start, ok := f.Start(); ok {
			began = start.Unix()
		}
		if began > last {
			t.Fatalf("row %d began at %d, the one before at %d", i, began, last)
		}
		if began != last {
			different++
		}
		last = began
	}
	if different < 100 {
		t.Error("few different times:", different)
	}
}

// TestPages holds windows of orders by several keys, also around an entry, against the
// whole order.
func TestPages(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	a := newAsked(t, 23, 2500, Options{})
	n := len(a.messages)
	names := sortedFields()
	for range testwait.Size(12, 5) {
		var order []Key
		for range r.IntN(4) {
			name := names[r.IntN(len(names))]
			if r.IntN(2) == 0 {
				name = []string{"byte_rate", "state", "proto", "zone", "mark", "dst/28", "packets"}[r.IntN(7)]
			}
			order = append(order, Key{parseKeys(t, name)[0], r.IntN(2) == 0})
		}
		whole := a.page(t, Query{Order: order, Limit: n}).Rows
		if len(whole) != n {
			t.Fatal(len(whole), "rows")
		}
		for range 6 {
			q := Query{Order: order, Offset: r.IntN(n+200) - 50, Limit: r.IntN(120)}
			if r.IntN(2) == 0 {
				q.Offset /= 100
			}
			rank := -1
			if r.IntN(3) > 0 {
				switch rank = r.IntN(n); r.IntN(3) {
				case 0:
					rank /= 200
				case 1: // just behind those that are kept
					q.Offset, rank = r.IntN(100), leastFirst+r.IntN(leastFirst)
				}
				q.Around = whole[rank].Ref
			}
			p := a.page(t, q)
			want := min(max(q.Offset, 0), n-q.Limit)
			if rank >= 0 && q.Limit > 0 {
				if rank < want {
					want = rank
				} else if rank >= want+q.Limit {
					want = rank - q.Limit + 1
				}
			}
			if p.Offset != want || len(p.Rows) != q.Limit || p.Matched != n {
				t.Fatalf("%+v: %d rows from %d on of %d, want from %d on, cursor %d", q, len(p.Rows), p.Offset, p.Matched, want, rank)
			}
			for i := range p.Rows {
				if p.Rows[i].Ref != whole[p.Offset+i].Ref {
					t.Fatalf("%+v: row %d is another", q, i)
				}
			}
			if at := rank - p.Offset; rank >= 0 && q.Limit > 0 && p.At != at || (rank < 0 || q.Limit == 0) && p.At != -1 {
				t.Fatalf("%+v: the cursor is at %d, its entry at %d", q, p.At, at)
			}
		}
	}
}

// TestRowsStay: a row is a copy of its entry, with the timeout that is left.
func TestRowsStay(t *testing.T) {
	a := newAsked(t, 24, 500, Options{})
	p := a.page(t, Query{Limit: 500})
	texts := make([]string, len(p.Rows))
	for i := range p.Rows {
		texts[i] = kept(p.Rows[i].Flow)
		id, _ := p.Rows[i].Flow.ID()
		var f ctnetlink.Flow
		if err := f.Decode(a.messages[id]); err != nil {
			t.Fatal(err)
		}
		if want := kept(&f); texts[i] != want {
			t.Errorf("%s, want\n%s", texts[i], want)
		}
		if p.Rows[i].Rates != a.rates[id] {
			t.Errorf("rates %v, want %v", p.Rows[i].Rates, a.rates[id])
		}
	}
	a.now.advance(1000 * time.Second)
	other := a.page(t, Query{Limit: 500, Order: []Key{{parseKeys(t, "timeout")[0], false}}})
	for i := range p.Rows {
		if kept(p.Rows[i].Flow) != texts[i] {
			t.Fatal("the row has changed")
		}
	}
	if left, _ := other.Rows[400].Flow.Timeout(); left == 0 {
		t.Error("everything has expired")
	}
}

// TestAnyWindow: every offset and limit has an answer.
func TestAnyWindow(t *testing.T) {
	a := newAsked(t, 26, 100, Options{})
	n := len(a.messages)
	for _, offset := range []int{math.MinInt, -1, 0, n, math.MaxInt} {
		for _, limit := range []int{math.MinInt, -1, 0, 1, math.MaxInt} {
			p := a.page(t, Query{Offset: offset, Limit: limit})
			if want := min(max(limit, 0), n); len(p.Rows) != want || p.Matched != n {
				t.Errorf("%d rows from %d on, %d at most: %d", offset, p.Offset, limit, len(p.Rows))
			}
			q := GroupQuery{Keys: parseKeys(t, "src"), Sort: "src", Offset: offset, Limit: limit}
			if g, err := a.Groups(context.Background(), &q); err != nil || len(g.Groups) != min(max(limit, 0), g.Matched) {
				t.Error(err)
			}
		}
	}
}

// TestNoAnswer: what is not kept is an error, and a context that has ended too.
func TestNoAnswer(t *testing.T) {
	a := newAsked(t, 25, 10, Options{})
	for _, name := range []string{"master_src", "orig_vtag", "reply_vtag", "master", "process"} {
		d := format.FieldByName(name)
		key := cmdline.Key{Name: name, Field: d}
		if _, err := a.Page(context.Background(), &Query{Order: []Key{{key, false}}}); err == nil {
			t.Errorf("sorted by %s", name)
		}
		if _, err := a.Groups(context.Background(), &GroupQuery{Keys: []cmdline.Key{key}, Sort: "entries"}); err == nil {
			t.Errorf("grouped by %s", name)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.Page(ended, &Query{}); err != context.Canceled {
		t.Error(err)
	}
	if _, err := a.Groups(ended, &GroupQuery{Sort: "entries"}); err != context.Canceled {
		t.Error(err)
	}
	if _, err := a.States(ended, nil); err != context.Canceled {
		t.Error(err)
	}
}
