package live

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// udpSpec describes entry number i, whose mark is its number.
func udpSpec(i int) *ctnetlink.FlowSpec {
	en := ctnetlink.NewFlowSpec(ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts,
		Src: netip.AddrFrom4([4]byte{10, byte(i >> 24), byte(i >> 16), byte(i >> 8)}), SrcPort: uint16(i&0xff + 1024),
		Dst: netip.AddrFrom4([4]byte{192, 0, 2, 1}), DstPort: 53, Proto: ctnetlink.ProtoUDP,
	})
	en.SetTimeout(10 * time.Minute)
	en.SetStatus(ctnetlink.StatusConfirmed)
	if i != 0 {
		en.SetMark(uint32(i), 1<<32-1)
	}
	return en
}

// newEvents returns the messages of NEW events of entries with these marks.
func newEvents(marks ...int) (messages []byte) {
	for _, i := range marks {
		at := len(messages)
		messages = udpSpec(i).AppendMessage(messages)
		// NLM_F_CREATE and NLM_F_EXCL are what makes it a creation.
		binary.NativeEndian.PutUint16(messages[at+6:], 0x600)
	}
	return messages
}

func TestEventLog(t *testing.T) {
	var l eventLog
	l.init(5)
	if found, last := l.since(0, 10, nil); found != nil || last != 0 {
		t.Errorf("an empty log: %v, %d", found, last)
	}
	start := time.Now()
	l.add(0, start, newEvents(1, 2, 3), 3)
	l.add(1, start.Add(time.Second), newEvents(4), 1)
	l.add(0, start.Add(2*time.Second), newEvents(5, 6, 7, 8), 4)
	odd := &filter.Filter{Marks: []filter.MarkRange{{Min: 1, Max: 1, Mask: 1}}}
	for _, c := range []struct {
		after uint64
		n     int
		m     *filter.Filter
		want  []uint64
	}{
		{0, 10, nil, []uint64{4, 5, 6, 7, 8}}, // as many as are kept
		{0, 2, nil, []uint64{7, 8}},
		{6, 10, nil, []uint64{7, 8}},
		{8, 10, nil, nil},
		{100, 10, nil, nil},
		{0, 0, nil, nil},
		{0, 10, odd, []uint64{5, 7}},
		{0, 1, odd, []uint64{7}},
		{5, 10, odd, []uint64{7}},
	} {
		found, last := l.since(c.after, c.n, c.m)
		if last != 8 {
			t.Errorf("the last serial is %d", last)
		}
		if len(found) != len(c.want) {
			t.Fatalf("after %d, at most %d: %v, want %v", c.after, c.n, found, c.want)
		}
		for i, e := range found {
			mark, _ := e.Flow.Mark()
			if e.Serial != c.want[i] || uint64(mark) != e.Serial || e.Type != ctnetlink.EventNew {
				t.Errorf("after %d: event %d is %d, of entry %d, %v", c.after, i, e.Serial, mark, e.Type)
			}
			block, source := 2*time.Second, 0
			if e.Serial == 4 {
				block, source = time.Second, 1
			}
			if !e.Time.Equal(start.Add(block)) || e.Source != source {
				t.Errorf("event %d is of %v, source %d", e.Serial, e.Time, e.Source)
			}
		}
	}
}

// TestEventLogRing: whatever the sizes of the batches, the latest events are there in
// their order, and memory is bounded.
func TestEventLogRing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, keep := range []int{1, 100, 3000} {
		var l eventLog
		l.init(keep)
		total := 0
		for range 500 {
			n := 1 + random.IntN(3)
			if random.IntN(10) == 0 {
				n = 1 + random.IntN(2*keep)
			}
			n = min(n, 3000) // what a batch of a listener can have
			marks := make([]int, n)
			for i := range marks {
				total++
				marks[i] = total
			}
			l.add(0, time.Now(), newEvents(marks...), n)
			if random.IntN(50) != 0 {
				continue
			}
			found, last := l.since(0, 2*keep, nil)
			if int(last) != total || len(found) > keep || len(found) < min(keep, total) {
				t.Fatalf("%d events of %d, last %d", len(found), total, last)
			}
			for i, e := range found {
				mark, _ := e.Flow.Mark()
				if int(e.Serial) != total-len(found)+1+i || int(mark) != int(e.Serial) {
					t.Fatalf("event %d of %d is %d, of entry %d", i, len(found), e.Serial, mark)
				}
			}
		}
		if limit := max(keep*bytesPerEvent, mostBlock); len(l.ring) > limit {
			t.Errorf("%d events take %d bytes", keep, len(l.ring))
		}
		if len(l.blocks) > keep {
			t.Errorf("%d blocks for %d events", len(l.blocks), keep)
		}
	}
}

// TestEventLogTooLarge: a batch that does not fit is counted, and is not kept.
func TestEventLogTooLarge(t *testing.T) {
	var l eventLog
	l.init(10)
	l.add(0, time.Now(), newEvents(1), 1)
	l.add(0, time.Now(), make([]byte, mostBlock+1), 5)
	l.add(0, time.Now(), newEvents(7), 1)
	found, last := l.since(0, 10, nil)
	if last != 7 || len(found) != 1 || found[0].Serial != 7 {
		t.Errorf("%v, last %d", found, last)
	}
}

func BenchmarkEventLogAdd(b *testing.B) {
	marks := make([]int, 1000)
	for i := range marks {
		marks[i] = i
	}
	messages := newEvents(marks...)
	var l eventLog
	l.init(0)
	now := time.Now()
	b.ReportAllocs()
	for range b.N {
		l.add(0, now, messages, len(marks))
	}
}

func BenchmarkEventLogSince(b *testing.B) {
	var l eventLog
	l.init(0)
	for i := range 10000 {
		l.add(0, time.Now(), newEvents(i), 1)
	}
	m := &filter.Filter{Marks: []filter.MarkRange{{Min: 1, Max: 1, Mask: 0xffff}}}
	b.ReportAllocs()
	for range b.N {
		l.since(0, 100, m)
	}
}
