package config

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Check judges a configuration beyond Parse, for --check: what is accepted and has no
// effect, or cannot work on this machine. Of what has the level Error the daemon would
// not start, or would do nothing. The messages are in the order of their lines.
func Check(c *Config) []Message {
	s := sayer{messages: slices.Concat(c.told, c.Starting())}
	s.files(c)
	s.modes(c)
	s.kernel(c)
	if c.Mode != Stats {
		s.links(c)
	}
	slices.SortStableFunc(s.messages, func(a, b Message) int { return cmp.Compare(a.Line, b.Line) })
	return s.messages
}

// files checks what the daemon makes and reads.
func (s *sayer) files(c *Config) {
	for _, f := range []struct{ clause, path string }{
		{"LockFile", c.LockFile}, {"LogFile", c.LogFile}, {"LogFile", c.StatsLogFile}, {"Path", c.Socket},
		{"Metrics", socketPath(c.MetricsOn)},
	} {
		if f.path == "" {
			continue
		}
		if i, err := os.Stat(filepath.Dir(f.path)); err != nil || !i.IsDir() {
			s.say(Error, c.lines[f.clause], "%s: there is no directory %s", f.clause, filepath.Dir(f.path))
		} else if i, err := os.Stat(f.path); err == nil && i.IsDir() {
			s.say(Error, c.lines[f.clause], "%s: %s is a directory", f.clause, f.path)
		}
	}
	if _, err := os.Lstat(c.LockFile); err == nil {
		s.say(Notice, c.lines["LockFile"], "%s exists: conntrackd is running or was killed", c.LockFile)
	}
	if c.KeyFile != "" {
		if _, err := ReadKey(c.KeyFile); err != nil {
			s.say(Error, c.lines["KeyFile"], "%v", err)
		}
	}
}

// socketPath returns where if it is a path.
func socketPath(where string) string {
	if strings.HasPrefix(where, "/") {
		return where
	}
	return ""
}

// modes checks clauses that have no effect where they are.
func (s *sayer) modes(c *Config) {
	if c.modes > 1 {
		s.warn(c.lines["Mode"], "there is more than one Mode: of FTFW, ALARM and NOTRACK the first one is used")
	}
	for _, name := range []string{"RefreshTime", "CacheTimeout"} {
		if c.lines[name] > 0 && c.Mode != Alarm {
			s.warn(c.lines[name], "`%s' has an effect in Mode ALARM only", name)
		}
	}
	if c.Mode == FTFW && c.ResendQueueSize < c.ACKWindowSize {
		s.warn(max(c.lines["ResendQueueSize"], c.lines["ACKWindowSize"]),
			"ResendQueueSize is less than ACKWindowSize: messages are forgotten before they are acknowledged")
	}
	if c.Mode == Alarm && c.RefreshTime >= c.CacheTimeout {
		s.warn(c.lines["RefreshTime"], "RefreshTime is not less than CacheTimeout: entries of a peer "+
			"expire before they are refreshed")
	}
	if c.NetlinkBuffer > c.NetlinkBufferMax {
		s.say(Notice, c.lines["NetlinkBufferSize"], "conntrack-tools' conntrackd would not use this size, because it is "+
			"greater than NetlinkBufferSizeMaxGrowth (%d)", c.NetlinkBufferMax)
	}
	if c.Poll > 0 {
		for _, name := range []string{"NetlinkEventsReliable", "NetlinkOverrunResync", "NetlinkBufferSize"} {
			if c.lines[name] > 0 {
				s.warn(c.lines[name], "`%s' has no effect with PollSecs", name)
			}
		}
	}
	if c.Scheduler != nil && c.Scheduler.Priority == 0 {
		s.warn(max(c.lines["Priority"], c.lines["Scheduler"]),
			"the kernel refuses the Priority 0: scheduling will be ordinary")
	}
	for _, f := range []struct {
		name  string
		empty bool
	}{
		{"Protocol", acceptsNone(c.Filter.Protocols)}, {"Address", acceptsNone(c.Filter.Addresses)},
		{"State", acceptsNone(c.Filter.States)},
	} {
		if f.empty {
			s.warn(c.lines[f.name], "the list of `%s Accept' is empty", f.name)
		}
	}
}

// acceptsNone reports whether a list has no item to accept.
func acceptsNone[T any](l *List[T]) bool { return l != nil && !l.Ignore && len(l.Items) == 0 }

// kernel compares with settings of connection tracking in this network namespace.
func (s *sayer) kernel(c *Config) {
	if n, ok := sysctl("nf_conntrack_max"); ok && n > c.HashLimit {
		s.warn(c.lines["HashLimit"], "the HashLimit of %d is less than the %d entries that the kernel may have "+
			"(nf_conntrack_max)", c.HashLimit, n)
	}
	if n, ok := sysctl("nf_conntrack_events"); ok && n == 0 && c.Poll == 0 {
		s.say(Error, 0, "the kernel sends no events: net.netfilter.nf_conntrack_events is 0")
	}
}

// sysctl returns the value of a setting of connection tracking.
func sysctl(name string) (int, bool) {
	b, err := os.ReadFile("/proc/sys/net/netfilter/" + name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}

// links checks the links against the interfaces of this network namespace.
func (s *sayer) links(c *Config) {
	if len(c.Links) == 0 {
		s.say(Error, 0, "there is no dedicated link: Multicast, UDP or TCP")
	}
	type end struct {
		local, remote netip.Addr
		port          int
	}
	seen := make(map[end]int)
	for i := range c.Links {
		l := &c.Links[i]
		e := end{l.Local, l.Remote, l.Port}
		if line := seen[e]; line > 0 {
			s.warn(l.Line, "the dedicated link in line %d has the addresses and the port of the one in line %d",
				l.Line, line)
		}
		seen[e] = l.Line
		if l.Interface != "" {
			s.iface(c, l)
		}
	}
}

// iface checks the interface of a link, and its addresses.
func (s *sayer) iface(c *Config, l *Link) {
	i, err := net.InterfaceByName(l.Interface)
	if err != nil {
		s.say(Error, l.Line, "there is no interface %s", l.Interface)
		return
	}
	if i.Flags&net.FlagUp == 0 {
		s.warn(l.Line, "the interface %s is down", l.Interface)
	}
	if l.Kind == Multicast && i.Flags&net.FlagMulticast == 0 {
		s.warn(l.Line, "the interface %s does not do multicast", l.Interface)
	}
	if !usable(l.Local) {
		return
	}
	if a := c.Filter.Addresses; a == nil || a.Ignore != slices.ContainsFunc(a.Items,
		func(p netip.Prefix) bool { return p.Contains(l.Local) }) {
		s.say(Notice, l.Line, "the Filter does not leave out %v: connections of the daemon itself are kept alike",
			l.Local)
	}
	addrs, err := i.Addrs()
	if err != nil {
		return
	}
	if !slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr() == l.Local.WithZone("")
	}) {
		s.say(Error, l.Line, "%v is not an address of the interface %s", l.Local, l.Interface)
	}
}
