package daemon

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/words"
)

// status returns the figures of this node at this moment.
func (d *daemon) status() *show.Status {
	k := d.table.Stats()
	host, _ := os.Hostname()
	s := &show.Status{
		Version: words.Number, Host: host, Started: d.begun, Mode: d.config.Mode, Role: "unknown", Table: tableCount(),
		Events: k.Received, Filtered: k.Filtered, Overruns: k.Overruns, Resync: k.Overruns > d.repaired.Load(),
	}
	if d.links != nil {
		for _, l := range d.links.Stats() {
			s.Links = append(s.Links, show.Link(l))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Now = time.Now()
	if d.stats != nil {
		s.Internal = counters(d.stats.cache)
		return s
	}
	if !d.config.DisableInternalCache {
		s.Internal = counters(d.node.Internal)
	}
	if !d.config.DisableExternalCache {
		s.External = counters(d.node.External)
	}
	if d.config.Expect {
		s.InternalExpect, s.ExternalExpect = counters(d.node.InternalExpect), counters(d.node.ExternalExpect)
	}
	role, since := d.node.Role()
	s.Role, s.Since = role.String(), since
	n := d.node.Stats()
	s.Malformed, s.Lost, s.Before = n.Malformed, n.Lost, n.Before
	for _, q := range n.Queues {
		switch q.Name {
		case "txqueue":
			s.Waiting = q.Len
		case "rsqueue":
			s.Unacked = q.Len
		}
	}
	s.Held, s.Bulk = d.node.Held(), d.node.Sending()
	s.Committed, s.Took, s.New, s.Failed = d.last.at, d.last.took, d.last.New, d.last.Failed
	ready, why := d.node.Ready()
	s.Ready = show.Readiness(ready)
	if why != "" {
		s.Reasons = []string{why}
	}
	for _, p := range d.node.Peers() {
		has := -1
		if p.Ours {
			has = p.Active
		}
		s.Peers = append(s.Peers, show.Peer{
			Name: p.Name, Address: p.Sender.Addr.String(), Ours: p.Ours, Role: p.Role, Heard: p.Seen, Away: p.Away,
			Lag: p.Lag, Unacked: p.Unacked, Entries: p.Entries, Has: has, LastBulk: p.LastBulk,
			Generation: p.Generation, Lost: p.Lost,
		})
	}
	return s
}

// tableCount returns how many entries the kernel's table has, -1 if that cannot be read.
func tableCount() int {
	b, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return -1
	}
	return n
}

// counters returns a copy of a cache's counters.
func counters(c *cache.Cache) *cache.Stats {
	s := c.Stats
	return &s
}
