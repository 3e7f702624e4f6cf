package tablefile

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// openNow is open with Options.Now.
func openNow(t *testing.T, path string) (*File, *ctnetlink.Conn) {
	t.Helper()
	f, err := Open(path, Options{Now: true})
	if err != nil {
		t.Fatal(err)
	}
	c := ctnetlink.NewConn(f.Dial)
	t.Cleanup(func() { c.Close(); f.Close() })
	return f, c
}

// TestStoppedClock: a table whose clock is stopped is what was written, also
// what had less than a second left. A change leaves its time and the other
// timeouts as they were, even if that time is in the future.
func TestStoppedClock(t *testing.T) {
	for name, since := range map[string]time.Duration{"past": time.Hour, "future": -time.Hour} {
		path := filepath.Join(t.TempDir(), "table")
		written := time.Now().Add(-since).Truncate(0)
		var w snapshot.Writer
		b := w.AppendHeader(nil, snapshot.Header{Time: written, Serial: 1, Stopped: true})
		want := map[int]uint32{0: 0, 1: 1, 2: 1000, 3: 100_000}
		for i, timeout := range want {
			b = w.Append(b, entry(i, timeout).AppendMessage(nil))
		}
		if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
			t.Fatal(err)
		}
		e := listen(t, path)
		f, c := open(t, path)
		check := func(when string) {
			t.Helper()
			if got := list(t, c); !maps.Equal(got, want) {
				t.Errorf("%s, %s: %v, want %v", name, when, got, want)
			}
			if n, _, err := c.Count(); err != nil || int(n) != len(want) {
				t.Errorf("%s, %s: %d entries are counted (%v), want %d", name, when, n, err, len(want))
			}
			if now := f.Now(); !now.Equal(written) {
				t.Errorf("%s, %s: the clock shows %v, want %v", name, when, now, written)
			}
		}
		check("at first")
		if past := f.Past(); !past.Time.Equal(written) || since > 0 && past.Ended != 3 || since < 0 && past.Ended != 0 {
			t.Errorf("%s: %+v", name, past)
		}
		change(t, path, entry(9, 70))
		want[9] = 70
		check("after a creation")
		remove(t, path, entry(0, 0))
		delete(want, 0)
		check("after a deletion")
		if got := e.stop(t); len(got) != 2 || got[0] != "new 9" || got[1] != "destroy 0" {
			t.Errorf("%s: events %v", name, got)
		}
		if since < 0 {
			continue
		}
		// With Now the timeouts run until now. Only a change makes that permanent.
		now, running := openNow(t, path)
		for _, when := range []string{"with Now", "with Now and a change"} {
			if got := list(t, running); len(got) != 1 || got[3] < 96_000 || got[3] > 96_400 {
				t.Errorf("%s: %v", when, got)
			}
			if past := now.Past(); !past.Time.IsZero() {
				t.Errorf("%s: %+v", when, past)
			}
			if when == "with Now" {
				check(when)
				if err := running.Create(entry(5, 60)); err != nil {
					t.Fatal(err)
				}
				if err := running.Delete(entry(5, 60)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := now.Commit(); err != nil {
			t.Fatal(err)
		}
		first := list(t, c)
		if len(first) != 1 || first[3] < 96_000 || first[3] > 96_400 {
			t.Errorf("after a change with Now: %v", first)
		}
		if at := f.Now(); time.Since(at) > time.Minute || !at.Equal(f.Now()) {
			t.Errorf("after a change with Now the clock shows %v", at)
		}
	}
}
