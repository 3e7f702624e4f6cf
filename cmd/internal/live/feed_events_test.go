package live

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// destroyEvents returns the messages of DESTROY events of entries with these marks.
func destroyEvents(marks ...int) (messages []byte) {
	for _, i := range marks {
		at := len(messages)
		messages = udpSpec(i).AppendMessage(messages)
		binary.NativeEndian.PutUint16(messages[at+4:], wire.SubsysConntrack<<8|wire.MsgDelete)
	}
	return messages
}

// TestTakeAllocates: no event costs an allocation.
func TestTakeAllocates(t *testing.T) {
	marks := make([]int, 500)
	for i := range marks {
		marks[i] = i
	}
	born := ctnetlink.EventBatch{Messages: newEvents(marks...)}
	died := ctnetlink.EventBatch{Messages: destroyEvents(marks...)}
	table := New([]Source{{Conn: ctnetlink.NewConn(engine.New(engine.Options{}).Dial)}}, Options{})
	table.feed.history.begin(time.Now())
	take := taker{part: table.feed.parts[0]}
	now := time.Now()
	n := testing.AllocsPerRun(100, func() {
		take.take(born, now)
		take.take(died, now)
	})
	if n > 10 {
		t.Errorf("%v allocations for %d events", n, 2*len(marks))
	}
	if births, deaths := total(table); births != 101*len(marks) || deaths != births {
		t.Errorf("%d births, %d deaths", births, deaths)
	}
}

// BenchmarkTake takes in a birth and a death.
func BenchmarkTake(b *testing.B) {
	const n = 500
	table := New([]Source{{Conn: ctnetlink.NewConn(engine.New(engine.Options{}).Dial)}}, Options{})
	table.feed.history.begin(time.Now())
	take := taker{part: table.feed.parts[0]}
	var batches []ctnetlink.EventBatch
	for k := range 64 {
		marks := make([]int, n)
		for i := range marks {
			marks[i] = k*n + i
		}
		batches = append(batches, ctnetlink.EventBatch{Messages: newEvents(marks...)},
			ctnetlink.EventBatch{Messages: destroyEvents(marks...)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := processTime()
	for i := 0; i < b.N; i += n {
		k := 2 * (i / n % 64)
		take.take(batches[k], time.Now())
		take.take(batches[k+1], time.Now())
	}
	b.ReportMetric(float64(processTime()-used)/float64(b.N), "cpu-ns/op")
}
