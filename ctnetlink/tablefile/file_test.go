package tablefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// entry returns a UDP entry with the number i.
func entry(i int, timeout uint32) *ctnetlink.FlowSpec {
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: time.Duration(timeout) * time.Second}
	en.Set = en.Set.With(ctnetlink.AttrTimeout)
	const has = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	en.Orig = ctnetlink.Tuple{Has: has, Proto: 17, Src: netip.AddrFrom4([4]byte{10, byte(i >> 24), byte(i >> 16), 1}),
		Dst: netip.AddrFrom4([4]byte{192, 0, 2, 1}), SrcPort: uint16(i), DstPort: 53}
	en.Reply = ctnetlink.Tuple{Has: has, Proto: 17, Src: en.Orig.Dst, Dst: en.Orig.Src, SrcPort: 53,
		DstPort: en.Orig.SrcPort}
	return en
}

// number returns the number of an entry.
func number(f *ctnetlink.Flow) int {
	src := f.Orig().Src.As4()
	return int(src[1])<<24 | int(src[2])<<16 | int(f.Orig().SrcPort)
}

// open opens a file, which is closed at the end of the test.
func open(t testing.TB, path string) (*File, *ctnetlink.Conn) {
	t.Helper()
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := ctnetlink.NewConn(f.Dial)
	t.Cleanup(func() { c.Close(); f.Close() })
	return f, c
}

// change creates entries and commits them.
func change(t testing.TB, path string, entries ...*ctnetlink.FlowSpec) {
	t.Helper()
	f, c := open(t, path)
	for _, en := range entries {
		if err := c.Create(en); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// list returns the timeouts of the entries in a file by number.
func list(t testing.TB, c *ctnetlink.Conn) map[int]uint32 {
	t.Helper()
	all, err := tryList(c)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func tryList(c *ctnetlink.Conn) (map[int]uint32, error) {
	all := map[int]uint32{}
	for f, err := range c.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			return nil, err
		}
		left, _ := f.Timeout()
		all[number(f)] = uint32(left / time.Second)
	}
	return all, nil
}

func numbers(all map[int]uint32) []int {
	var list []int
	for n := range all {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

func want(t testing.TB, c *ctnetlink.Conn, numbersOf ...int) {
	t.Helper()
	if got := numbers(list(t, c)); !slices.Equal(got, numbersOf) {
		t.Fatalf("entries %v, want %v", got, numbersOf)
	}
}

func TestChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600), entry(2, 600))
	f, c := open(t, path)
	want(t, c, 1, 2)
	if err := c.Delete(entry(1, 600)); err != nil {
		t.Fatal(err)
	}
	// The change is visible to its own File only.
	want(t, c, 2)
	_, other := open(t, path)
	want(t, other, 1, 2)
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, other, 2)
	// And the other's changes are visible here.
	change(t, path, entry(3, 600))
	want(t, c, 2, 3)
	if n, _, err := c.Count(); err != nil || n != 2 {
		t.Fatalf("%d entries, %v", n, err)
	}
	if err := c.Flush(ctnetlink.FamilyAny); err != nil {
		t.Fatal(err)
	}
	f.Close()
	want(t, other)
	// Only the lock file is left beside the table.
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 2 || left[0].Name() != "table" || left[1].Name() != "table.lock" {
		t.Fatalf("left: %v", left)
	}
}

// TestRefusedChangesNothing: a refused request does not replace the file.
func TestRefusedChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600))
	before, _ := os.Stat(path)
	f, c := open(t, path)
	if err := c.Create(entry(1, 600)); !errors.Is(err, ctnetlink.EEXIST) {
		t.Fatal(err)
	}
	if f.Changed() {
		t.Error("a refused creation counts as a change")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("the file was replaced")
	}
}

// TestQuestionsAreNoChanges: changes are committed however many questions for
// entries that are not there come after them.
func TestQuestionsAreNoChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	f, c := open(t, path)
	if err := c.Create(entry(1, 600)); err != nil {
		t.Fatal(err)
	}
	b := c.NewBatch()
	defer b.Close()
	b.Get(entry(2, 600))
	b.Get(entry(3, 600))
	if _, err := b.Do(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(entry(2, 600)); !errors.Is(err, ctnetlink.ENOENT) {
		t.Fatal(err)
	}
	if !f.Changed() {
		t.Error("there is nothing to commit")
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	_, other := open(t, path)
	want(t, other, 1)
}

func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "there", "table")
	_, c := open(t, path)
	if _, err := tryList(c); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("list: %v", err)
	}
	if err := c.Create(entry(1, 600)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create, without the directory: %v", err)
	}
	f, err := Open(path, Options{Optional: true})
	if err != nil {
		t.Fatal(err)
	}
	c = ctnetlink.NewConn(f.Dial)
	want(t, c)
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made something: %v", err)
	}
	if err := errors.Join(c.Create(entry(1, 600)), f.Close()); err != nil {
		t.Fatal(err)
	}
	want(t, c, 1)
}

// TestReadingWritesNothing: reading changes neither the file nor its directory.
func TestReadingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	change(t, filepath.Join(dir, "made"), entry(1, 600))
	b, err := os.ReadFile(filepath.Join(dir, "made"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, b, 0o400); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	f, c := open(t, path)
	want(t, c, 1)
	if _, err := c.Get(entry(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(path)
	left, _ := os.ReadDir(filepath.Dir(path))
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) || len(left) != 1 {
		t.Errorf("something was written: %v", left)
	}
}

// TestDamaged: reading and changing a damaged file fails with the offset of the
// damage, and leaves it as it is.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600), entry(2, 600))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		b    []byte
		at   int64
	}{
		{"empty", nil, 0},
		{"text", []byte("ipv4 2 tcp 6 src=10.0.0.1"), 0},
		{"cut between two messages", whole[:len(whole)-28], int64(len(whole) - 28)},
		{"a byte changed", append(append(bytes.Clone(whole[:100]), whole[100]^1), whole[101:]...), int64(len(whole) - 4)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(path, tc.b, 0o600); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Stat(path)
			f, c := open(t, path)
			_, listed := tryList(c)
			for name, err := range map[string]error{"list": listed, "create": c.Create(entry(3, 600)), "close": nil} {
				if name == "close" {
					if err := f.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
					continue
				}
				var wrong *snapshot.Error
				var file *Error
				if !errors.As(err, &wrong) || wrong.Offset != tc.at || !errors.As(err, &file) || file.Path != path {
					t.Errorf("%s: %v, want an error about byte %d", name, err, tc.at)
				}
			}
			after, _ := os.Stat(path)
			if b, _ := os.ReadFile(path); !os.SameFile(before, after) || !bytes.Equal(b, tc.b) {
				t.Error("the file was touched")
			}
		})
	}
}

// TestManyChangesKeepTimeouts: many commits do not shorten the timeouts of
// other entries.
func TestManyChangesKeepTimeouts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	start := time.Now()
	change(t, path, entry(0, 1000))
	for i := 1; i <= 50; i++ {
		change(t, path, entry(i, 1000))
	}
	_, c := open(t, path)
	left := list(t, c)[0]
	if passed := uint32(time.Since(start)/time.Second) + 1; left+passed+1 < 1000 {
		t.Errorf("%d seconds of 1000 are left after %d", left, passed)
	}
}

// TestTimePasses: timeouts count from the time in the header, and expired
// entries are gone, both when the file is read and when it is changed.
func TestTimePasses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Now().Add(-100 * time.Second), Serial: 1})
	for i, timeout := range []uint32{50, 1000, 100_000} {
		b = w.Append(b, entry(i, timeout).AppendMessage(nil))
	}
	if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"from the file", "from a table", "written again"} {
		f, c := open(t, path)
		if how != "from the file" {
			if err := c.Create(entry(9, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		if how == "written again" {
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		all := list(t, c)
		if all[1] < 800 || all[1] > 900 || all[2] < 99_800 || all[2] > 99_900 {
			t.Errorf("%s: %v", how, all)
		}
		if _, there := all[0]; there {
			t.Errorf("%s: an entry that ended is there", how)
		}
		if how == "from a table" {
			f.mu.Lock()
			f.release() // without a commit
			f.mu.Unlock()
		}
	}
}

// TestClockAhead: in a file from a machine whose clock is ahead, timeouts count
// from now on.
func TestClockAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Now().Add(time.Hour), Serial: 1})
	b = w.Append(b, entry(0, 500).AppendMessage(nil))
	if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
		t.Fatal(err)
	}
	change(t, path, entry(1, 500))
	_, c := open(t, path)
	if all := list(t, c); all[0] < 400 || all[0] > 500 || all[1] < 400 {
		t.Errorf("%v", all)
	}
}

// TestConcurrent: changes at the same time are not lost.
func TestConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	const runs, each = 4, 25
	var wait sync.WaitGroup
	for r := range runs {
		wait.Go(func() {
			for i := range each {
				f, err := Open(path, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				c := ctnetlink.NewConn(f.Dial)
				if err := errors.Join(c.Create(entry(r*each+i, 600)), f.Close(), c.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		f, _ := Open(path, Options{Optional: true})
		c := ctnetlink.NewConn(f.Dial)
		for last := 0; ; {
			select {
			case <-stop:
				return
			default:
			}
			all, err := tryList(c)
			if err != nil || len(all) < last {
				t.Errorf("%d entries after %d, %v", len(all), last, err)
				return
			}
			last = len(all)
		}
	})
	wait.Wait()
	close(stop)
	reader.Wait()
	_, c := open(t, path)
	if n := len(list(t, c)); n != runs*each {
		t.Errorf("%d entries, want %d", n, runs*each)
	}
}

func ExampleOpen() {
	dir, _ := os.MkdirTemp("", "tablefile")
	defer os.RemoveAll(dir)

	f, err := Open(filepath.Join(dir, "table.nl"), Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	c := ctnetlink.NewConn(f.Dial)
	defer c.Close()
	if err := c.Create(entry(4000, 60)); err != nil {
		fmt.Println(err)
		return
	}
	if err := f.Commit(); err != nil {
		fmt.Println(err)
		return
	}
	for flow, err := range c.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(flow.Orig().Src, flow.Orig().SrcPort)
	}
	// Output: 10.0.0.1 4000
}
