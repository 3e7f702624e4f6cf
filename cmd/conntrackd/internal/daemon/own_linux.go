package daemon

import (
	"context"
	"fmt"
	"io"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
)

// own answers a request of our own. The answer begins with the client's exit status.
func (d *daemon) own(ctx context.Context, r control.Request, w io.Writer) {
	switch r {
	case control.Status, control.StatusJSON, control.StatusProm:
		d.showStatus(r, w)
	case control.Demote:
		d.with(func() { d.node.SetRole(node.Demoted) })
		d.log.notice("demoted: no ends of entries are told until a commit or a bulk")
		fmt.Fprintln(w, 0)
	}
}

// showStatus writes the status. How ready this node is to take over is the client's exit
// status.
func (d *daemon) showStatus(r control.Request, w io.Writer) {
	s := d.status()
	ready, _, _ := s.Judge()
	b := fmt.Appendln(nil, int(ready))
	switch r {
	case control.StatusJSON:
		b = show.AppendStatusJSON(b, s)
	case control.StatusProm:
		b = show.AppendStatusProm(b, s)
	default:
		b = show.AppendStatus(b, s)
	}
	w.Write(b)
}
