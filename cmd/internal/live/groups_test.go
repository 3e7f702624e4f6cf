package live

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/stats"
)

// valueText returns the text of a value in the form of package stats.
func valueText(b []byte) string {
	switch v := stats.Values(b)[0]; v.Kind {
	case stats.Number:
		return strconv.FormatUint(v.Number, 10)
	case stats.Addr:
		return string(format.AppendAddr(nil, v.Addr))
	case stats.Network:
		return string(format.AppendAddr(nil, v.Addr)) + "/" + strconv.Itoa(v.Bits)
	case stats.Text:
		return string(v.Text)
	}
	return ""
}

// summary returns what `conntrack summary' says of the entries that match, and the
// rates of each group.
func (a *askedTable) summary(t testing.TB, keys []cmdline.Key, m *filter.Filter) (*stats.Summary, map[string]Rates) {
	t.Helper()
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	sum, rates := stats.NewSummary(names), map[string]Rates{}
	context := &format.Context{Now: a.now.now()}
	w := cmdline.NewKeyValues(keys, testLabels, context)
	for id, msg := range a.messages {
		var f ctnetlink.Flow
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		if m != nil && !m.Match(&f) {
			continue
		}
		of := a.rates[id]
		context.Rates = &of
		values := w.Read(&f)
		p, b, ok := f.CountersOrig()
		p2, b2, ok2 := f.CountersReply()
		sum.Add(values, p+p2, b+b2, ok || ok2)
		r := rates[string(values)]
		r.Known = r.Known || of.Known
		r.OrigPackets, r.OrigBytes = r.OrigPackets+of.OrigPackets, r.OrigBytes+of.OrigBytes
		r.ReplyPackets, r.ReplyBytes = r.ReplyPackets+of.ReplyPackets, r.ReplyBytes+of.ReplyBytes
		rates[string(values)] = r
	}
	return sum, rates
}

func sameRates(a, b Rates) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), 1) }
	return a.Known == b.Known && near(a.OrigPackets, b.OrigPackets) && near(a.OrigBytes, b.OrigBytes) &&
		near(a.ReplyPackets, b.ReplyPackets) && near(a.ReplyBytes, b.ReplyBytes)
}

// TestGroups: groups by every key have the values, the sums and the order of
// `conntrack summary', and its rates.
func TestGroups(t *testing.T) {
	a := newAsked(t, 41, 400, Options{})
	g := newGenerator(42)
	lists := append(sortedFields(), "src/24/64,proto", "dst/28/120,dport", "proto,state", "condition,zone,mark", "nat",
		"reply_src/25,labels,helper", "src,sport,dst,dport,proto")
	for n, list := range lists {
		if strings.HasSuffix(list, "_rate") || list == "start" { // of which seconds are kept
			continue
		}
		keys := parseKeys(t, list)
		var m *filter.Filter
		if g.one(2) {
			m = &filter.Filter{Port: filter.NewSet(filter.Range{Min: 0, Max: 30000})}
		}
		sum, rates := a.summary(t, keys, m)
		orders := []string{"entries", "packets", "bytes", keys[g.IntN(len(keys))].Name}
		if testwait.Race { // one, and another one for the next list
			orders = orders[n%4 : n%4+1]
		}
		for _, by := range orders {
			descending := g.one(2)
			want, err := sum.Sorted([]stats.Order{{Name: by, Descending: descending}}, 0)
			if err != nil {
				t.Fatal(err)
			}
			all := GroupQuery{Keys: keys, Filter: m, Sort: by, Descending: descending, Limit: 10000}
			got, err := a.Groups(context.Background(), &all)
			if err != nil {
				t.Fatal(err)
			}
			if got.Matched != sum.Len() || len(got.Groups) != sum.Len() || got.At != -1 || got.Offset != 0 {
				t.Fatalf("%s: %d of %d groups from %d on, want %d", list, len(got.Groups), got.Matched, got.Offset, sum.Len())
			}
			i := 0
			for w := range want {
				one := &got.Groups[i]
				if !slices.EqualFunc(one.Values, w.Values, sameValue) || one.Entries != w.Entries || one.Packets != w.Packets ||
					one.Bytes != w.Bytes || one.Counted != w.Counted || !sameRates(one.Rates, rates[one.ID.Values]) {
					t.Fatalf("%s by %s: group %d is %+v %v, want %+v %v", list, by, i, one.Group, one.Rates, *w, rates[one.ID.Values])
				}
				i++
			}
			if w := sum.Total(); got.Total.Entries != w.Entries || got.Total.Packets != w.Packets || got.Total.Bytes != w.Bytes {
				t.Errorf("%s: total %+v, want %+v", list, got.Total, w)
			}
			if len(got.Groups) > 0 {
				a.holdWindows(t, g.Rand, all, got.Groups)
				a.holdEntries(t, m, &got.Groups[g.IntN(len(got.Groups))])
			}
		}
	}
}

func sameValue(a, b stats.Value) bool {
	return a.Kind == b.Kind && a.Number == b.Number && a.Addr == b.Addr && a.Bits == b.Bits && bytes.Equal(a.Text, b.Text)
}

// holdWindows holds some of the groups against all.
func (a *askedTable) holdWindows(t *testing.T, r *rand.Rand, all GroupQuery, groups []Group) {
	t.Helper()
	q := all
	rank := r.IntN(len(groups))
	q.Offset, q.Limit, q.Around = r.IntN(len(groups)), 1+r.IntN(30), groups[rank].ID.Values
	got, err := a.Groups(context.Background(), &q)
	if err != nil {
		t.Fatal(err)
	}
	if want := around(q.Offset, q.Limit, len(groups), rank); got.Offset != want || got.At != rank-want ||
		len(got.Groups) != min(q.Limit, len(groups)) {
		t.Fatalf("%d groups from %d on, %d is the cursor's; want from %d on, %d", len(got.Groups), got.Offset, got.At, want, rank-want)
	}
	for i := range got.Groups {
		if got.Groups[i].ID.Values != groups[got.Offset+i].ID.Values {
			t.Fatalf("group %d is another", i)
		}
	}
}

// holdEntries holds the number of a group's entries against a page of them.
func (a *askedTable) holdEntries(t *testing.T, m *filter.Filter, g *Group) {
	t.Helper()
	if p := a.page(t, Query{Filter: m, Group: &g.ID, Limit: 1}); p.Matched != int(g.Entries) || len(p.Rows) != 1 {
		t.Fatalf("%d entries of %v, want %d", p.Matched, g.Values, g.Entries)
	}
}

// TestGroupRates: groups are in the order of their rates, and a search finds those with
// a value that has the text.
func TestGroupRates(t *testing.T) {
	a := newAsked(t, 43, 1500, Options{})
	for _, by := range []string{"packet_rate", "byte_rate"} {
		q := GroupQuery{Keys: parseKeys(t, "dst/28/124,proto"), Sort: by, Descending: true, Limit: 1000}
		got, err := a.Groups(context.Background(), &q)
		if err != nil {
			t.Fatal(err)
		}
		rate := func(g *Group) float64 {
			if by == "packet_rate" {
				return g.Rates.Packets()
			}
			return g.Rates.Bytes()
		}
		for i := 1; i < len(got.Groups); i++ {
			if rate(&got.Groups[i]) > rate(&got.Groups[i-1]) {
				t.Fatalf("%s: %v is before %v", by, rate(&got.Groups[i-1]), rate(&got.Groups[i]))
			}
		}
		if len(got.Groups) < 50 || rate(&got.Groups[0]) == 0 {
			t.Fatal(len(got.Groups), "groups")
		}
		q.Search = "192.0.2.16/"
		some, err := a.Groups(context.Background(), &q)
		if err != nil {
			t.Fatal(err)
		}
		entries := uint64(0)
		for _, g := range got.Groups {
			if g.Values[0].Kind == stats.Network && g.Values[0].Addr.String() == "192.0.2.16" {
				entries += g.Entries
			}
		}
		if some.Total.Entries != entries || entries == 0 || some.Matched != len(some.Groups) {
			t.Errorf("%d entries in %d groups, want %d", some.Total.Entries, some.Matched, entries)
		}
	}
	if _, err := a.Groups(context.Background(), &GroupQuery{Keys: parseKeys(t, "src"), Sort: "dst"}); err == nil {
		t.Error("sorted by what is no key")
	}
}

// TestStates: states are counted as a summary by protocol and state counts them.
func TestStates(t *testing.T) {
	a := newAsked(t, 44, 3000, Options{})
	m := &filter.Filter{}
	m.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoICMP).Complement(255))
	want, total := map[string]int{}, map[string]int{}
	for _, msg := range a.messages {
		var f ctnetlink.Flow
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		if !m.Match(&f) {
			continue
		}
		status, _ := f.Status()
		state := "unreplied"
		if v, ok := f.State(); ok {
			state = v.String()
		} else if status&ctnetlink.StatusAssured != 0 {
			state = "assured"
		} else if status&ctnetlink.StatusSeenReply != 0 {
			state = "replied"
		}
		want[f.Orig().Proto.String()+" "+state]++
		total[f.Orig().Proto.String()]++
	}
	list, err := a.States(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	place := func(c *StateCount) int {
		if i := slices.Index(c.Proto.StateNames(), c.State); i >= 0 {
			return i
		}
		return 100 + slices.Index(withoutState[:], c.State)
	}
	for i := range list {
		c := &list[i]
		proto := c.Proto.String()
		if c.Entries != want[proto+" "+c.State] {
			t.Errorf("%d entries of %s %s, want %d", c.Entries, proto, c.State, want[proto+" "+c.State])
		}
		if proto == last && place(c) <= place(&list[i-1]) {
			t.Errorf("%s: %s is after %s", proto, c.State, list[i-1].State)
		}
		if proto != last && last != "" && total[proto] > total[last] {
			t.Errorf("%s is after %s", proto, last)
		}
		last = proto
	}
	if len(list) != len(want) || len(list) < 15 {
		t.Errorf("%d states, want %d", len(list), len(want))
	}
}
