package format

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// TestNetlink: the style writes a complete table file with the messages of the
// entries, and an empty one without entries.
func TestNetlink(t *testing.T) {
	entries := [][]byte{
		v4(nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(17, 1, 2)), status(stPlain), timeout(9), labels(0, 2)),
		v4(nest(1, addrs("10.0.0.3", "192.0.2.1"), ports(6, 3, 4)), timeout(100), tcpState(3)),
	}
	start := time.Now()
	p := NewPrinter(Options{Style: StyleNetlink, Extended: true, ID: true})
	b := p.AppendHeader(nil)
	var f ctnetlink.Flow
	for _, msg := range entries {
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		b = p.AppendFlow(b, &f, nil)
	}
	b = p.AppendFooter(b)

	read := func(b []byte) (h snapshot.Header, all [][]byte) {
		t.Helper()
		r, err := snapshot.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for {
			msg, err := r.Next()
			if errors.Is(err, io.EOF) {
				return r.Header(), all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, slices.Clone(msg))
		}
	}
	h, got := read(b)
	if h.Time.Before(start) || h.Time.After(time.Now()) || h.Serial == 0 {
		t.Errorf("header %+v", h)
	}
	if len(got) != len(entries) {
		t.Fatalf("%d entries, want %d", len(got), len(entries))
	}
	for i := range got {
		if !bytes.Equal(got[i][16:], entries[i][16:]) {
			t.Errorf("entry %d: % x, want % x", i, got[i], entries[i])
		}
	}
	if _, none := read(NewPrinter(Options{Style: StyleNetlink}).AppendEmpty(nil)); len(none) != 0 {
		t.Errorf("%d entries in an empty table", len(none))
	}
}
