package daemon

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/printable"
)

const (
	// diffLimit is how many differences of each table are listed.
	diffLimit = 100
	// diffTime is how long a comparison may take.
	diffTime = 5 * time.Minute
)

// noPeers is the answer to what is about peers, where there are none.
const noPeers = "the statistics mode has no peers"

// The exit status of --diff.
const (
	diffEqual   = 0
	diffDiffers = 1
	diffUnknown = 2 // something could not be compared, and nothing differs
)

// diff compares the kernel's table with the internal cache, and the tables of this node
// and of its peers with what each has of the other (--diff).
func (d *daemon) diff(ctx context.Context, w io.Writer) {
	if d.node == nil {
		fmt.Fprintf(w, "%d\n%s\n", diffUnknown, noPeers)
		return
	}
	defer d.jobs.begin("any")()
	ctx, cancel := context.WithTimeout(ctx, diffTime)
	defer cancel()
	d.Lock()
	peers := d.node.Compare(diffLimit)
	d.Unlock()
	own := d.diffOwn(ctx)
	select {
	case <-peers.Done:
	case <-ctx.Done():
		fmt.Fprintf(w, "%d\nthe comparison took too long\n", diffUnknown)
		return
	}
	var b []byte
	status := diffEqual
	add := func(table string, diff *node.Difference) {
		b = appendDiff(b, table, diff)
		switch {
		case len(diff.Missing)+len(diff.Stale)+len(diff.Changed) > 0:
			status = diffDiffers
		case diff.Error != "" && status == diffEqual:
			status = diffUnknown
		}
	}
	for i := range own {
		add("the kernel's "+tableName(&own[i])+" in the internal cache", &own[i])
	}
	if len(peers.Differences) == 0 {
		b = append(b, "no peer was heard\n"...)
		status = max(status, diffDiffers)
	}
	for i := range peers.Differences {
		p := &peers.Differences[i]
		table := "this node's " + tableName(p) + " at " + p.Peer
		if p.Here {
			table = "the " + tableName(p) + " of " + p.Peer + " at this node"
		}
		add(table, p)
	}
	fmt.Fprintf(w, "%d\n%s", status, b)
}

// diffOwn compares the kernel's table with the internal cache, and the expectations if
// they are kept alike.
func (d *daemon) diffOwn(ctx context.Context) []node.Difference {
	if d.config.DisableInternalCache {
		return []node.Difference{{Error: "there is no internal cache"}}
	}
	list := []node.Difference{d.diffKernel(ctx, false)}
	if d.config.Expect {
		list = append(list, d.diffKernel(ctx, true))
	}
	return list
}

// tableName returns of what a difference is.
func tableName(d *node.Difference) string {
	if d.Expect {
		return "expectations"
	}
	return "table"
}

// appendDiff appends what there is to say of one comparison.
func appendDiff(b []byte, table string, d *node.Difference) []byte {
	table = printable.String(table)
	if d.Error != "" {
		return fmt.Appendf(b, "%s: not compared: %s\n", table, printable.String(d.Error))
	}
	if len(d.Missing)+len(d.Stale)+len(d.Changed) == 0 {
		return fmt.Appendf(b, "%s: equal, %d entries\n", table, d.Entries)
	}
	more := ""
	if d.More {
		more = ", and more"
	}
	b = fmt.Appendf(b, "%s: of %d entries %d missing, %d stale, %d changed%s\n",
		table, d.Entries, len(d.Missing), len(d.Stale), len(d.Changed), more)
	for _, list := range []struct {
		name    string
		objects []wire.Object
	}{{"missing", d.Missing}, {"stale", d.Stale}, {"changed", d.Changed}} {
		for _, o := range list.objects {
			b = fmt.Appendf(b, "  %s  %s\n", list.name, entryText(o))
		}
	}
	return b
}

// entryText returns the line of an object without its newline and its age.
func entryText(o wire.Object) string {
	line := show.AppendLine(nil, &show.Entry{Object: o}, time.Now(), false)
	text, _, _ := strings.Cut(string(line), " [active since ")
	return strings.TrimSuffix(text, "\n")
}
