package engine_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// million is the size of a large table.
const million = 1_000_000

// saved returns the NEW messages of n entries.
func saved(n int) (msgs [][]byte) {
	for i := range n {
		e := connection(i)
		e.Set = e.Set.With(ctnetlink.AttrProtoInfo)
		e.ProtoInfo = ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: 3}
		msgs = append(msgs, e.AppendMessage(nil))
	}
	return msgs
}

func restored(b *testing.B, msgs [][]byte) *engine.Table {
	b.Helper()
	tab := engine.New(engine.Options{})
	for _, m := range msgs {
		if err := tab.Restore(m, time.Second); err != nil {
			b.Fatal(err)
		}
	}
	return tab
}

// One operation is a million entries: divide for one entry.

func BenchmarkRestoreMillion(b *testing.B) {
	msgs := saved(million)
	for b.Loop() {
		restored(b, msgs)
	}
}

func BenchmarkDumpMillion(b *testing.B) {
	tab := restored(b, saved(million))
	s, err := tab.Dial()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	request := make([]byte, 20) // GET, NLM_F_REQUEST | NLM_F_DUMP
	binary.NativeEndian.PutUint32(request, 20)
	binary.NativeEndian.PutUint16(request[4:], 1<<8|1)
	binary.NativeEndian.PutUint16(request[6:], wire.FlagRequest|wire.FlagDump)
	buf := make([]byte, 64<<10)
	for b.Loop() {
		if err := s.Send(request); err != nil {
			b.Fatal(err)
		}
		for {
			n, _, err := s.Receive(buf)
			if err != nil {
				b.Fatal(err)
			}
			if n == 20 {
				break
			}
		}
	}
}

func BenchmarkCreateMillion(b *testing.B) {
	for b.Loop() {
		tab := engine.New(engine.Options{Max: million})
		batch := client(b, tab).NewBatch()
		for i := range million {
			batch.Create(connection(i))
			if batch.Full() {
				if _, err := batch.Do(); err != nil {
					b.Fatal(err)
				}
			}
		}
		batch.Close()
	}
}

func BenchmarkLookupInMillion(b *testing.B) {
	tab := restored(b, saved(million))
	c := client(b, tab)
	i := 0
	for b.Loop() {
		i = (i + 7919) % million
		e := connection(i)
		e.Set = 0
		if _, err := c.Get(e); err != nil {
			b.Fatal(err)
		}
	}
}
