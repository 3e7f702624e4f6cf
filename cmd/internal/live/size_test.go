package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// listing makes the messages of a dump of many entries, from one that is changed in
// place.
type listing struct {
	message []byte
	flow    ctnetlink.Flow
	src     []int // where the addresses end that differ
	id      int
	count   []int // where the counters are
	name    string
}

// addresses and translation of a listing.
type listingOf struct{ ipv6, translated bool }

func newListing(o listingOf) *listing {
	l := &listing{name: "IPv4"}
	src, dst := netip.MustParseAddrPort("10.0.0.0:40000"), netip.MustParseAddrPort("192.0.2.1:443")
	public := netip.MustParseAddr("198.51.100.7")
	if o.ipv6 {
		l.name = "IPv6"
		src, dst = netip.MustParseAddrPort("[fd00::]:40000"), netip.MustParseAddrPort("[2001:db8::1]:443")
		public = netip.MustParseAddr("2001:db8::7")
	}
	en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, src, dst))
	if o.translated {
		l.name += ", translated"
		en.Reply.Dst = public
	}
	en.SetTimeout(432000 * time.Second)
	en.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured | ctnetlink.StatusConfirmed)
	en.SetMark(0, 0)
	en.Set = en.Set.Without(ctnetlink.AttrMarkMask)
	en.SetProtoInfo(ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, State: ctnetlink.TCPEstablished,
		Has: ctnetlink.InfoState | ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply | ctnetlink.InfoFlagsOrig |
			ctnetlink.InfoFlagsReply})
	en.SetID(1)
	w := wire.Builder{B: en.AppendMessage(nil)}
	w.U32(uint16(ctnetlink.AttrUse), 1)
	for k := range uint16(2) {
		in := w.Nest(uint16(ctnetlink.AttrCountersOrig) + k)
		w.U64(wire.CountersPackets, 10)
		w.U64(wire.CountersBytes, 1000)
		w.Close(in)
	}
	in := w.Nest(uint16(ctnetlink.AttrTimestamp))
	w.U64(wire.TimestampStart, 1_700_000_000_000_000_000)
	w.Close(in)
	w.End()
	l.message = w.B
	if err := l.flow.Decode(l.message); err != nil {
		panic(err)
	}
	l.find(src.Addr().AsSlice(), o.translated)
	return l
}

// find notes where the source's address, the id and the counters are.
func (l *listing) find(src []byte, translated bool) {
	for i := 0; i+len(src) <= len(l.message); i += 4 {
		if string(l.message[i:i+len(src)]) == string(src) {
			l.src = append(l.src, i+len(src))
		}
	}
	if want := 2; !translated && len(l.src) != want || translated && len(l.src) != 1 {
		panic("addresses")
	}
	a := wire.Attrs{B: wire.Message(l.message).Payload()}
	for a.Next() {
		at := len(l.message) - len(a.B) - len(a.Val)
		switch ctnetlink.Attr(a.Type) {
		case ctnetlink.AttrID:
			l.id = at
		case ctnetlink.AttrCountersOrig, ctnetlink.AttrCountersReply:
			l.count = append(l.count, at+4, at+16)
		}
	}
}

// entry returns the i-th entry, valid until the next.
func (l *listing) entry(i int) *ctnetlink.Flow {
	for _, at := range l.src {
		b := l.message[at-3 : at]
		b[0], b[1], b[2] = byte(i>>16), byte(i>>8), byte(i)
	}
	binary.BigEndian.PutUint32(l.message[l.id:], uint32(i+1)*0x9e3779b1)
	if err := l.flow.Decode(l.message); err != nil {
		panic(err)
	}
	return &l.flow
}

// more adds to the counters of the entries that follow.
func (l *listing) more(n uint64) {
	for _, at := range l.count {
		b := l.message[at:]
		binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(b)+n)
	}
}

// dump lists n entries.
func (l *listing) dump(table *Table, n int) {
	table.mu.Lock()
	defer table.mu.Unlock()
	now := table.sources[0].Now()
	d := table.beginDump(0)
	for i := range n {
		d.saw(l.entry(i), now)
	}
	for d.end() {
	}
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSize: the memory of an entry is bounded, whatever share of them is translated.
func TestSize(t *testing.T) {
	numbers := []int{50_000}
	if n, err := strconv.Atoi(os.Getenv("LIVE_ENTRIES")); err == nil { // another number, such as a million
		numbers = []int{n}
	}
	for _, n := range numbers {
		for _, c := range []struct {
			listingOf
			most float64
		}{{listingOf{}, 110}, {listingOf{translated: true}, 120}, {listingOf{ipv6: true}, 140},
			{listingOf{true, true}, 175}} {
			l := newListing(c.listingOf)
			before := liveHeap()
			table := New([]Source{{Now: time.Now}}, Options{})
			empty := liveHeap() - before
			table.expect(0, n)
			l.dump(table, n)
			l.dump(table, n)
			if got := table.len(); got != n {
				t.Fatalf("%d of %d entries", got, n)
			}
			each := float64(liveHeap()-before) / float64(n)
			t.Logf("%d entries, %s: %.1f bytes each (an empty table: %d)", n, l.name, each, empty)
			if each > c.most {
				t.Errorf("%d entries, %s: %.1f bytes each", n, l.name, each)
			}
			runtime.KeepAlive(table)
		}
	}
}

// processorTime reports the processor time of each operation that follows, since other
// processes prolong the time that it takes.
func processorTime(b *testing.B) (report func()) {
	before := processTime()
	return func() {
		after := processTime()
		b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
	}
}

// BenchmarkSaw is one entry of a dump, decoded and compared with what is known.
func BenchmarkSaw(b *testing.B) {
	for _, o := range []listingOf{{}, {translated: true}, {ipv6: true}} {
		l := newListing(o)
		b.Run(l.name, func(b *testing.B) {
			const n = 1_000_000
			now := time.Now()
			table := New([]Source{{Now: func() time.Time { return now }}}, Options{})
			l.dump(table, n)
			b.ReportAllocs()
			report := processorTime(b)
			d := table.beginDump(0)
			i := 0
			for b.Loop() {
				if i == n {
					i = 0
					now = now.Add(time.Second)
					l.more(1000)
					for d.end() {
					}
					d = table.beginDump(0)
				}
				d.saw(l.entry(i), now)
				i++
			}
			report()
		})
	}
}

// BenchmarkFirstDump is an entry of the first dump of many.
func BenchmarkFirstDump(b *testing.B) {
	const n = 1_000_000
	l := newListing(listingOf{})
	now := time.Now()
	var table *Table
	var d *dumping
	report := processorTime(b)
	i := 0
	for b.Loop() {
		if i%n == 0 {
			table = New([]Source{{Now: func() time.Time { return now }}}, Options{})
			table.expect(0, n)
			d = table.beginDump(0)
		}
		d.saw(l.entry(i%n), now)
		i++
	}
	report()
}

// BenchmarkBirthAndDeath is an entry that comes and goes by events, among many.
func BenchmarkBirthAndDeath(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newListing(listingOf{})
			now := time.Now()
			table := New([]Source{{Now: func() time.Time { return now }}}, Options{})
			l.dump(table, n)
			head := func(i int, typ, flags uint16) *ctnetlink.Flow {
				m := wire.Message(l.message)
				binary.NativeEndian.PutUint16(m[4:], typ)
				m.SetFlags(flags)
				return l.entry(n + i)
			}
			b.ReportAllocs()
			report := processorTime(b)
			i := 0
			for b.Loop() {
				table.apply(0, head(i, wire.SubsysConntrack<<8|wire.MsgNew, wire.FlagCreate|wire.FlagExcl), now)
				if i >= 1000 {
					table.apply(0, head(i-1000, wire.SubsysConntrack<<8|wire.MsgDelete, 0), now)
				}
				i++
			}
			report()
			if got := table.len(); got != n+min(i, 1000) {
				b.Errorf("%d entries", got)
			}
		})
	}
}

// BenchmarkMessage is the message that is made of a record.
func BenchmarkMessage(b *testing.B) {
	for _, o := range []listingOf{{}, {ipv6: true, translated: true}} {
		l := newListing(o)
		b.Run(l.name, func(b *testing.B) {
			table := New([]Source{{Now: time.Now}}, Options{})
			l.dump(table, 1000)
			var message []byte
			b.ReportAllocs()
			report := processorTime(b)
			for b.Loop() {
				n := 0
				_ = table.walk(b.Context(), func(e *entry) bool {
					message = e.appendMessage(message[:0])
					n++
					return true
				})
				if n != 1000 {
					b.Fatal(n)
				}
			}
			report() // of 1000 messages
		})
	}
}
