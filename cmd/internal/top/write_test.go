package top

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// writes types the name of a file to write what is shown to, and returns its contents.
func (d *doing) writes(path, said string) string {
	d.Helper()
	d.message = ""
	d.do("w", d.shows(0))
	for _, r := range path {
		d.answer(string(r))
	}
	d.answer("enter")
	if _, ok := d.over.(*replaceQuestion); ok {
		d.answer("y")
	}
	d.says(said)
	text, err := os.ReadFile(path)
	if err != nil {
		d.Fatal(err)
	}
	return string(text)
}

// TestWrite: all entries that match are written in their order, in the form that the
// ending of the name says.
func TestWrite(t *testing.T) {
	d := newDoing(t, 100, false)
	dir := t.TempDir()
	var list []struct {
		Orig struct{ Sport int }
	}
	if err := json.Unmarshal([]byte(d.writes(filepath.Join(dir, "a.json"), "100 entries were written")), &list); err != nil || len(list) != 100 {
		t.Fatal(len(list), err)
	}
	for i := range list {
		if list[i].Orig.Sport != 1000+i {
			t.Fatalf("entry %d has port %d", i, list[i].Orig.Sport)
		}
	}
	for name, lines := range map[string]int{"a.jsonl": 100, "a.csv": 101, "a.txt": 101} {
		if got := strings.Count(d.writes(filepath.Join(dir, name), "100 entries were written"), "\n"); got != lines {
			t.Errorf("%s has %d lines, want %d", name, got, lines)
		}
	}
	if err := d.setFilter("-p udp --sport 1000-1009"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.nl")
	d.writes(path, "10 entries were written")
	set, err := target.Open(target.Choice{File: path, HasFile: true}, console.Discard())
	if err != nil {
		t.Fatal(err)
	}
	written, err := set.Tables[0].Conn.DumpAll(nil)
	if err != nil || len(written) != 10 {
		t.Fatal(len(written), err)
	}
	for _, f := range written {
		if use, _ := f.Use(); use != 1 {
			t.Errorf("use %d", use)
		}
	}
	_ = set.Close(nil)

	// A file is replaced after a question only, and what cannot be written leaves it.
	d.message = ""
	d.do("w", d.shows(0))
	for _, r := range filepath.Join(dir, "a.csv") {
		d.answer(string(r))
	}
	d.answer("enter")
	before, _ := os.ReadFile(filepath.Join(dir, "a.csv"))
	if got := d.lines(78, 10); !strings.Contains(got, "Replace it?") {
		t.Error(got)
	}
	d.answer("enter")
	d.says("Nothing was written.")
	if after, _ := os.ReadFile(filepath.Join(dir, "a.csv")); string(after) != string(before) {
		t.Error("it was written")
	}
	for path, wrong := range map[string]string{"x": "ending", "x.xml": "ending", dir: "ending"} {
		d.do("w", d.shows(0))
		for _, r := range path {
			d.answer(string(r))
		}
		d.answer("enter")
		if p, ok := d.over.(*prompt); !ok || !strings.Contains(p.wrong, wrong) {
			t.Errorf("%s: %T", path, d.over)
		}
		d.answer("esc")
	}
	d.message = ""
	d.do("w", d.shows(0))
	for _, r := range filepath.Join(dir, "none", "a.csv") {
		d.answer(string(r))
	}
	d.answer("enter")
	d.says("cannot write")
}

// TestTableFile: what is deleted in a table file is in the file when it is said.
func TestTableFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.nl")
	table := newTestTable(t)
	for i := range 10 {
		table.make(doingTuple(i))
	}
	r, err := cmdline.ParseClassic([]string{"-L"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := action.WriteTable(path, r, table.target()); err != nil {
		t.Fatal(err)
	}
	open := func() *target.Set {
		set, err := target.Open(target.Choice{File: path, HasFile: true}, console.Discard())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = set.Close(nil) })
		return set
	}
	followed, changed := open(), open()
	copied := live.New([]live.Source{{Conn: followed.Tables[0].Conn, Now: followed.Tables[0].Now}}, live.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = copied.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	if !testwait.For(10*time.Second, func() bool { s := copied.Status(); return !s.Reading && s.Entries == 10 }) {
		t.Fatal("the file is not read")
	}
	d := &doing{newTypist(t, copied, followed.Tables, false), table, copied}
	d.actor.tables = changed.Tables
	if err := d.setFilter("-p udp --sport 1000-1003"); err != nil {
		t.Fatal(err)
	}
	d.do("D", d.shows(0))
	d.asks()
	d.answer("y")
	d.says("Deleted 4 entries")
	after, err := open().Tables[0].Conn.DumpAll(nil)
	if err != nil || len(after) != 6 {
		t.Errorf("%d entries are in the file, %v", len(after), err)
	}
	d.until("the copy", func() bool { return copied.Status().Entries == 6 })
}
