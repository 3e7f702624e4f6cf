package cmd

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// heldRun is a run over a table file, and what it says.
type heldRun struct {
	*program
	path     string
	out, err bytes.Buffer
}

func newHeldRun(t *testing.T) *heldRun {
	t.Helper()
	r := &heldRun{path: filepath.Join(t.TempDir(), "table")}
	file, err := tablefile.Open(r.path, tablefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.program = &program{stdout: &r.out, stderr: &r.err, file: file, table: ctnetlink.NewConn(file.Dial)}
	r.program.out = newOutput(r.stdout)
	r.holdOutput()
	t.Cleanup(func() { r.table.Close(); file.Close() })
	return r
}

// change makes an entry.
func (r *heldRun) change(t *testing.T, port uint16) {
	t.Helper()
	const has = ctnetlink.FieldSrc | ctnetlink.FieldDst | ctnetlink.FieldProto | ctnetlink.FieldSrcPort | ctnetlink.FieldDstPort
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 600,
		Orig:  ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: a, Dst: b, SrcPort: port, DstPort: 53},
		Reply: ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: b, Dst: a, SrcPort: 53, DstPort: port},
	}
	en.Set = en.Set.With(ctnetlink.AttrTimeout)
	if err := r.table.Create(en); err != nil {
		t.Fatal(err)
	}
}

// TestHeldOutput: what is said of a change is said once it is in the file, on
// both streams, and nothing else waits.
func TestHeldOutput(t *testing.T) {
	r := newHeldRun(t)
	r.say("before")
	if r.err.Len() == 0 {
		t.Error("a message waits for nothing")
	}
	r.err.Reset()
	r.change(t, 1)
	_ = r.print("line\n")
	r.say("count")
	if r.out.Len()+r.err.Len() != 0 {
		t.Errorf("%q and %q were said before it was true", &r.out, &r.err)
	}
	if _, err := os.Stat(r.path); err == nil {
		t.Error("the file was written for a line")
	}
	if status := r.end(nil); status != 0 || r.out.String() != "line\n" || !strings.HasSuffix(r.err.String(), "count\n") {
		t.Errorf("status %d, %q, %q", status, &r.out, &r.err)
	}
	if _, err := os.Stat(r.path); err != nil {
		t.Error(err)
	}
}

// TestHeldOutputIsBounded: a long run writes the file now and then, and more
// seldom as it goes on.
func TestHeldOutputIsBounded(t *testing.T) {
	r := newHeldRun(t)
	writes, last := 0, os.FileInfo(nil)
	line := []byte(strings.Repeat("x", 1<<16))
	for i := range 16 * 16 { // 16 MiB
		r.change(t, uint16(i))
		if _, err := r.program.out.w.Write(line); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(r.path); err == nil && (last == nil || !os.SameFile(last, info)) {
			writes, last = writes+1, info
		}
	}
	if writes != 4 { // after 1, 2, 4 and 8 MiB more
		t.Errorf("the file was written %d times", writes)
	}
	if status := r.end(nil); status != 0 || r.out.Len() != 16<<20 {
		t.Errorf("status %d, %d bytes", status, r.out.Len())
	}
}

// TestHeldOutputFails: what could not be written was not said.
func TestHeldOutputFails(t *testing.T) {
	r := newHeldRun(t)
	r.change(t, 1)
	_ = r.print("line\n")
	r.say("count")
	if err := os.MkdirAll(filepath.Join(r.path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	status := r.end(nil)
	if status != exitFailure || r.out.Len() != 0 || strings.Contains(r.err.String(), "count") ||
		!strings.Contains(r.err.String(), "table file "+r.path) || !strings.Contains(r.err.String(), "lost") {
		t.Errorf("status %d, %q, %q", status, &r.out, &r.err)
	}
}

// TestHeldOutputClosed: a reader that went away ends the run quietly, and what
// was done is kept.
func TestHeldOutputClosed(t *testing.T) {
	r := newHeldRun(t)
	pr, pw := io.Pipe()
	pr.Close()
	r.held.stdout = pw
	r.change(t, 1)
	_ = r.print("line\n")
	if status := r.end(nil); status != exitFailure || r.err.Len() != 0 {
		t.Errorf("status %d, %q", status, &r.err)
	}
	if _, err := os.Stat(r.path); err != nil {
		t.Error(err)
	}
}

// TestZeroingHoldsNoLock: while the entries that -L -z has set to zero are
// written, however slowly, others can have the table.
func TestZeroingHoldsNoLock(t *testing.T) {
	const entries = 1 << 14 // whose lines are more than is held otherwise
	r := newHeldRun(t)
	for i := range entries {
		r.change(t, uint16(i))
	}
	if err := r.file.Commit(); err != nil {
		t.Fatal(err)
	}
	lines := &unlocked{t: t, path: r.path}
	r.held.stdout = lines
	request, err := parseClassic([]string{"-L", "-z"}, &r.err)
	if err == nil {
		err = r.perform(request)
	}
	if status := r.end(err); status != 0 || lines.n != entries || lines.size <= minHeld {
		t.Errorf("status %d, %d lines, %d bytes, %q", status, lines.n, lines.size, &r.err)
	}
}

// unlocked counts lines, and takes the lock of a table's file as they come.
type unlocked struct {
	t       *testing.T
	path    string
	n, size int
}

func (u *unlocked) Write(b []byte) (int, error) {
	lock := flock.New(u.path + ".lock")
	if ok, err := lock.TryLock(); !ok || err != nil {
		u.t.Errorf("after %d lines the table is locked: %v", u.n, err)
		return 0, io.ErrClosedPipe
	}
	u.n, u.size = u.n+bytes.Count(b, []byte("\n")), u.size+len(b)
	return len(b), lock.Unlock()
}

// TestFailureInLaterNamespace: what was deleted in the namespaces before is
// counted.
func TestFailureInLaterNamespace(t *testing.T) {
	r := newHeldRun(t)
	r.change(t, 1)
	r.change(t, 2)
	broken := ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return nil, ctnetlink.EPERM })
	r.spaces = []*namespace{{name: "a", table: r.table}, {name: "b", table: broken}}
	request, err := parseClassic([]string{"-D", "--all-netns", "-p", "udp"}, &r.err)
	if err == nil {
		err = r.perform(request)
	}
	if status := r.end(r.inNamespace(err)); status != exitFailure || strings.Count(r.out.String(), "\n") != 2 {
		t.Errorf("status %d, %q", status, &r.out)
	}
	said := strings.ReplaceAll(r.err.String(), compatVersion+": ", "")
	if want := "2 flow entries have been deleted.\nnetwork namespace `b': Operation failed: "; !strings.HasPrefix(said, want) {
		t.Errorf("said %q", said)
	}
}

// TestTableChoice: the option goes before the environment, a network namespace
// is the kernel's, and the empty name is the default's.
func TestTableChoice(t *testing.T) {
	byDefault, err := defaultTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env     string
		request Request
		want    tableChoice
	}{
		{"", Request{}, byDefault},
		{"env", Request{}, tableChoice{path: "env"}},
		{"env", Request{given: 1 << optTable, TableFile: "option"}, tableChoice{path: "option"}},
		{"env", Request{given: 1 << optTable}, byDefault},
		{"env", Request{given: 1 << optNetNS, NetNS: "blue"}, byDefault},
		{"env", Request{given: 1 << optAllNetNS}, byDefault},
	} {
		t.Setenv(envTable, tc.env)
		if got, err := tc.request.tableChoice(); err != nil || got != tc.want {
			t.Errorf("%s=%s, %+v: %+v, %v", envTable, tc.env, tc.request, got, err)
		}
	}
}

func TestTableFileText(t *testing.T) {
	if text := tableFileText(errors.New("other")); text != "" {
		t.Errorf("%q", text)
	}
	err := &ctnetlink.OpError{Op: "dump", Err: &tablefile.Error{Path: "t", Err: &snapshot.Error{Offset: 5, Problem: "wrong"}}}
	if text := tableFileText(err); text != "table file t: byte 5: wrong" {
		t.Errorf("%q", text)
	}
}
