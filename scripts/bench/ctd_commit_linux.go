package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/e2e/pair"
)

// commitWork are the works of the row commit, in their order.
var commitWork = []string{"empty kernel", "all exist"}

// commitRow is -c into an empty kernel, and when all exists already. The programs take
// turns. The peer is gone: on this machine its daemon would have the kernel make an event
// of every entry.
func (c *ctd) commitRow() {
	for _, entries := range c.sizes {
		s, _ := c.settings("FTFW/udp", entries)
		all := make([][][]ctdResult, len(c.programs))
		for range c.runs {
			for i, p := range c.programs {
				c.within("commit, "+p.name, func(l *pair.Lab) {
					all[i] = append(all[i], c.commits(l, p, s, entries))
				})
			}
		}
		for i, what := range commitWork {
			line := ctdLine{work: fmt.Sprintf("commit, %s, %s", count(entries), what)}
			for j, p := range c.programs {
				var results []ctdResult
				for _, run := range all[j] {
					results = append(results, run[i])
				}
				line.results = append(line.results, commitSummary(results))
				c.logf("%s, %s: %v", line.work, p.name, results)
			}
			c.lines = append(c.lines, line)
		}
	}
}

// commits has a node take over what another had, and measures what it does then.
func (c *ctd) commits(l *pair.Lab, p program, s pair.Settings, entries int) (all []ctdResult) {
	from, to := l.Nodes[0], l.Nodes[1]
	populate(from, 0, entries)
	startPair(l, p, s)
	arrived := have(to, &s)
	done := func(n int) bool { return n == entries }
	n, _, ok := poll(quiet, arrived, done)
	for i := 0; i < 5 && !ok; i++ {
		ask(to, reqResync)
		n, _, ok = poll(quiet, arrived, done)
	}
	if !ok {
		fail("%d of %d entries to commit", n, entries)
	}
	from.Kill()
	for range commitWork {
		time.Sleep(between)
		overheard := !c.alone(l)
		r := work(l.Nodes[1:], func() (time.Duration, int) {
			began := time.Now()
			ask(to, reqCommit)
			took := time.Since(began)
			overheard = overheard || strangers(l) > 0
			return took, kernelCount(to)
		})
		if r.missing = entries - r.arrived; overheard {
			r.note = overheardNote
		}
		all = append(all, r)
	}
	return all
}

// alone waits, but not for long, until nothing else on the machine listens to events of
// entries, and reports whether that is so.
func (c *ctd) alone(l *pair.Lab) bool {
	for end := time.Now().Add(c.patience); strangers(l) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// overheardNote marks a measurement beside listeners elsewhere on the machine.
const overheardNote = "beside other listeners"

// commitSummary is the summary of the measurements without other listeners, or of all if
// there are none.
func commitSummary(all []ctdResult) *ctdResult {
	var alone []ctdResult
	for _, r := range all {
		if r.note == "" {
			alone = append(alone, r)
		}
	}
	if len(alone) == 0 {
		return summary(all)
	}
	r := summary(alone)
	if len(alone) < len(all) {
		r.note = fmt.Sprintf("%d of %d runs", len(alone), len(all))
	}
	return r
}

// strangers counts the network namespaces, but for those of the pair, in which something
// listens to events of entries. The kernel makes an event if there is a listener in any
// namespace, and that costs as much as the entry.
func strangers(l *pair.Lab) (n int) {
	known := map[string]bool{}
	for _, node := range l.Nodes {
		_ = node.Do(func() error {
			ns, err := os.Readlink("/proc/thread-self/ns/net")
			known[ns] = true
			return err
		})
	}
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		ns, err := os.Readlink("/proc/" + p.Name() + "/ns/net")
		if err != nil || known[ns] {
			continue
		}
		known[ns] = true
		sockets, _ := os.ReadFile("/proc/" + p.Name() + "/net/netlink")
		if listens(string(sockets)) {
			n++
		}
	}
	return n
}

// listens reports whether a socket of /proc/net/netlink is in the groups of new or changed
// entries.
func listens(sockets string) bool {
	const netfilter, newOrChanged = "12", 1<<0 | 1<<1
	for line := range strings.Lines(sockets) {
		var groups uint32
		f := strings.Fields(line)
		if len(f) < 4 || f[1] != netfilter {
			continue
		}
		if _, err := fmt.Sscanf(f[3], "%x", &groups); err == nil && groups&newOrChanged != 0 {
			return true
		}
	}
	return false
}
