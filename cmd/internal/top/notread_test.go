package top

import (
	"fmt"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestNotRead: a table that cannot be read has the sentence that conntrack -L has for
// it.
func TestNotRead(t *testing.T) {
	r := &cmdline.Request{Command: cmdline.CmdList}
	set := &target.Set{Tables: []*target.Table{{Name: "red"}, {Name: "green"}}, Several: true}
	denied := &ctnetlink.OpError{Op: "dump", Err: ctnetlink.EPERM}
	const sentence = "Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this"
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "<nil>"},
		{denied, sentence},
		{&live.SourceError{Source: 1, Name: "green", Err: denied}, "network namespace `green': " + sentence},
	} {
		if got := fmt.Sprint(notRead(r, set, c.err)); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
