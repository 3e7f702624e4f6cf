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
	case control.Diff:
		d.diff(ctx, w)
	case control.Demote:
		d.demote(w)
	}
}

// demote holds back the ends of entries until the node has a role again: its addresses
// are about to go, upon which the kernel removes entries that live on elsewhere.
func (d *daemon) demote(w io.Writer) {
	if d.node == nil {
		fmt.Fprintf(w, "1\n%s\n", noPeers)
		return
	}
	d.log.notice("demoted: ends of entries are held back")
	d.with(func() { d.node.SetRole(node.Demoted) })
	fmt.Fprintln(w, 0)
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
