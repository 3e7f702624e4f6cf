package target

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// heldRun is a run over a table file, and its output.
type heldRun struct {
	*console.Streams
	set      *Set
	path     string
	out, err bytes.Buffer
}

func newHeldRun(t *testing.T, stdout io.Writer) *heldRun {
	t.Helper()
	r := &heldRun{path: filepath.Join(t.TempDir(), "table")}
	if stdout == nil {
		stdout = &r.out
	}
	r.Streams = console.NewStreams(nil, stdout, &r.err)
	set, err := Open(Choice{File: r.path, HasFile: true}, r.Streams)
	if err != nil {
		t.Fatal(err)
	}
	r.set = set
	return r
}

// change makes an entry.
func (r *heldRun) change(t *testing.T, port uint16) {
	t.Helper()
	const has = ctnetlink.FieldSrc | ctnetlink.FieldDst | ctnetlink.FieldProto | ctnetlink.FieldSrcPort | ctnetlink.FieldDstPort
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 10 * time.Minute,
		Orig:  ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: a, Dst: b, SrcPort: port, DstPort: 53},
		Reply: ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoUDP, Src: b, Dst: a, SrcPort: 53, DstPort: port},
	}
	en.Set = en.Set.With(ctnetlink.AttrTimeout)
	if err := r.set.Tables[0].Conn.Create(en); err != nil {
		t.Fatal(err)
	}
}

// TestHeldOutput: output about a change is written when the file has the change,
// on both streams, and no other output waits.
func TestHeldOutput(t *testing.T) {
	r := newHeldRun(t, nil)
	r.Err.Printf("before\n")
	if r.err.Len() == 0 {
		t.Error("a message waits for nothing")
	}
	r.err.Reset()
	r.change(t, 1)
	_ = r.Out.Print("line\n")
	r.Err.Printf("count\n")
	if r.out.Len()+r.err.Len() != 0 {
		t.Errorf("%q and %q were written before the change", &r.out, &r.err)
	}
	if _, err := os.Stat(r.path); err == nil {
		t.Error("the file was written for a line")
	}
	if err := r.set.Close(nil); err != nil || r.out.String() != "line\n" || r.err.String() != "count\n" {
		t.Errorf("%v, %q, %q", err, &r.out, &r.err)
	}
	if _, err := os.Stat(r.path); err != nil {
		t.Error(err)
	}
}

// TestHeldOutputIsBounded: a long run writes the file now and then, and less often
// as it goes on.
func TestHeldOutputIsBounded(t *testing.T) {
	r := newHeldRun(t, nil)
	writes, last := 0, os.FileInfo(nil)
	line := []byte(strings.Repeat("x", 1<<16))
	for i := range 16 * 16 { // 16 MiB
		r.change(t, uint16(i))
		if _, err := r.Out.Write(line); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(r.path); err == nil && (last == nil || !os.SameFile(last, info)) {
			writes, last = writes+1, info
		}
	}
	if writes != 4 { // after 1, 2, 4 and 8 MiB more
		t.Errorf("the file was written %d times", writes)
	}
	if err := r.Out.Flush(); err != nil {
		t.Error(err)
	}
	if err := r.set.Close(nil); err != nil || r.out.Len() != 16<<20 {
		t.Errorf("%v, %d bytes", err, r.out.Len())
	}
}

// TestHeldOutputFails: output about changes that could not be written is dropped.
func TestHeldOutputFails(t *testing.T) {
	r := newHeldRun(t, nil)
	r.change(t, 1)
	_ = r.Out.Print("line\n")
	r.Err.Printf("count\n")
	if err := os.MkdirAll(filepath.Join(r.path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := r.set.Close(nil)
	if err == nil || r.out.Len()+r.err.Len() != 0 || !strings.Contains(err.Error(), "table file "+r.path) ||
		!strings.Contains(err.Error(), "lost") {
		t.Errorf("%v, %q, %q", err, &r.out, &r.err)
	}
}

// TestHeldOutputClosed: a reader that went away ends the run quietly, and the
// changes are kept.
func TestHeldOutputClosed(t *testing.T) {
	pr, pw := io.Pipe()
	pr.Close()
	r := newHeldRun(t, pw)
	r.change(t, 1)
	_ = r.Out.Print("line\n")
	if err := r.set.Close(nil); !errors.Is(err, console.ErrQuiet) || r.err.Len() != 0 {
		t.Errorf("%v, %q", err, &r.err)
	}
	if _, err := os.Stat(r.path); err != nil {
		t.Error(err)
	}
}

// TestChoice: the option goes before the environment, a network namespace
// is the kernel's, and the empty name is the default's.
func TestChoice(t *testing.T) {
	t.Setenv(FileVariable, "")
	byDefault, _, err := new(Choice).file()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env    string
		choice Choice
		want   string
	}{
		{"", Choice{}, byDefault},
		{"env", Choice{}, "env"},
		{"env", Choice{HasFile: true, File: "option"}, "option"},
		{"env", Choice{HasNetNS: true, NetNS: "blue"}, byDefault},
		{"env", Choice{AllNetNS: true}, byDefault},
	} {
		t.Setenv(FileVariable, tc.env)
		if got, _, err := tc.choice.file(); err != nil || got != tc.want {
			t.Errorf("%s=%s, %+v: %q, %v", FileVariable, tc.env, tc.choice, got, err)
		}
	}
}

func TestFileErrorText(t *testing.T) {
	if text := FileErrorText(errors.New("other")); text != "" {
		t.Errorf("%q", text)
	}
	err := &ctnetlink.OpError{
		Op:  "dump",
		Err: &tablefile.Error{Path: "t", Err: &snapshot.Error{Offset: 5, Problem: "wrong"}},
	}
	if text := FileErrorText(err); text != "table file t: byte 5: wrong" {
		t.Errorf("%q", text)
	}
}
