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

// entryTuple returns the original tuple of an entry that makeEntry makes.
func entryTuple(port uint16) ctnetlink.Tuple {
	return ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoUDP,
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: port, DstPort: 53,
	}
}

// makeEntry makes an entry.
func makeEntry(t *testing.T, c *ctnetlink.Conn, port uint16) {
	t.Helper()
	orig := entryTuple(port)
	reply := orig
	reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = orig.Dst, orig.Src, orig.DstPort, orig.SrcPort
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 10 * time.Minute, Orig: orig, Reply: reply}
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
	r, err := cmdline.ParseClassic([]string{"-L", "-z", "--table", path}, console.NewMessages(&stderr))
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

// severalTables returns the environment of three network namespaces, of which the
// second refuses everything, and what is written there.
func severalTables(t *testing.T) (e *Env, stdout, stderr *bytes.Buffer) {
	t.Helper()
	tables := []*target.Table{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for i, table := range tables {
		table.Conn = ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
		makeEntry(t, table.Conn, 1)
		if i == 1 {
			table.Conn = ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return nil, ctnetlink.EPERM })
		}
	}
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return &Env{Streams: console.NewStreams(nil, stdout, stderr), Several: true, Report: &printing{},
		Tables: tables, PassedOver: new(int)}, stdout, stderr
}

// TestNamespaceThatRefuses: the namespaces after it are shown and changed too, and
// the refusal is reported once, with the name.
func TestNamespaceThatRefuses(t *testing.T) {
	for _, test := range []struct {
		line  string
		shown int // lines of output
		count string
	}{
		{"-L", 2, "2 flow entries have been shown."},
		{"-L --sort src", 2, "2 flow entries have been shown."},
		{"-L --by src", 2, "2 flow entries in 1 groups."},
		{"-L expect", 0, "0 expectations have been shown."},
		{"-D", 2, "2 flow entries have been deleted."},
		{"-D -p udp", 2, "2 flow entries have been deleted."},
		{"-D --dry-run -p udp", 2, "2 flow entries would have been deleted."},
		{"-U -p udp -m 1", 2, "2 flow entries have been updated."},
		{"-G -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 53", 2, "2 flow entries have been shown."},
		{"-F", 0, "connection tracking table of network namespace `c' has been emptied."},
		{"-C", 3, ""}, // /proc shows the number in the current namespace
		{"-C expect", 2, ""},
	} {
		e, stdout, stderr := severalTables(t)
		r, err := cmdline.ParseClassic(append(strings.Fields(test.line), "--all-netns"), console.NewMessages(stderr))
		if err != nil {
			t.Fatal(test.line, err)
		}
		if err := perform(e, r); err != nil || *e.PassedOver != 1 {
			t.Errorf("%s: %v, passed over %d", test.line, err, *e.PassedOver)
		}
		if err := e.Out.Flush(); err != nil || strings.Count(stdout.String(), "\n") != test.shown {
			t.Errorf("%s: %v, shown %q", test.line, err, stdout)
		}
		refusal := cmdline.CompatVersion + ": network namespace `b': Operation failed: "
		if strings.Count(stderr.String(), refusal) != 1 || strings.Count(stderr.String(), "`b'") != 1 ||
			!strings.Contains(stderr.String(), test.count) {
			t.Errorf("%s: reported %q", test.line, stderr)
		}
	}
}

// TestNamespaceWithoutEvents: events need every namespace, and the one that
// refuses is named once.
func TestNamespaceWithoutEvents(t *testing.T) {
	e, _, stderr := severalTables(t)
	r, err := cmdline.ParseClassic([]string{"-E", "--all-netns"}, console.NewMessages(stderr))
	if err != nil {
		t.Fatal(err)
	}
	err = perform(e, r)
	if err == nil || !strings.HasPrefix(err.Error(), "network namespace `b': ") ||
		strings.Count(err.Error(), "namespace") != 1 {
		t.Errorf("error %v", err)
	}
}
