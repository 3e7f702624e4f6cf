package kernel

import (
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestHushed: a large commit is known afterwards, silently, most of it without events; what
// others have made, changed and ended meanwhile is told.
func TestHushed(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	var committed []*ctnetlink.FlowSpec
	for i := range minHushed + 200 {
		committed = append(committed, connection(i))
	}
	fill(t, committed...)
	s.until(t, "the entries", func() bool { return len(s.cache) == len(committed) })
	objects := s.objects()
	empty(t)
	s.until(t, "the end", func() bool { return len(s.cache) == 0 })
	changed, same, ended, made := connection(1<<16), connection(1<<16+1), connection(1<<16+2), connection(1<<16+3)
	fill(t, changed, same, ended)
	s.until(t, "the others", func() bool { return len(s.cache) == 3 })
	s.Lock()
	s.told = nil
	s.Unlock()

	conn := ctnetlink.Open()
	defer conn.Close()
	c := inParts(objects, 500)
	next, calls := c.Next, 0
	c.Next = func(dst []Entry) []Entry {
		if calls++; calls == 3 {
			fill(t, made)
			change := ctnetlink.FlowSpec{Orig: changed.Orig}
			change.SetMark(5, 0xffffffff)
			if err := conn.Update(&change); err != nil {
				t.Error(err)
			}
			if err := conn.Delete(&ctnetlink.FlowSpec{Orig: ended.Orig}); err != nil {
				t.Error(err)
			}
		}
		return next(dst)
	}
	commit(t, table, c, len(objects))
	s.until(t, "all that is there", func() bool { return len(s.cache) == len(objects)+3 })
	s.Lock()
	defer s.Unlock()
	events := 0
	for _, spec := range committed {
		got := s.types(key(spec))
		if len(got) > 0 && got[0] == "-new" {
			events++
			got = got[1:]
		}
		if !slices.Equal(got, []string{"-update"}) {
			t.Fatalf("a committed entry: told %q", got)
		}
	}
	if events > minWritten+200 {
		t.Errorf("%d events of %d entries that were committed", events, len(committed))
	}
	for _, x := range []struct {
		spec *ctnetlink.FlowSpec
		want string
	}{{changed, "update"}, {same, "-update"}, {ended, "delete"}, {made, "update"}} {
		if got := s.types(key(x.spec)); !slices.Equal(got, []string{x.want}) {
			t.Errorf("%v: told %q, want %q", x.spec.Orig, got, x.want)
		}
	}
}
