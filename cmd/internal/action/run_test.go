package action

import (
	"bytes"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// makeEntry makes an entry.
func makeEntry(t *testing.T, c *ctnetlink.Conn, port uint16) {
	t.Helper()
	const has = ctnetlink.FieldSrc | ctnetlink.FieldDst | ctnetlink.FieldProto | ctnetlink.FieldSrcPort | ctnetlink.FieldDstPort
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 10 * time.Minute,
		Orig:  ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: a, Dst: b, SrcPort: port, DstPort: 53},
		Reply: ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: b, Dst: a, SrcPort: 53, DstPort: port},
	}
	en.Set = en.Set.With(ctnetlink.AttrTimeout)
	if err := c.Create(en); err != nil {
		t.Fatal(err)
	}
}

// TestZeroingHoldsNoLock: while the entries that -L -z has set to zero are
// written, however slowly, others can have the table.
func TestZeroingHoldsNoLock(t *testing.T) {
	const entries = 1 << 14 // whose lines are more than is held otherwise
	path := filepath.Join(t.TempDir(), "table")
	file, err := tablefile.Open(path, tablefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := ctnetlink.NewConn(file.Dial)
	for i := range entries {
		makeEntry(t, table, uint16(i))
	}
	table.Close()
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	lines := &unlocked{t: t, path: path}
	var stderr bytes.Buffer
	r, err := cmdline.ParseClassic([]string{"-L", "-z", "--table", path}, &stderr)
	if err == nil {
		err = Run(console.NewStreams(nil, lines, &stderr), r)
	}
	if err != nil || lines.n != entries || lines.size <= 1<<20 {
		t.Errorf("%v, %d lines, %d bytes, %q", err, lines.n, lines.size, &stderr)
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
	table := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
	makeEntry(t, table, 1)
	makeEntry(t, table, 2)
	broken := ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return nil, ctnetlink.EPERM })
	var stdout, stderr bytes.Buffer
	e := &Env{Streams: console.NewStreams(nil, &stdout, &stderr), Several: true, Report: &printing{},
		Tables: []*target.Table{{Name: "a", Conn: table}, {Name: "b", Conn: broken}}}
	r, err := cmdline.ParseClassic([]string{"-D", "--all-netns", "-p", "udp"}, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	err = perform(e, r)
	if stdout := stdout.String(); err == nil || strings.Count(stdout, "\n") != 2 {
		t.Errorf("%v, %q", err, stdout)
	}
	if want := cmdline.CompatVersion + ": 2 flow entries have been deleted.\n"; stderr.String() != want {
		t.Errorf("reported %q", &stderr)
	}
	if want := "network namespace `b': Operation failed: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// TestNamespaceInErrors: a failure in one of several namespaces names it once.
func TestNamespaceInErrors(t *testing.T) {
	broken := ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return nil, ctnetlink.EPERM })
	for _, line := range []string{"-L", "-L expect", "-D", "-C", "-S", "-L --by src", "-E", "-G -p 99 -s 1.1.1.1 -d 2.2.2.2"} {
		var stdout, stderr bytes.Buffer
		table := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
		e := &Env{Streams: console.NewStreams(nil, &stdout, &stderr), Several: true, Report: &printing{},
			Tables: []*target.Table{{Name: "a", Conn: table}, {Name: "b", Conn: broken}}}
		r, err := cmdline.ParseClassic(append(strings.Fields(line), "--all-netns"), &stderr)
		if err != nil {
			t.Fatal(line, err)
		}
		err = perform(e, r)
		if err == nil || !strings.HasPrefix(err.Error(), "network namespace `b': ") ||
			strings.Count(err.Error(), "namespace") != 1 {
			t.Errorf("%s: %v", line, err)
		}
	}
}
