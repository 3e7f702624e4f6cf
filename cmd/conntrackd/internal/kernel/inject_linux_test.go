package kernel

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// TestInjectQueue: what is injected comes out whole and in its order, whatever its length,
// nothing is left of its memory but some blocks, and those are used again.
func TestInjectQueue(t *testing.T) {
	table := new(Table)
	i := newInjector(table)
	i.started = true // nothing writes into a kernel
	table.injector = i
	drain := func() (got []byte) {
		for i.queued > 0 {
			b, _ := i.take()
			got = append(got, b...)
			i.done(b)
		}
		return got
	}
	var want []byte
	object := bytes.Repeat([]byte("abcd"), 20_000)
	for n := range 20_000 {
		o := object[n%16 : n%16+n%200]
		if n%5000 == 17 {
			o = object[:70_000]
		}
		table.Inject(wire.Update, o)
		want = append(want, byte(wire.Update))
		want = binary.NativeEndian.AppendUint32(want, uint32(len(o)))
		want = append(want, o...)
	}
	if got := drain(); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came out, %d went in", len(got), len(want))
	}
	kept := 0
	for _, b := range i.spare {
		kept += cap(b)
	}
	if kept > spareInjects*injectBlock || len(i.queue) > 0 {
		t.Errorf("%d bytes and %d blocks are kept", kept, len(i.queue))
	}
	table.InjectRoom() // does not wait
	if n := testing.AllocsPerRun(20, func() {
		for range 1000 {
			table.Inject(wire.Update, object[:100])
		}
		for i.queued > 0 {
			b, _ := i.take()
			i.done(b)
		}
	}); n > 1 {
		t.Errorf("%v allocations for 1000 changes", n)
	}
}
