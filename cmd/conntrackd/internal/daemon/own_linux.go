package daemon

import (
	"context"
	"fmt"
	"io"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
)

// own answers a request of our own. The answer begins with the client's exit status.
func (d *daemon) own(ctx context.Context, r control.Request, w io.Writer) {
	switch r {
	case control.Demote:
		d.with(func() { d.node.SetRole(node.Demoted) })
		d.log.notice("demoted: no ends of entries are told until a commit or a bulk")
		fmt.Fprintln(w, 0)
	}
}
