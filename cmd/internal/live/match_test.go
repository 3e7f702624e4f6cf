package live

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// randomFilter returns a filter of one to four criteria, with values that f has or
// nearly has.
func (g *generator) filter(f *ctnetlink.Flow, now func() time.Time) *filter.Filter {
	m := &filter.Filter{Now: now}
	for range 1 + g.IntN(4) {
		g.criterion(m, f)
	}
	if g.one(10) {
		one, other := &filter.Filter{Now: now}, &filter.Filter{Now: now}
		g.criterion(one, f)
		g.criterion(other, f)
		m.Any = filter.NewAny(one, other)
	}
	return m
}

func (g *generator) set(n uint32) filter.Set {
	switch g.IntN(5) {
	case 0:
		return filter.NewSet(filter.Range{Min: n / 2, Max: n}, filter.Range{Min: n + 1000, Max: n + 2000})
	case 1:
		return filter.NewSet(filter.Range{Min: n, Max: n + 1000})
	case 2:
		return filter.Values(n, n+1, 17)
	case 3:
		return filter.Values(n).Complement(0xffff)
	}
	return filter.Values(n)
}

func (g *generator) address(a netip.Addr) filter.Address {
	if !a.IsValid() {
		a = netip.MustParseAddr("192.0.2.9")
	}
	c := filter.Address{Addr: a, Not: g.one(4)}
	switch g.IntN(4) {
	case 0:
		c.In = filter.NewAddrSet(filter.AddrRange{Min: a, Max: a}, filter.PrefixRange(netip.MustParsePrefix("10.0.3.0/24")))
	case 1, 2:
		mask := slices.Repeat([]byte{0xff}, len(a.AsSlice()))
		for i := len(mask) - 1 - g.IntN(len(mask)); i < len(mask); i++ {
			mask[i] = byte(g.Uint32())
		}
		c.Mask, _ = netip.AddrFromSlice(mask)
		if g.one(12) {
			c.Mask = netip.IPv6Unspecified()
		}
	}
	return c
}

func (g *generator) criterion(m *filter.Filter, f *ctnetlink.Flow) {
	t, w := f.Orig(), &m.Orig
	if g.one(2) {
		t, w = f.Reply(), &m.Reply
	}
	status, _ := f.Status()
	bits := ctnetlink.Status(1) << g.IntN(16)
	switch g.IntN(25) {
	case 0:
		m.Family = []ctnetlink.Family{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6}[g.IntN(2)]
	case 1, 2:
		w.SetAddr(ctnetlink.FieldSrc, g.address(t.Src))
	case 3:
		w.SetAddr(ctnetlink.FieldDst, g.address(t.Dst))
	case 4, 5:
		w.SetNumber(ctnetlink.FieldProto, g.set(uint32(t.Proto)))
	case 6:
		w.SetNumber(ctnetlink.FieldSrcPort, g.set(uint32(t.SrcPort)))
	case 7:
		w.SetNumber(ctnetlink.FieldDstPort, g.set(uint32(t.DstPort)))
	case 8:
		w.SetNumber([]ctnetlink.Fields{ctnetlink.FieldICMPType, ctnetlink.FieldICMPCode, ctnetlink.FieldICMPID}[g.IntN(3)],
			g.set(uint32([]uint16{uint16(t.ICMPType), uint16(t.ICMPCode), t.ICMPID}[g.IntN(3)])))
	case 9:
		w.SetNumber(ctnetlink.FieldZone, g.set(uint32(t.Zone)))
	case 10, 11:
		m.Host = g.address([]netip.Addr{t.Src, t.Dst}[g.IntN(2)])
		if g.one(2) {
			m.HostPort = g.set(uint32(t.SrcPort))
		}
	case 12:
		m.Port, m.NotPort = g.set(uint32(t.DstPort)), g.one(2)
	case 13:
		mark, _ := f.Mark()
		m.NotMarks = g.one(3)
		for range g.IntN(3) {
			mask := uint32(0xffffffff) << g.IntN(20)
			m.Marks = append(m.Marks, filter.MarkRange{Min: mark & mask, Max: mark&mask | 0xf0, Mask: mask}, filter.MarkRange{Max: 9, Mask: 15})
		}
	case 14:
		m.StatusSet = status & bits
	case 15:
		m.StatusClear = bits &^ status
	case 16:
		m.StatusAny = bits | 2
	case 17:
		for range 1 + g.IntN(3) {
			proto := []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoSCTP, ctnetlink.ProtoDCCP}[g.IntN(3)]
			m.States = append(m.States, filter.StateSet{Proto: proto, States: g.Uint32()})
		}
	case 18:
		zone, _ := f.Zone()
		m.Zone = g.set(uint32(zone))
	case 19:
		id, _ := f.ID()
		m.ID = filter.NewSet(filter.Range{Min: id, Max: id | 0xfffffff})
	case 20:
		l, _ := f.Labels()
		if m.Labels = slices.Clone(l); g.one(2) {
			m.WithoutLabels = slices.Repeat([]byte{1}, 16)
		}
	case 21:
		packets, bytes, _ := f.CountersOrig()
		m.MinPackets, m.MinBytes = packets, bytes/2
	case 22: // seconds are kept of the start
		m.Older = time.Duration(g.IntN(3000))*time.Second + 50*time.Millisecond
		if g.one(2) {
			m.Older, m.Younger = 0, m.Older
		}
	case 23:
		m.ExpiresWithin = time.Duration(1+g.IntN(400_000)) * time.Second
	case 24:
		n := []*filter.NAT{&m.SrcNAT, &m.DstNAT, &m.AnyNAT}[g.IntN(3)]
		*n = filter.NAT{Given: true, Not: g.one(4)}
		if g.one(2) {
			n.Addr = t.Dst
		}
		if g.one(3) {
			n.Port, n.HasPort = t.DstPort, true
		}
		if g.one(8) {
			m.Role = filter.Values(uint8(g.IntN(2)))
		}
	}
}

// TestFilter: the entries that a question selects are those that the filter matches.
func TestFilter(t *testing.T) {
	a := newAsked(t, 31, 500, Options{})
	g := newGenerator(32)
	ids := slices.Sorted(maps.Keys(a.messages))
	decode := func(id uint32) *ctnetlink.Flow {
		f := new(ctnetlink.Flow)
		if err := f.Decode(a.messages[id]); err != nil {
			t.Fatal(err)
		}
		return f
	}
	flows := map[uint32]*ctnetlink.Flow{}
	for _, id := range ids {
		flows[id] = decode(id)
	}
	some, byRecord := 0, 0
	for range 500 {
		m := g.filter(flows[ids[g.IntN(len(ids))]], a.now.now)
		p := a.page(t, Query{Filter: m, Limit: len(ids)})
		got := map[uint32]bool{}
		for i := range p.Rows {
			id, _ := p.Rows[i].Flow.ID()
			got[id] = true
		}
		want := 0
		for _, id := range ids {
			matches := m.Match(flows[id])
			if matches {
				want++
			}
			if matches != got[id] {
				t.Fatalf("%+v\nmatches %v: %s", *m, matches, kept(flows[id]))
			}
		}
		if p.Matched != want || len(p.Rows) != want {
			t.Fatalf("%+v: %d rows, %d counted, want %d", *m, len(p.Rows), p.Matched, want)
		}
		if want > 0 && want < len(ids) {
			some++
		}
		var x entryFilter
		if err := x.compile(new(question), m); err != nil {
			t.Fatal(err)
		}
		if x.done {
			byRecord++
		}
	}
	if some < 250 || byRecord < 250 {
		t.Errorf("%d filters match some and not all, %d need no message", some, byRecord)
	}
}

// TestFilterTags: a filter by what is not kept is an error.
func TestFilterTags(t *testing.T) {
	a := newAsked(t, 33, 1, Options{})
	tags := &filter.Filter{OrigVTag: filter.Values(uint32(1))}
	for _, m := range []*filter.Filter{tags, {ReplyVTag: filter.Values(uint32(1))}, {Any: filter.NewAny(&filter.Filter{}, tags)}} {
		for what, ask := range map[string]func() error{
			"page": func() error { _, err := a.Page(context.Background(), &Query{Filter: m}); return err },
			"groups": func() error {
				_, err := a.Groups(context.Background(), &GroupQuery{Filter: m, Sort: "entries"})
				return err
			},
			"states": func() error { _, err := a.States(context.Background(), m); return err },
		} {
			if err := ask(); err == nil || !strings.Contains(err.Error(), "verification tags") {
				t.Error(what, err)
			}
		}
	}
}

// TestSearch: a search finds the rows in one of whose cells the text is.
func TestSearch(t *testing.T) {
	a := newAsked(t, 34, 700, Options{})
	g := newGenerator(35)
	ids := slices.Sorted(maps.Keys(a.messages))
	cells := map[uint32][]string{}
	for _, name := range []string{"proto", "condition", "source", "destination", "translation", "mark", "zone", "helper", "labels", "secctx"} {
		for id, v := range a.values(t, parseKeys(t, name)[0]) {
			text := valueText(v)
			if !(name == "mark" && text == "0") {
				cells[id] = append(cells[id], strings.ToLower(text))
			}
		}
	}
	searches := []string{"TCP", "tcp", "establ", "UNREPLIED", "web", "dÄt", "#1", "ftp", "snat", "::", "[2001:DB8", "192.0.2.1", ":44", "99", "unlabeled", "nothing", ":", "10.0"}
	for range 100 {
		some := cells[ids[g.IntN(len(ids))]]
		text := some[g.IntN(len(some))]
		if len(text) > 2 {
			from := g.IntN(len(text) - 1)
			text = text[from : from+1+g.IntN(len(text)-from)]
		}
		searches = append(searches, text)
	}
	for _, text := range searches {
		if text == "" {
			continue
		}
		p := a.page(t, Query{Search: text, Limit: len(ids)})
		got := map[uint32]bool{}
		for i := range p.Rows {
			id, _ := p.Rows[i].Flow.ID()
			got[id] = true
		}
		for _, id := range ids {
			want := slices.ContainsFunc(cells[id], func(s string) bool { return strings.Contains(s, strings.ToLower(text)) })
			if want != got[id] {
				t.Fatalf("%q in %q: %v", text, cells[id], got[id])
			}
		}
	}
	if p := a.page(t, Query{Search: "established", Limit: 1}); p.Matched == 0 || p.Matched == len(ids) {
		t.Error(p.Matched)
	}
}
