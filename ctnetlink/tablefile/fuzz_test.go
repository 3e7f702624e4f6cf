package tablefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// FuzzLoad: whatever a complete file contains, it is refused or makes a table
// that can be written and read again.
func FuzzLoad(f *testing.F) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		for _, name := range []string{"dump", "expect", "events"} {
			b, err := os.ReadFile("../testdata/" + name + ".nl")
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			m := wire.Messages{B: b}
			for m.Next() {
				f.Add([]byte(m.Msg))
			}
		}
	}
	f.Add(entry(1, 600).AppendMessage(nil))
	now := time.Now()
	clock := func() time.Time { return now }
	f.Fuzz(func(t *testing.T, b []byte) {
		// The end mark is valid, so that the contents are read.
		var w snapshot.Writer
		file := w.AppendHeader(nil, snapshot.Header{Time: now})
		walk := wire.Messages{B: b}
		for walk.Next() {
			if len(walk.Msg) >= wire.HeadLen {
				m := wire.Message(bytes.Clone(walk.Msg))
				binary.NativeEndian.PutUint16(m[4:], m.Type()&0x300) // mostly entries and expectations
				file = w.Append(file, m)
			}
		}
		table := engine.New(engine.Options{Now: clock})
		if err := restore(table, bytes.NewReader(w.AppendEnd(file)), false); err != nil {
			var wrong *snapshot.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		var again snapshot.Writer
		file = again.AppendHeader(nil, snapshot.Header{Time: now})
		for m := range table.All() {
			timeout(m)
			file = again.Append(file, m)
		}
		file = again.AppendEnd(file)
		r, err := snapshot.NewReader(bytes.NewReader(file))
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, io.EOF) {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := restore(engine.New(engine.Options{Now: clock}), bytes.NewReader(file), false); err != nil {
			t.Fatalf("what was written cannot be loaded: %v", err)
		}
	})
}
