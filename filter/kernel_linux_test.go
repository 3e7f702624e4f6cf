package filter_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestEventsLive checks that a listener with a filter in its socket receives
// every event that the filter matches, and no other if the socket can compare
// all of the filter.
func TestEventsLive(t *testing.T) {
	runtime.LockOSThread() // the thread is given up with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Skipf("SKIPPED, no netfilter sockets (qemu-user has none): %v", err)
	}
	unix.Close(fd)
	const rounds, filters, entries = 8, 40, 120
	r := rand.New(rand.NewPCG(3, 4))
	c := ctnetlink.Open()
	defer c.Close()
	all := make([]*ctnetlink.FlowSpec, entries)
	matched, passed, exact := 0, 0, 0
	for range rounds {
		for i := range all {
			all[i] = eventEntry(r, i)
		}
		plain := listen(t, c, nil)
		var asked []*filter.Filter
		var wholes []bool // the socket can compare all of it
		var filtered []*ctnetlink.Listener
		for range filters {
			m, whole := eventFilter(r, all[r.IntN(entries)])
			asked, wholes = append(asked, m), append(wholes, whole)
			filtered = append(filtered, listen(t, c, m))
		}
		change(t, r, c, all)
		want := received(t, plain, &filter.Filter{}, 3*entries)
		if len(want) != 3*entries {
			t.Fatalf("%d events of %d", len(want), 3*entries)
		}
		events := make([][][]byte, filters)
		var wg sync.WaitGroup
		for i, m := range asked {
			wg.Go(func() { events[i] = received(t, filtered[i], m, len(choose(t, m, want))) })
		}
		wg.Wait()
		for i, m := range asked {
			should, does := choose(t, m, want), choose(t, m, events[i])
			if !bytes.Equal(bytes.Join(should, nil), bytes.Join(does, nil)) {
				t.Errorf("%+v: %d events that match, of %d", m, len(does), len(should))
			}
			if wholes[i] {
				exact++
				if n := len(events[i]); n != len(does) {
					t.Errorf("%+v: %d events, of which %d match", m, n, len(does))
				}
			}
			matched += len(does)
			passed += len(events[i])
		}
	}
	t.Logf("%d filters, %d of them wholly the socket's, on %d events each: %d matched, %d passed",
		rounds*filters, exact, 3*entries, matched, passed)
}

// eventEntry returns an entry that has some values in common with others.
func eventEntry(r *rand.Rand, i int) *ctnetlink.FlowSpec {
	protocols := []ctnetlink.Protocol{6, 6, 17, 17, 1, 58, 132, 136, 47, 99}
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 1000 * time.Second, Status: ctnetlink.StatusConfirmed}
	src := netip.AddrFrom4([4]byte{10, 0, byte(i), byte(r.IntN(4))})
	dst := netip.AddrFrom4([4]byte{10, 9, 0, byte(r.IntN(4))})
	if r.IntN(2) == 0 {
		en.Family = ctnetlink.FamilyIPv6
		src = netip.AddrFrom16([16]byte{0xfd, 9: byte(i), 15: byte(r.IntN(4))})
		dst = netip.AddrFrom16([16]byte{0xfd, 1: 9, 6: byte(r.IntN(4))})
	}
	o := ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto,
		Src: src, Dst: dst, Proto: protocols[r.IntN(len(protocols))],
	}
	answer := uint8(0)
	switch o.Proto {
	case 1, 58:
		o.Has |= ctnetlink.FieldICMP
		o.ICMPType, o.ICMPID = 8, uint16(r.IntN(4))
		if o.Proto == 58 {
			o.ICMPType, answer = 128, 129
		}
	case 99:
	default:
		o.Has |= ctnetlink.FieldPorts
		o.SrcPort, o.DstPort = uint16(r.IntN(4)), uint16(r.IntN(4))
	}
	en.Orig, en.Reply = o, o
	en.Reply.Src, en.Reply.Dst = o.Dst, o.Src
	en.Reply.SrcPort, en.Reply.DstPort = o.DstPort, o.SrcPort
	en.Reply.ICMPType = answer
	en.Set = en.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrStatus)
	if r.IntN(2) == 0 {
		en.Mark, en.Set = r.Uint32N(8), en.Set.With(ctnetlink.AttrMark)
	}
	if r.IntN(2) == 0 {
		en.Status |= ctnetlink.StatusSeenReply
	}
	return en
}

// eventFilter returns a filter that matches en, or nearly. whole reports whether
// a socket can compare all of it.
func eventFilter(r *rand.Rand, en *ctnetlink.FlowSpec) (m *filter.Filter, whole bool) {
	m = new(filter.Filter)
	one := func(n int) bool { return r.IntN(n) == 0 }
	if one(4) {
		m.Family = en.Family
	}
	tuple := func(w *filter.Tuple, t ctnetlink.Tuple) {
		var has ctnetlink.Fields
		for h := t.Has; h != 0; h &= h - 1 {
			if one(3) {
				has |= h & -h
			}
		}
		t.Has = has
		mask := func(a *netip.Addr) (mask netip.Addr) {
			if !one(3) {
				return mask
			}
			b := a.AsSlice()
			for i := range b {
				if b[i] = 0xff; one(3) {
					b[i] = byte(r.Uint32())
				}
			}
			mask, _ = netip.AddrFromSlice(b)
			if one(4) { // bits outside the mask
				b := a.AsSlice()
				b[len(b)-1] ^= ^mask.AsSlice()[len(b)-1]
				*a, _ = netip.AddrFromSlice(b)
			}
			return mask
		}
		srcMask, dstMask := mask(&t.Src), mask(&t.Dst)
		if one(12) {
			t.SrcPort++
		}
		if one(12) {
			t.Proto++
		}
		if one(12) {
			t.Dst = t.Dst.Next()
		}
		w.Add(&t)
		for field, mask := range map[ctnetlink.Fields]netip.Addr{ctnetlink.FieldSrc: srcMask, ctnetlink.FieldDst: dstMask} {
			a := w.Addr(field)
			a.Mask = mask
			w.SetAddr(field, a)
		}
	}
	if one(2) {
		tuple(&m.Orig, en.Orig)
	}
	if one(3) {
		tuple(&m.Reply, en.Reply)
	}
	if one(4) {
		mask := []uint32{0, 1, 6, 0xffffffff}[r.IntN(4)]
		mark := en.Mark & mask
		if one(6) {
			mark = r.Uint32N(8)
		}
		m.Marks = marks(mark, mask)
	}
	if one(6) {
		m.StatusClear = ctnetlink.StatusSeenReply
	} else if one(6) {
		m.StatusSet = ctnetlink.StatusSeenReply
	}
	if one(8) {
		m.Zone = filter.Values(0)
	}
	if one(3) {
		addCriterion(r, m, en)
		return m, false
	}
	return m, wholly(m)
}

// addCriterion adds a criterion that no socket compares.
func addCriterion(r *rand.Rand, m *filter.Filter, en *ctnetlink.FlowSpec) {
	around := func(n, maximum uint32) filter.Set {
		set := filter.NewSet(filter.Range{Min: n - min(n, r.Uint32N(2)), Max: min(n+r.Uint32N(2), maximum)})
		if r.IntN(4) == 0 {
			set = set.Complement(maximum)
		}
		return set
	}
	list := func(a netip.Addr) filter.Address {
		lo, hi := a, a
		if r.IntN(2) == 0 {
			lo, hi = lo.Prev(), hi.Next()
		}
		set := filter.NewAddrSet(filter.AddrRange{Min: lo, Max: hi}, addrRange("10.0.0.0", "10.0.0.1"),
			addrRange("fd00::", "fd00::1"))
		return filter.Address{In: set, Not: r.IntN(3) == 0}
	}
	switch r.IntN(8) {
	case 5:
		m.Orig.SetAddr(ctnetlink.FieldSrc, list(en.Orig.Src))
	case 6:
		m.Reply.SetAddr(ctnetlink.FieldSrc, list(en.Reply.Src))
	case 7:
		m.Host = list(en.Reply.Dst)
		if r.IntN(2) == 0 {
			m.HostPort = around(uint32(en.Reply.DstPort), 65535)
		}
	case 0:
		m.Orig.SetNumber(ctnetlink.FieldProto, around(uint32(en.Orig.Proto), 255))
	case 1:
		m.Reply.SetNumber(ctnetlink.FieldSrcPort, around(uint32(en.Reply.SrcPort), 65535))
	case 2:
		m.Orig.SetAddr(ctnetlink.FieldDst, filter.Address{Addr: en.Orig.Dst, Not: true})
	case 3:
		m.Marks = []filter.MarkRange{{Min: 1, Max: 5, Mask: 7}}
	case 4:
		m.Host = filter.Address{Addr: en.Orig.Dst, Not: r.IntN(2) == 0}
	}
}

// wholly reports whether a socket can compare all of a filter with single
// values: it compares the type, code and id of ICMP only, and no mark under a
// mask of 0.
func wholly(m *filter.Filter) bool {
	if len(m.Marks) > 0 && m.Marks[0].Mask == 0 {
		return false
	}
	for _, w := range []*filter.Tuple{&m.Orig, &m.Reply} {
		proto := w.Number(ctnetlink.FieldProto)
		if slices.Equal(proto, filter.Values(ctnetlink.ProtoICMP)) ||
			slices.Equal(proto, filter.Values(ctnetlink.ProtoICMPv6)) {
			continue
		}
		for h := ctnetlink.FieldICMP; h != 0; h &= h - 1 {
			if w.Number(h&-h) != nil {
				return false
			}
		}
	}
	return true
}

// change creates the entries, then changes and deletes each, in random order.
func change(t *testing.T, r *rand.Rand, c *ctnetlink.Conn, all []*ctnetlink.FlowSpec) {
	t.Helper()
	for _, i := range r.Perm(len(all)) {
		if err := c.Create(all[i]); err != nil {
			t.Fatalf("%+v: %v", all[i], err)
		}
	}
	for _, i := range r.Perm(len(all)) {
		up := &ctnetlink.FlowSpec{Family: all[i].Family, Orig: all[i].Orig, Mark: r.Uint32N(8)}
		up.Set = up.Set.With(ctnetlink.AttrMark)
		if err := c.Update(up); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(&ctnetlink.FlowSpec{Family: all[i].Family, Orig: all[i].Orig}); err != nil {
			t.Fatal(err)
		}
	}
}

func listen(t *testing.T, c *ctnetlink.Conn, m *filter.Filter) *ctnetlink.Listener {
	t.Helper()
	q := ctnetlink.ListenRequest{
		Groups: []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy},
	}
	if m != nil {
		q.Filter = m.Events()
	}
	l, err := c.Listen(q)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// received returns the messages that a listener has received when n of them
// match.
func received(t *testing.T, l *ctnetlink.Listener, m *filter.Filter, n int) (all [][]byte) {
	patience := time.AfterFunc(testwait.Scale(30*time.Second), l.Stop)
	var events ctnetlink.Events
	for {
		if n == 0 && patience.Stop() {
			go l.Stop()
		}
		b, err := l.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || b.Gap {
			t.Errorf("gap %v, error %v", b.Gap, err)
			return all
		}
		for events.Reset(b); events.Next(); {
			all = append(all, bytes.Clone(events.Flow().Message()))
			if m.Match(events.Flow()) {
				n--
			}
		}
	}
}

// choose returns the messages that match.
func choose(t *testing.T, m *filter.Filter, messages [][]byte) (chosen [][]byte) {
	var f ctnetlink.Flow
	for _, b := range messages {
		if err := f.Decode(b); err != nil {
			t.Error(err)
		}
		if m.Match(&f) {
			chosen = append(chosen, b)
		}
	}
	return chosen
}
