package kernel

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestCommitAgain: of a large commit of what the table has, only what differs is written.
func TestCommitAgain(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	const size = 2000
	var all []*ctnetlink.FlowSpec
	for i := range size {
		en := connection(i)
		en.SetMark(uint32(i), 0xffffffff)
		all = append(all, en)
	}
	fill(t, all...)
	s.until(t, "the entries", func() bool { return len(s.cache) == size })
	objects := s.objects()
	empty(t)
	s.until(t, "the end", func() bool { return len(s.cache) == 0 })
	commit(t, table, inParts(objects, 500), size)
	s.until(t, "what was committed", func() bool { return len(s.cache) == size })
	want := contents(t)

	// The last ones differ: by then it is known what the table has.
	differ := map[string]*ctnetlink.FlowSpec{}
	conn := ctnetlink.Open()
	defer conn.Close()
	for i, what := range []string{"mark", "timeout", "state", "end"} {
		var spec ctnetlink.FlowSpec
		if err := objects[size-1-i].Object.Spec(&spec); err != nil {
			t.Fatal(err)
		}
		update := &ctnetlink.FlowSpec{Orig: spec.Orig}
		differ[what] = update
		switch what {
		case "mark":
			update.SetMark(1<<20, 0xffffffff)
		case "timeout":
			update.SetTimeout(100 * time.Second)
		case "state":
			update.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 7))
		case "end":
			if err := conn.Delete(update); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := conn.Update(update); err != nil {
			t.Fatal(err)
		}
	}
	s.until(t, "the changes", func() bool { return len(s.cache) == size-1 && s.types(key(differ["state"])) != nil })
	before := table.Stats().Received
	commit(t, table, inParts(objects, 500), size)
	s.until(t, "what was ended", func() bool { return len(s.cache) == size })
	if n := table.Stats().Received - before; n < uint64(len(differ)) || n > 2*sampleSize {
		t.Errorf("%d entries were written", n)
	}
	alike(t, contents(t), want)
	if n := table.Stats().Resyncs; n != 1 {
		t.Errorf("%d dumps followed, want 1, after the first commit", n)
	}

	// A timeout of the configuration is set, also if it is less.
	table.config.CommitTimeout = 90 * time.Second
	commit(t, table, inParts(objects, 500), size)
	for _, f := range contents(t) {
		if left, _ := f.Timeout(); left > 90*time.Second {
			t.Fatalf("%v has %v left", f.Orig(), left)
		}
	}
}
