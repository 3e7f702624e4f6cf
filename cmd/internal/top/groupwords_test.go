package top

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestGroupWords: the command line for the entries of a group selects these and no
// others. Groups whose values no option names have none.
func TestGroupWords(t *testing.T) {
	table := newTestTable(t)
	fillVaried(table)
	for i := range 5 { // with marks
		table.make(doingTuple(i))
		table.run(t, "-U", "-p", "udp", "--sport", decimal(uint64(1000+i)), "-m", decimal(uint64(i)))
	}
	list, err := table.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	copied := live.New([]live.Source{{Conn: table.Beside(), Now: time.Now}}, live.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = copied.Run(ctx) })
	defer running.Wait()
	defer cancel()
	if !testwait.For(10*time.Second, func() bool { return copied.Status().Entries == len(list) }) {
		t.Fatal("the table is not read")
	}
	for by, least := range map[string]int{
		"src": 2, "dst/24/64": 2, "src,dst": 2, "proto": 6, "proto,sport": 6, "proto,dport,zone": 3, "mark": 5, "zone": 1,
		"reply_src": 2, "reply_dst/8": 2, "id": 50, "status": 0, "age": 0,
	} {
		keys, err := cmdline.ParseKeys(by)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := copied.Groups(ctx, &live.GroupQuery{Keys: keys, Sort: "entries", Limit: 1000})
		if err != nil {
			t.Fatal(by, err)
		}
		named := 0
		for _, g := range groups.Groups {
			group, ok := groupWords(&g.ID)
			if !ok {
				continue
			}
			words, ok := (&change{}).filterWords(nil, nil, group)
			if !ok {
				continue
			}
			named++
			m, err := selects(cmdline.CmdDelete, group, nil)
			if err != nil {
				t.Errorf("%s: %q: %v", by, words, err)
				continue
			}
			n := 0
			for _, f := range list {
				if m.Match(f) {
					n++
				}
			}
			if n != int(g.Entries) {
				t.Errorf("%s: %q selects %d entries, the group has %d", by, words, n, g.Entries)
			}
		}
		if named < least {
			t.Errorf("%s: %d of %d groups have a command line, want %d", by, named, len(groups.Groups), least)
		}
	}
}
