package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// openFile returns the source of a table file.
func openFile(t testing.TB, path string) Source {
	t.Helper()
	file, err := tablefile.Open(path, tablefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn := ctnetlink.NewConn(file.Dial)
	t.Cleanup(func() { conn.Close() })
	return Source{Conn: conn, Now: file.Now}
}

// inFile changes a table file as another process would.
func inFile(t testing.TB, path string, do func(conn *ctnetlink.Conn)) {
	t.Helper()
	file, err := tablefile.Open(path, tablefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn := ctnetlink.NewConn(file.Dial)
	defer conn.Close()
	do(conn)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFile: changes of a table file arrive as events.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.nl")
	inFile(t, path, func(c *ctnetlink.Conn) { makeEntries(t, c, 0, 100) })
	table, stop := run(t, Options{Interval: time.Hour}, openFile(t, path))
	s := wait(t, table, "the first dump", entries(100))
	if s.EventsOff != "" || s.Total != 100 || s.Maximum != 0 || s.StatsKnown || s.AccountingOff {
		t.Errorf("%+v", s)
	}
	inFile(t, path, func(c *ctnetlink.Conn) { makeEntries(t, c, 100, 150) })
	wait(t, table, "births", entries(150))
	inFile(t, path, func(c *ctnetlink.Conn) { deleteEntries(t, c, 0, 20) })
	wait(t, table, "deaths", entries(130))
	waitTotal(t, table, 50, 20)
	if s := table.Status(); s.Loss != (ctnetlink.Loss{}) {
		t.Errorf("lost: %+v", s.Loss)
	}
	stop()
	left, err := filepath.Glob(path + ".events-*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// writeSnapshot replaces a file by a table with a stopped clock, as a program does that
// knows nothing of events.
func writeSnapshot(t testing.TB, path string, n int) {
	t.Helper()
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Unix(1_700_000_000, 0), Serial: uint64(n), Stopped: true})
	for i := range n {
		b = w.Append(b, udpSpec(i).AppendMessage(nil))
	}
	err := os.WriteFile(path+".new", w.AppendEnd(b), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFileReplaced: a file that another program replaces is read again at once, and
// the loss is counted. Its clock is stopped, so nothing is known of rates.
func TestFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.nl")
	writeSnapshot(t, path, 100)
	table, _ := run(t, Options{Interval: time.Hour}, openFile(t, path))
	wait(t, table, "the first dump", entries(100))
	writeSnapshot(t, path, 70)
	s := wait(t, table, "the new file", entries(70))
	if s.Loss.Overruns == 0 {
		t.Errorf("%+v", s)
	}
	table.SetInterval(minInterval)
	complete := s.Complete
	s = wait(t, table, "another dump", func(s *Status) bool { return s.Complete.After(complete) })
	if s.RatesKnown {
		t.Error("rates are known although the clock stands")
	}
	if !s.ClockStopped {
		t.Error("it is not told that the clock stands")
	}
}

// TestFileGone: Status reports that a file was removed; the entries that were read stay.
func TestFileGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.nl")
	if err := New([]Source{openFile(t, path)}, Options{}).Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	writeSnapshot(t, path, 10)
	table, _ := run(t, Options{Interval: minInterval}, openFile(t, path))
	wait(t, table, "the first dump", entries(10))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s := wait(t, table, "the file is gone", func(s *Status) bool { return s.Failed != nil })
	if !errors.Is(s.Failed, fs.ErrNotExist) || s.Entries != 10 {
		t.Errorf("%+v", s)
	}
	writeSnapshot(t, path, 20)
	wait(t, table, "the file is back", func(s *Status) bool { return s.Failed == nil && s.Entries == 20 })
}

// TestFileWithoutEvents: where nothing may be written beside the file, dumps tell of
// its changes.
func TestFileWithoutEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "table.nl")
	writeSnapshot(t, path, 10)
	// A directory in the place of the lock file keeps everybody from following.
	if err := os.Mkdir(path+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	table, _ := run(t, Options{Interval: minInterval}, openFile(t, path))
	s := wait(t, table, "the first dump", entries(10))
	if want := path + ": table.nl.lock: not a regular file"; s.EventsOff != want {
		t.Errorf("events off: %q, want %q", s.EventsOff, want)
	}
	writeSnapshot(t, path, 15)
	wait(t, table, "the new file", entries(15))
}
