package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/e2e/pair"
)

func nat(a [4]byte) ctnetlink.NAT {
	addr := netip.AddrFrom4(a)
	return ctnetlink.NAT{MinAddr: addr, MaxAddr: addr}
}

const (
	// quiet is after how long without progress a daemon has done what it will do.
	quiet = 5 * time.Second
	// rest is how long a daemon has for what it does after a work that is measured:
	// acknowledgements, marks, the dump after a commit. It counts.
	rest = 1500 * time.Millisecond
	// between is how long daemons are left alone between two works.
	between = 2500 * time.Millisecond
)

// settings returns the configuration for MODE[-inject|-direct]/CHANNEL and so many entries.
func (c *ctd) settings(mode string, entries int) (pair.Settings, error) {
	mode, channel, ok := strings.Cut(mode, "/")
	if !ok {
		return pair.Settings{}, fmt.Errorf("--modes: %q is no MODE/CHANNEL", mode)
	}
	s := pair.Settings{Channel: channel, HashSize: max(131_072, entries), HashLimit: 2*entries + 1_000_000}
	s.Mode, mode, _ = strings.Cut(mode, "-")
	switch mode {
	case "inject":
		s.ModeClauses = "DisableExternalCache on"
	case "direct":
		s.ModeClauses = "DisableInternalCache on"
	}
	return s, nil
}

// startPair starts the daemons of a pair, the first with entries in its kernel.
func startPair(l *pair.Lab, p program, s pair.Settings) {
	for i, n := range l.Nodes {
		n.StartDaemon([]string{cmp.Or(p.first, p.path), p.path}[i], s)
	}
}

// have returns a function that tells how much of a resync has arrived.
func have(n *pair.Node, s *pair.Settings) func() int {
	if strings.HasPrefix(s.ModeClauses, "DisableExternalCache") {
		return func() int { return kernelCount(n) }
	}
	return func() int {
		_, external := cached(n)
		return external
	}
}

// clearPeer removes what a resync has brought.
func clearPeer(n *pair.Node, s *pair.Settings) {
	if strings.HasPrefix(s.ModeClauses, "DisableExternalCache") {
		emptyKernel(n)
		return
	}
	ask(n, reqForget)
}

// resyncRow is -n at a node that has nothing, until it has all.
func (c *ctd) resyncRow() {
	for _, entries := range c.sizes {
		for _, mode := range c.modes {
			s, err := c.settings(mode, entries)
			if err != nil {
				fail("%v", err)
			}
			line := ctdLine{work: fmt.Sprintf("resync, %s, %s", count(entries), mode)}
			for _, p := range c.programs {
				var all []ctdResult
				c.within(line.work+", "+p.name, func(l *pair.Lab) {
					populate(l.Nodes[0], 0, entries)
					startPair(l, p, s)
					all = c.resyncs(l, &s, entries)
				})
				line.results = append(line.results, summary(all))
				c.logf("%s, %s: %v", line.work, p.name, all)
			}
			c.lines = append(c.lines, line)
		}
	}
}

// resyncs measures a resync of running daemons several times.
func (c *ctd) resyncs(l *pair.Lab, s *pair.Settings, entries int) (all []ctdResult) {
	from, to := l.Nodes[0], l.Nodes[1]
	arrived := have(to, s)
	// Ours sends all when it meets a peer.
	poll(quiet, arrived, func(n int) bool { return n == entries })
	for range c.runs {
		time.Sleep(between)
		clearPeer(to, s)
		time.Sleep(between)
		all = append(all, work(l.Nodes, func() (time.Duration, int) {
			began := time.Now()
			ask(to, reqResync)
			n, at, _ := poll(quiet, arrived, func(n int) bool { return n == entries })
			return at.Sub(began), n
		}))
		if r := &all[len(all)-1]; r.arrived != entries {
			r.missing = entries - r.arrived
		}
	}
	_ = from
	return all
}

// work measures what nodes use for something that f does. It returns its time and what it
// has reached.
func work(nodes []*pair.Node, f func() (time.Duration, int)) ctdResult {
	var before []usage
	for _, n := range nodes {
		before = append(before, used(n))
	}
	var r ctdResult
	r.wall, r.arrived = f()
	time.Sleep(rest)
	for i, n := range nodes {
		u := used(n)
		r.cpu = append(r.cpu, u.cpu-before[i].cpu)
		r.rss = append(r.rss, u.rss)
		r.peak = append(r.peak, u.peak)
	}
	return r
}

// startRow is the start of a daemon with entries in the kernel.
func (c *ctd) startRow() {
	for _, entries := range c.sizes {
		s, _ := c.settings("FTFW/udp", entries)
		line := ctdLine{work: fmt.Sprintf("start, %s in the kernel", count(entries))}
		for _, p := range c.programs {
			var all []ctdResult
			c.within(line.work+", "+p.name, func(l *pair.Lab) {
				n := l.Nodes[0]
				populate(n, 0, entries)
				for range c.runs {
					began := time.Now()
					n.StartDaemon(p.path, s)
					r := ctdResult{wall: time.Since(began)}
					if r.arrived, _ = cached(n); r.arrived != entries {
						r.missing = entries - r.arrived
					}
					u := used(n)
					r.cpu, r.rss, r.peak = []time.Duration{u.cpu}, []int64{u.rss}, []int64{u.peak}
					all = append(all, r)
					n.Kill()
				}
			})
			line.results = append(line.results, summary(all))
			c.logf("%s, %s: %v", line.work, p.name, all)
		}
		c.lines = append(c.lines, line)
	}
}

// alarmTime is the RefreshTime of the row alarm, in seconds.
const alarmTime = 15

// alarmRow is ALARM: until the peer has all, and what both nodes use in a while.
func (c *ctd) alarmRow() {
	for _, entries := range c.sizes {
		s, _ := c.settings("ALARM/udp", entries)
		s.ModeClauses = fmt.Sprintf("RefreshTime %d\n\t\tCacheTimeout %d", alarmTime, 6*alarmTime)
		line := ctdLine{work: fmt.Sprintf("ALARM, RefreshTime %d: until the peer has %s, CPU in %d s", alarmTime, count(entries), 2*alarmTime)}
		for _, p := range c.programs {
			var all []ctdResult
			c.within(line.work+", "+p.name, func(l *pair.Lab) {
				populate(l.Nodes[0], 0, entries)
				startPair(l, p, s)
				began := time.Now()
				r := work(l.Nodes, func() (time.Duration, int) {
					n, at, _ := poll(2*alarmTime*time.Second, have(l.Nodes[1], &s), func(n int) bool {
						return n == entries || time.Since(began) > 2*alarmTime*time.Second
					})
					time.Sleep(time.Until(began.Add(2 * alarmTime * time.Second)))
					return at.Sub(began), n
				})
				r.missing = entries - r.arrived
				all = append(all, r)
			})
			line.results = append(line.results, summary(all))
			c.logf("%s, %s: %v", line.work, p.name, all)
		}
		c.lines = append(c.lines, line)
	}
}
