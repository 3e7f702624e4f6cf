package tablefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// events is a listener that collects its events as text.
type events struct {
	l    *ctnetlink.Listener
	seen chan string
	end  chan error
}

// listen starts to follow a file.
func listen(t testing.TB, path string, groups ...ctnetlink.Group) *events {
	t.Helper()
	_, c := open(t, path)
	if groups == nil {
		groups = []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy}
	}
	l, err := c.Listen(ctnetlink.ListenRequest{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	e := &events{l, make(chan string, 1<<16), make(chan error, 1)}
	go func() {
		var walk ctnetlink.Events
		for {
			b, err := l.Next()
			if err != nil {
				close(e.seen)
				e.end <- err
				return
			}
			if b.Gap {
				e.seen <- "gap"
			}
			for walk.Reset(b); walk.Next(); {
				f := walk.Flow()
				e.seen <- fmt.Sprintf("%s %d", []string{"?", "new", "update", "destroy"}[f.EventType()], number(f))
			}
		}
	}()
	t.Cleanup(l.Stop)
	return e
}

// wait waits for n events.
func (e *events) wait(t testing.TB, n int) (seen []string) {
	t.Helper()
	late := time.After(testwait.Scale(30 * time.Second))
	for len(seen) < n {
		select {
		case s, ok := <-e.seen:
			if !ok {
				t.Fatalf("ended after %v", seen)
			}
			seen = append(seen, s)
		case <-late:
			t.Fatalf("%d events came, of %d: %v", len(seen), n, seen)
		}
	}
	return seen
}

// stop stops the listener and returns the events that were left.
func (e *events) stop(t testing.TB) (seen []string) {
	t.Helper()
	e.l.Stop()
	for s := range e.seen {
		seen = append(seen, s)
	}
	if err := <-e.end; !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
	return seen
}

// remove deletes entries and commits that.
func remove(t testing.TB, path string, entries ...*ctnetlink.FlowSpec) {
	t.Helper()
	f, c := open(t, path)
	for _, en := range entries {
		if err := c.Delete(en); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func spools(t testing.TB, path string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+spoolSuffix) {
			names = append(names, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return names
}

// TestFollow: every follower receives the events of all commits after it
// joined, in order, whether the file existed then or not.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	first := listen(t, path)
	change(t, path, entry(1, 600), entry(2, 600))
	second := listen(t, path)
	deleted := listen(t, path, ctnetlink.GroupDestroy)
	remove(t, path, entry(1, 600))
	change(t, path, entry(1, 600))
	for name, got := range map[string][2][]string{
		"first":   {first.wait(t, 4), {"new 1", "new 2", "destroy 1", "new 1"}},
		"second":  {second.wait(t, 2), {"destroy 1", "new 1"}},
		"deleted": {deleted.wait(t, 1), {"destroy 1"}},
	} {
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s: %v, want %v", name, got[0], got[1])
		}
	}
	// A change that is committed just before the end is received too.
	remove(t, path, entry(2, 600))
	for name, e := range map[string]*events{"first": first, "second": second, "deleted": deleted} {
		if got := e.stop(t); !slices.Equal(got, []string{"destroy 2"}) {
			t.Errorf("%s: %v at the end", name, got)
		}
	}
	if left := spools(t, path); left != nil {
		t.Errorf("left: %v", left)
	}
}

// TestFollowTimeouts: all followers receive the end of an expired entry once,
// even if nothing else changes the file.
func TestFollowTimeouts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	a, b := listen(t, path), listen(t, path)
	change(t, path, entry(1, 1), entry(2, 600))
	for name, e := range map[string]*events{"a": a, "b": b} {
		if got := e.wait(t, 3); !slices.Equal(got, []string{"new 1", "new 2", "destroy 1"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	change(t, path, entry(3, 600))
	for name, e := range map[string]*events{"a": a, "b": b} {
		if got := e.stop(t); !slices.Equal(got, []string{"new 3"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	_, c := open(t, path)
	want(t, c, 2, 3)
}

// TestFollowTimeoutsBefore: the end of an expired entry is received that was in the file
// when the following began.
func TestFollowTimeoutsBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600), entry(2, 2), entry(3, 700))
	a := listen(t, path)
	if got := a.wait(t, 1); !slices.Equal(got, []string{"destroy 2"}) {
		t.Errorf("%v", got)
	}
	_, c := open(t, path)
	want(t, c, 1, 3)
}

// TestFollowUncommitted: events of a process that is killed before it replaces
// the file are not received, and the next commit's are.
func TestFollowUncommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600))
	e := listen(t, path)
	spool := spools(t, path)[0]
	die := func(whole bool) {
		t.Helper()
		f, c := open(t, path)
		if err := c.Create(entry(9, 600)); err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if err := f.journal.collect(); err != nil {
			t.Fatal(err)
		}
		f.journal.publish(f.state.serial, f.state.serial+1, time.Time{})
		if info, err := os.Stat(spool); err != nil {
			t.Fatal(err)
		} else if !whole {
			if err := os.Truncate(spool, info.Size()-10); err != nil {
				t.Fatal(err)
			}
		}
		f.release()
	}
	die(true)
	change(t, path, entry(2, 600))
	die(false)
	change(t, path, entry(3, 600))
	die(true)
	die(false)
	change(t, path, entry(4, 600))
	if got := e.wait(t, 3); !slices.Equal(got, []string{"new 2", "new 3", "new 4"}) {
		t.Errorf("%v", got)
	}
	if left := e.stop(t); left != nil {
		t.Errorf("%v besides", left)
	}
}

// TestFollowDead: the spool of a killed follower is removed by the next commit.
func TestFollowDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600))
	dead := path + spoolSuffix + "1-a"
	if err := os.WriteFile(dead, []byte(spoolMagic), 0o600); err != nil {
		t.Fatal(err)
	}
	e := listen(t, path)
	change(t, path, entry(2, 600))
	if got := e.wait(t, 1); got[0] != "new 2" {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead one's spool: %v", err)
	}
}

// TestFollowSlowly: a follower that does not read receives ENOBUFS and the
// number of lost events. A spool that was read is emptied.
func TestFollowSlowly(t *testing.T) {
	defer func(n int64) { maxSpool = n }(maxSpool)
	maxSpool = 4096
	path := filepath.Join(t.TempDir(), "table")
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := f.Dial()
	defer s.Close()
	if err := s.Join(ctnetlink.GroupNew); err != nil {
		t.Fatal(err)
	}
	const n = 100
	for i := range n {
		change(t, path, entry(i, 600))
	}
	b := make([]byte, 64<<10)
	seen, reported := 0, false
	for {
		m, _, err := s.Poll(b)
		if errors.Is(err, ctnetlink.EAGAIN) {
			break
		}
		if errors.Is(err, ctnetlink.ENOBUFS) {
			reported = true
		} else if err != nil {
			t.Fatal(err)
		}
		seen += int(countMessages(b[:m]))
	}
	if lost := int(s.Lost()); !reported || seen == 0 || lost == 0 || seen+lost != n {
		t.Errorf("%d were seen and %d lost, of %d; reported: %v", seen, lost, n, reported)
	}
	w := s.(*socket).follower
	w.mu.Lock()
	w.trim()
	w.mu.Unlock()
	if info, err := w.spool.Stat(); err != nil || info.Size() != int64(len(spoolMagic)) {
		t.Errorf("the spool was not emptied: %v, %v", info.Size(), err)
	}
	change(t, path, entry(n, 600))
	if m, _, err := s.Poll(b); err != nil || m == 0 {
		t.Errorf("after that: %d bytes, %v", m, err)
	}
}

// TestFollowTrap: a file that only has the name of a spool is neither written
// to nor removed, and does not stop a change.
func TestFollowTrap(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	change(t, path, entry(1, 600))
	precious := filepath.Join(dir, "precious")
	const text = "something that is longer than the head of a record"
	if err := os.WriteFile(precious, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(precious)
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if err := os.Symlink(precious, path+spoolSuffix+"1-a"); err != nil {
		t.Skip(err)
	}
	change(t, path, entry(2, 600))
	if err := os.Link(precious, path+spoolSuffix+"2-a"); err != nil {
		t.Skip(err)
	}
	change(t, path, entry(3, 600))
	lock.Unlock()
	change(t, path, entry(4, 600))
	if b, err := os.ReadFile(path + spoolSuffix + "2-a"); err != nil || string(b) != text {
		t.Errorf("it was written to: %q, %v", b, err)
	}
}

// TestFollowGarbage: events that are not netlink messages are reported as lost,
// and what is committed after them is received.
func TestFollowGarbage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600))
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := f.Dial()
	defer s.Close()
	if err := s.Join(ctnetlink.GroupNew); err != nil {
		t.Fatal(err)
	}
	run, c := open(t, path)
	if err := c.Create(entry(2, 600)); err != nil {
		t.Fatal(err)
	}
	run.mu.Lock()
	run.journal.events = append(run.journal.events, make([]byte, 32)...) // a message of length 0
	run.mu.Unlock()
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64<<10)
	if n, _, err := s.Poll(b); err != nil || countMessages(b[:n]) != 1 {
		t.Errorf("before the garbage: %d messages, %v", countMessages(b[:n]), err)
	}
	if _, _, err := s.Poll(b); !errors.Is(err, ctnetlink.ENOBUFS) {
		t.Errorf("the garbage: %v", err)
	}
	change(t, path, entry(3, 600))
	if n, _, err := s.Poll(b); err != nil || countMessages(b[:n]) != 1 {
		t.Errorf("after it: %d messages, %v", countMessages(b[:n]), err)
	}
}
