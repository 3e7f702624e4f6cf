package tablefile

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// TestDumpWhileChanging: a dump shows the table as it was when it started,
// whatever is committed during it.
func TestDumpWhileChanging(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	const n = 1000
	entries := make([]*ctnetlink.FlowSpec, n)
	for i := range entries {
		entries[i] = entry(i, 600)
	}
	change(t, path, entries...)
	f, c := open(t, path)
	seen := 0
	for flow, err := range c.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		var en ctnetlink.FlowSpec
		en.Identify(flow)
		if err := c.Delete(&en); err != nil {
			t.Fatal(err)
		}
		if seen%300 == 0 {
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen != n {
		t.Errorf("%d entries were seen, of %d", seen, n)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, c)
}

// TestZeroing: a dump that resets counters is a change until its end, although
// a part of it is committed before.
func TestZeroing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	const n = 2000
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Now(), Serial: 1})
	for i := range n {
		m := entry(i, 1000).AppendMessage(nil)
		for attr := uint16(9); attr <= 10; attr++ { // CTA_COUNTERS_ORIG and _REPLY, of packets and bytes
			m = binary.NativeEndian.AppendUint16(m, 28)
			m = binary.NativeEndian.AppendUint16(m, attr|1<<15)
			for counter := uint16(1); counter <= 2; counter++ {
				m = binary.NativeEndian.AppendUint16(m, 12)
				m = binary.NativeEndian.AppendUint16(m, counter)
				m = binary.BigEndian.AppendUint64(m, 42)
			}
		}
		binary.NativeEndian.PutUint32(m, uint32(len(m)))
		b = w.Append(b, m)
	}
	if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
		t.Fatal(err)
	}
	count := func(c *ctnetlink.Conn, q *ctnetlink.DumpRequest, between func()) (sum uint64) {
		seen := 0
		for f, err := range c.Dump(q) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen%500 == 0 {
				between()
			}
			packets, _, ok := f.CountersOrig()
			if !ok {
				t.Fatal("no counters")
			}
			sum += packets
		}
		if seen != n {
			t.Fatalf("%d entries", seen)
		}
		return sum
	}
	f, c := open(t, path)
	sum := count(c, &ctnetlink.DumpRequest{Zero: true}, func() {
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
	})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, other := open(t, path)
	if left := count(other, &ctnetlink.DumpRequest{}, func() {}); sum != n*42 || left != 0 {
		t.Errorf("%d packets were listed, and %d are left", sum, left)
	}
}
