package live

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestQuestionsWhileFed asks everything while entries come, change and go: each row
// shows an entry that was asked for, and no entry has two rows.
func TestQuestionsWhileFed(t *testing.T) {
	table, _, _, now := newTable(t, engine.Options{Max: -1}, Options{})
	at := now.now()
	g := newGenerator(61)
	var messages [][]byte
	for i := range 2000 {
		messages = append(messages, append([]byte(nil), g.entry(i, at)...))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var feed sync.WaitGroup
	defer feed.Wait()
	defer cancel()
	var fed atomic.Int64
	feed.Add(1)
	go func() {
		defer feed.Done()
		r := rand.New(rand.NewPCG(62, 1))
		var f ctnetlink.Flow
		for ctx.Err() == nil {
			table.mu.Lock()
			for range 100 {
				msg := messages[r.IntN(len(messages))]
				kind := []uint16{wire.MsgNew, wire.MsgNew, wire.MsgDelete}[r.IntN(3)]
				binary.NativeEndian.PutUint16(msg[4:], wire.SubsysConntrack<<8|kind)
				binary.NativeEndian.PutUint16(msg[6:], uint16(r.IntN(2))*wire.FlagCreate)
				if err := f.Decode(msg); err != nil {
					t.Error(err)
				}
				table.apply(0, &f, at)
			}
			table.mu.Unlock()
			fed.Add(100)
		}
	}()
	var asked sync.WaitGroup
	for worker := range 3 {
		asked.Add(1)
		go func() {
			defer asked.Done()
			askAll(t, table, rand.New(rand.NewPCG(63, uint64(worker))))
		}()
	}
	asked.Wait()
	if fed.Load() < 1000 {
		t.Error("there were few events:", fed.Load())
	}
}

// askAll asks questions of all kinds.
func askAll(t *testing.T, table *Table, r *rand.Rand) {
	tcp := &filter.Filter{}
	tcp.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
	tcp.Marks = []filter.MarkRange{{Max: 0x7fffffff, Mask: 0xffffffff}}
	var at Ref
	for range 60 {
		by := GroupQuery{Keys: parseKeys(t, "proto,labels"), Filter: tcp, Sort: "entries", Limit: 20, Offset: r.IntN(20)}
		groups, err := table.Groups(context.Background(), &by)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := table.States(context.Background(), tcp); err != nil {
			t.Error(err)
		}
		q := Query{Filter: tcp, Limit: 50, Around: at, Order: []Key{{parseKeys(t, "dst")[0], true}, {parseKeys(t, "labels")[0], false}}}
		switch r.IntN(4) {
		case 0:
			q.Offset = maxFirst + r.IntN(1000)
		case 1:
			q.Offset = r.IntN(300)
		case 2:
			q.Search = "10.0"
		}
		if len(groups.Groups) > 0 && r.IntN(3) == 0 {
			q.Group = &groups.Groups[0].ID
		}
		p, err := table.Page(context.Background(), &q)
		if err != nil {
			t.Error(err)
			return
		}
		seen := map[Ref]bool{}
		for i := range p.Rows {
			row := &p.Rows[i]
			if !tcp.Match(row.Flow) || seen[row.Ref] {
				t.Errorf("row %d: %s", i, kept(row.Flow))
			}
			if (row.Ref == at) != (i == p.At) {
				t.Errorf("row %d is %v, the cursor's is %d", i, row.Ref, p.At)
			}
			seen[row.Ref] = true
		}
		if at = (Ref{}); len(p.Rows) > 0 {
			at = p.Rows[r.IntN(len(p.Rows))].Ref
		}
	}
}

// TestQuestionEnds: a question ends soon when nobody waits for the answer any more.
func TestQuestionEnds(t *testing.T) {
	a := newAsked(t, 64, 20000, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	entries := 0
	q, err := a.ask(nil, nil, "10.")
	if err != nil {
		t.Fatal(err)
	}
	defer q.done()
	err = q.walk(ctx, func() {}, func(*entry) {
		if entries++; entries == 1 {
			cancel()
		}
	})
	if err != context.Canceled || entries == 0 || entries > pageLen/4 {
		t.Errorf("%v after %d entries", err, entries)
	}
}

// TestQuestionMemory: questions use their memory again.
func TestQuestionMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs a table of some size")
	}
	a := newAsked(t, 65, 20000, Options{})
	ask := func() {
		a.page(t, Query{Order: []Key{{parseKeys(t, "src")[0], true}}, Limit: 10, Offset: 10000})
		if _, err := a.Groups(context.Background(), &GroupQuery{Keys: parseKeys(t, "src,sport"), Sort: "bytes", Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	// 22 000 entries take 500 kB in an order, and 2 MB in groups. The best of some runs
	// counts: a sync.Pool forgets at random under the race detector.
	least := uint64(math.MaxUint64)
	for tries := 0; tries < 12 && least > 200_000; tries++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ask()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	if least > 200_000 {
		t.Errorf("%d bytes for a question", least)
	}
}
