package tablefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestCapturedSurvive: after a change, the messages in the file that a kernel
// sent are the same bytes, except for timeouts.
func TestCapturedSurvive(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the captured messages are little endian")
	}
	captured, err := os.ReadFile("../testdata/dump.nl")
	if err != nil {
		t.Fatal(err)
	}
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Now(), Serial: 1})
	walk := wire.Messages{B: captured}
	for walk.Next() {
		if walk.Msg.Type() == typeEntry && timeout(walk.Msg) != nil {
			m := bytes.Clone(walk.Msg)
			// long enough for the test, and the same for all
			binary.BigEndian.PutUint32(timeout(m), 10_000)
			b = w.Append(b, m)
		}
	}
	if w.Count() < 20 {
		t.Fatalf("%d entries only", w.Count())
	}
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
		t.Fatal(err)
	}
	before := messagesOf(t, path)
	change(t, path, entry(1<<27, 600))
	after := messagesOf(t, path)
	if len(after) != len(before)+1 {
		t.Errorf("%d entries, want %d", len(after), len(before)+1)
	}
	for id, was := range before {
		is := after[id]
		if left := timeout(is); is == nil || be32(left) > 10_000 || be32(left) < 9_000 {
			t.Errorf("entry %d: % x", id, is)
			continue
		}
		binary.BigEndian.PutUint32(timeout(is), 10_000)
		if !bytes.Equal(is, was) {
			t.Errorf("entry %d:\n%x, was\n%x", id, is, was)
		}
	}
}

// messagesOf returns a file's entries by their ids.
func messagesOf(t *testing.T, path string) map[uint32][]byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := snapshot.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[uint32][]byte{}
	for {
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		m = bytes.Clone(m)
		var f ctnetlink.Flow
		if err := f.Decode(m); err != nil {
			t.Fatal(err)
		}
		id, _ := f.ID()
		all[id] = m
	}
}
