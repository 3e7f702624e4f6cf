package action

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// meddling is a socket that calls before each time a datagram is sent that does
// not ask for a dump.
type meddling struct {
	ctnetlink.Socket
	before func()
}

func (s *meddling) Send(b []byte) error {
	const dump = 0x300 // NLM_F_DUMP
	if binary.NativeEndian.Uint16(b[6:])&dump != dump {
		s.before()
	}
	return s.Socket.Send(b)
}

// changedMeanwhile runs a line on a table of entries, and meddles with the table
// when the first entries have been listed and nothing has been asked yet. It
// returns what was printed, and the table.
func changedMeanwhile(t *testing.T, line string, entries int, meddle func(c *ctnetlink.Conn)) (string, []*ctnetlink.Flow) {
	t.Helper()
	table := engine.New(engine.Options{})
	direct := ctnetlink.NewConn(table.Dial)
	defer direct.Close()
	for i := range entries {
		makeEntry(t, direct, uint16(i))
	}
	done := false
	conn := ctnetlink.NewConn(func() (ctnetlink.Socket, error) {
		s, err := table.Dial()
		return &meddling{s, func() {
			if !done {
				done = true
				meddle(direct)
			}
		}}, err
	})
	defer conn.Close()
	var stdout, stderr bytes.Buffer
	r, err := cmdline.ParseClassic(strings.Fields(line), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &Env{Streams: console.NewStreams(nil, &stdout, &stderr), Report: &printing{}, PassedOver: new(int),
		Tables: []*target.Table{{Conn: conn}}}
	if err := perform(e, r); err != nil && !strings.Contains(stderr.String(), " 0 flow entries") {
		t.Fatalf("%s: %v", line, err)
	}
	if err := e.Out.Flush(); err != nil || !done {
		t.Fatal(err, done)
	}
	after, err := direct.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := fmt.Sprintf(" %d flow entries", strings.Count(stdout.String(), "\n")); !strings.Contains(stderr.String(), n) {
		t.Errorf("%s: printed %d lines, but %q", line, strings.Count(stdout.String(), "\n"), &stderr)
	}
	return stdout.String(), after
}

// TestChangedMeanwhile: an entry that was listed and then no longer matches, or
// was replaced by another with the same tuple, is neither deleted nor changed.
func TestChangedMeanwhile(t *testing.T) {
	const entries = rereadSize // all are listed before the first is read again
	mark := func(c *ctnetlink.Conn) {
		for i := range entries {
			en := ctnetlink.FlowSpec{Orig: entryTuple(uint16(i))}
			en.SetMark(2, 0xffffffff)
			if err := c.Update(&en); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(c *ctnetlink.Conn) {
		for i := range entries {
			if err := c.Delete(&ctnetlink.FlowSpec{Orig: entryTuple(uint16(i))}); err != nil {
				t.Fatal(err)
			}
			makeEntry(t, c, uint16(i))
		}
		mark(c)
	}
	for _, line := range []string{"-D -m 0", "-U -s 10.0.0.1 -m 7"} {
		for what, meddle := range map[string]func(*ctnetlink.Conn){"marked": mark, "replaced": replace} {
			if what == "marked" && strings.HasPrefix(line, "-U") {
				continue // it matches still
			}
			out, after := changedMeanwhile(t, line, entries, meddle)
			if out != "" || len(after) != entries {
				t.Errorf("%s, %s: %d entries are left, printed %.200q", line, what, len(after), out)
			}
			for _, f := range after {
				if mark, _ := f.Mark(); mark != 2 {
					t.Fatalf("%s, %s: an entry has mark %d", line, what, mark)
				}
			}
		}
	}
}

// TestVanishedMeanwhile: entries that are gone are passed over, and the others
// changed; what is printed is how they were listed.
func TestVanishedMeanwhile(t *testing.T) {
	const entries, gone = 2000, 50
	vanish := func(c *ctnetlink.Conn) {
		for i := range gone {
			err := c.Delete(&ctnetlink.FlowSpec{Orig: entryTuple(uint16(i * (entries / gone)))})
			if err != nil && !errors.Is(err, ctnetlink.ENOENT) {
				t.Fatal(err)
			}
		}
	}
	for _, line := range []string{"-D -m 0", "-U -s 10.0.0.1 -m 7"} {
		out, after := changedMeanwhile(t, line, entries, vanish)
		lines := strings.Count(out, "\n")
		use := map[bool]string{true: " use=1\n", false: " use=2\n"}[strings.HasPrefix(line, "-D")]
		if strings.Count(out, use) != lines || lines < entries-gone || lines > entries {
			t.Errorf("%s: %d lines, of those %d with%q", line, lines, strings.Count(out, use), use)
		}
		if strings.HasPrefix(line, "-D") && len(after) != 0 {
			t.Errorf("%s: %d entries are left", line, len(after))
		}
	}
}
