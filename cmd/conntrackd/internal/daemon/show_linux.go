package daemon

import (
	"io"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// show answers a request for statistics. It reports whether r is one. What a mode does
// not have is answered by nothing.
func (d *daemon) show(r control.Request, w io.Writer) bool {
	var b []byte
	switch r {
	case control.Stats, control.StatsCT:
		b = show.AppendGeneral(nil, d.general(false))
	case control.StatsCache:
		caches := d.caches(false)
		b = show.AppendCaches(nil, &caches)
	case control.StatsRuntime:
		b = show.AppendRuntime(nil, d.runtime())
	case control.StatsProcess:
		b = d.jobs.append(nil)
	case control.StatsExpect:
		if d.node != nil && d.config.Expect {
			b = show.AppendGeneral(nil, d.general(true))
		}
	case control.StatsNetwork:
		if d.node != nil {
			b = show.AppendNetwork(nil, d.network())
		}
	case control.StatsLink:
		if d.node != nil {
			b = show.AppendLinks(nil, d.showLinks())
		}
	case control.StatsQueue:
		if d.node != nil {
			b = d.appendQueues(nil)
		}
	case control.StatsResend:
		if d.node != nil && d.config.Mode == config.FTFW {
			b = show.AppendResends(nil, d.resends())
		}
	default:
		return false
	}
	w.Write(b)
	return true
}

// nodeStats returns the counters of the node.
func (d *daemon) nodeStats() node.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.node.Stats()
}

func (d *daemon) general(expect bool) *show.General {
	t := d.table.Stats()
	g := &show.General{Caches: d.caches(expect), Bytes: t.Bytes, Packets: t.Packets}
	if d.node != nil {
		n := d.nodeStats()
		g.Malformed, g.Lost, g.Link = n.Malformed, n.Lost, active(d.showLinks())
	}
	return g
}

// caches returns copies of the counters of the caches.
func (d *daemon) caches(expect bool) show.Caches {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stats != nil {
		s := d.stats.cache.Stats
		return show.Caches{Stats: &s}
	}
	internal, external := d.node.Internal.Stats, d.node.External.Stats
	if expect {
		internal, external = d.node.InternalExpect.Stats, d.node.ExternalExpect.Stats
	}
	c := show.Caches{Internal: &internal, External: &external}
	if d.config.DisableInternalCache {
		n := d.node.Stats()
		c.Internal, c.Bypass = nil, &show.Bypass{
			New: n.BypassNew, Updated: n.BypassUpdated, Destroyed: n.BypassDestroyed,
		}
	}
	if d.config.DisableExternalCache {
		i := show.Inject(d.table.Injected(expect))
		c.External, c.Inject = nil, &i
	}
	return c
}

func (d *daemon) runtime() *show.Runtime {
	t := d.table.Stats()
	return &show.Runtime{
		Uptime:   time.Since(d.begun),
		Received: t.Received, Filtered: t.Filtered, UnknownType: t.UnknownType, EventFailed: t.EventFailed,
		DumpUnknown: t.DumpUnknown, Overruns: t.Overruns, Flushes: t.Flushes, Resyncs: t.Resyncs,
		Buffer: t.Buffer,
	}
}

func (d *daemon) network() *show.Network {
	n := d.nodeStats()
	return &show.Network{
		Malformed: n.Malformed, WrongVersion: n.WrongVersion, BadHeader: n.BadHeader, BadPayload: n.BadPayload,
		BadType: n.BadType, Truncated: n.Truncated, BadSize: n.BadSize, SendMalformed: n.SendMalformed,
		Lost: n.Lost, Before: n.Before, Link: active(d.showLinks()),
	}
}

// showLinks returns the links with their counters.
func (d *daemon) showLinks() []show.Link {
	stats := d.links.Stats()
	links := make([]show.Link, len(stats))
	for i := range stats {
		links[i] = show.Link(stats[i])
	}
	return links
}

// active returns the link that is sent on.
func active(links []show.Link) *show.Link {
	for i := range links {
		if links[i].Active {
			return &links[i]
		}
	}
	return nil
}

func (d *daemon) appendQueues(b []byte) []byte {
	n := d.nodeStats()
	var queues []show.Queue
	for _, q := range n.Queues {
		if q.Name == "txqueue" {
			q.Max = 0 // it is as long as the cache, whose limit is shown there
		}
		queues = append(queues, show.Queue(q))
		if q.Name == "txqueue" {
			e := show.Queue{Name: "errorq", Max: d.config.ErrorQueueLength}
			for _, l := range d.links.Stats() {
				e.Len += l.ErrorQueue
			}
			queues = append(queues, e)
		}
	}
	return show.AppendQueues(b, n.QueueNodes, queues)
}

// resends returns what was sent and is not acknowledged.
func (d *daemon) resends() (list []show.Resend) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.node.ResendQueue(func(control bool, seq uint32, flags wire.Flags) {
		list = append(list, show.Resend{Control: control, Seq: seq, Flags: uint8(flags)})
	})
	return list
}
