package pair

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// EnvSeed and EnvTime give the seed of TestFaults and how long each of its cases goes on
// with faults, such as 10m. EnvFaults names one of its cases.
// PAIR_OLD adds pairs of conntrack-tools' daemon, which cannot pass.
const (
	EnvSeed   = "PAIR_SEED"
	EnvTime   = "PAIR_TIME"
	EnvFaults = "PAIR_FAULTS"
)

// A trial is nodes beside churn and faults.
type trial struct {
	name     string
	programs []string
	settings Settings
	key      bool
	kill     bool // daemons too
	loss     float64
	// ask are requests of each node when all is quiet, where the mode does not repair
	// itself.
	ask []string
	// short is whether it belongs to a short run.
	short bool
}

func trials() []trial {
	// conntrack-tools' daemon is not killed: what ends while it starts stays in its cache.
	ours, mixed := []string{Daemon, Daemon}, []string{Daemon, Old}
	three := []string{Daemon, Daemon, Daemon}
	alarm := "RefreshTime 1\n\t\tCacheTimeout 5"
	old := []string{Old, Old}
	list := []trial{
		{"ftfw-udp", ours, Settings{Channel: UDP}, false, true, 0.2, nil, true},
		{"ftfw-mcast", ours, Settings{Channel: Multicast}, false, true, 0.2, nil, false},
		{"ftfw-mcast6", ours, Settings{Channel: Multicast6}, false, true, 0.2, nil, false},
		{"ftfw-tcp", ours, Settings{Channel: TCP}, false, true, 0.05, nil, true},
		{"ftfw-udp-key", ours, Settings{Channel: UDP}, true, true, 0.2, nil, false},
		{"ftfw-tcp-key", ours, Settings{Channel: TCP}, true, true, 0.05, nil, false},
		{"ftfw-three", three, Settings{Channel: Multicast}, false, true, 0.2, nil, true},
		{"ftfw-three-key", three, Settings{Channel: Multicast}, true, true, 0.2, nil, false},
		{"notrack-udp", ours, Settings{Mode: NoTrack, Channel: UDP}, false, true, 0.2, []string{"-n"}, false},
		{"notrack-tcp", ours, Settings{Mode: NoTrack, Channel: TCP}, false, true, 0.05, []string{"-n"}, false},
		{"notrack-three", three, Settings{Mode: NoTrack}, false, true, 0.2, []string{"-n"}, true},
		{"alarm-udp", ours, Settings{Mode: Alarm, Channel: UDP, ModeClauses: alarm}, false, true, 0.2, nil, true},
		{"alarm-mcast", ours, Settings{Mode: Alarm, ModeClauses: alarm}, false, true, 0.2, nil, false},
		{"ftfw-mixed", mixed, Settings{Channel: UDP}, false, false, 0.2, nil, false},
		{"ftfw-mixed-mcast", mixed, Settings{Channel: Multicast}, false, false, 0.2, nil, false},
		{"alarm-mixed", mixed, Settings{Mode: Alarm, Channel: UDP, ModeClauses: alarm}, false, false, 0.2, nil, false},
	}
	if os.Getenv("PAIR_OLD") != "" {
		list = append(list,
			trial{"ftfw-old", old, Settings{Channel: UDP}, false, true, 0.2, nil, false},
			trial{"ftfw-old-alive", old, Settings{Channel: UDP}, false, false, 0.2, nil, false},
			trial{"notrack-old", old, Settings{Mode: NoTrack, Channel: UDP}, false, true, 0.2, []string{"-n"}, false},
			trial{"ftfw-mixed-kill", mixed, Settings{Channel: UDP}, false, true, 0.2, nil, false})
	}
	return list
}

// The caches of nodes are alike, and like the kernels' tables, after their link has lost,
// doubled, delayed and reordered frames and has been cut, and daemons have been killed,
// while entries came, changed and went.
func TestFaults(t *testing.T) {
	seed, err := strconv.ParseUint(or(os.Getenv(EnvSeed), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	length, err := time.ParseDuration(or(os.Getenv(EnvTime), "2s"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range trials() {
		only := os.Getenv(EnvFaults)
		if only != "" && only != tr.name || only == "" && !tr.short && os.Getenv(EnvLong) == "" {
			continue
		}
		t.Run(tr.name, func(t *testing.T) {
			needs(t, tr.programs...)
			t.Logf("%s=%d", EnvSeed, seed)
			t.Parallel()
			tr.run(t, seed, length)
		})
	}
}

func (tr trial) run(t *testing.T, seed uint64, length time.Duration) {
	l := lab(t, Config{Nodes: len(tr.programs), OwnLinks: true})
	r := NewRelay(l, seed)
	if tr.key {
		key := filepath.Join(l.Dir, "key")
		if err := os.WriteFile(key, []byte(strings.Repeat("5e", 32)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		tr.settings.Sync = "KeyFile " + key
	}
	var churns []*churn
	for i, n := range l.Nodes {
		c := &churn{node: n, rng: rand.New(rand.NewPCG(seed, uint64(100+i))), alive: map[int]string{}}
		churns = append(churns, c)
		if tr.programs[i] != Old {
			c.step(300) // before there is a daemon; conntrack-tools' loses what ends while it starts
		}
		n.StartDaemon(tr.programs[i], tr.settings)
		c.step(100)
	}
	tr.alike(l, "at the start")
	if os.Getenv(EnvLong) != "" {
		t.Logf("alike at the start: %s", tr.counts(l))
	}

	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, c := range churns {
		running.Go(func() { c.run(stop) })
	}
	tr.trouble(l, r, rand.New(rand.NewPCG(seed, 99)), length)
	close(stop)
	running.Wait()
	r.Heal()
	start := time.Now()
	if tr.ask != nil {
		for _, n := range l.Nodes {
			n.Ask(tr.ask...)
		}
	}
	tr.alike(l, "after the faults")
	t.Logf("alike after %v; %s; relay: %+v", time.Since(start).Round(time.Millisecond), tr.counts(l), r.Counts())
	tr.takeOver(l)
	for _, n := range l.Nodes {
		n.Stop()
	}
}

// takeOver commits at the last node, whose table then has the entries of all. They are as
// the others have them, with NAT and all that the kernel tells.
func (tr trial) takeOver(l *Lab) {
	l.t.Helper()
	last := l.Nodes[len(l.Nodes)-1]
	if last.Program == Old {
		return // it damages tags of SCTP
	}
	want := map[Entry]int{}
	for _, n := range l.Nodes {
		maps.Copy(want, n.Table())
	}
	last.Ask("-c")
	if diff := Diff(want, last.Table()); diff != "" {
		l.t.Fatalf("%s: table after the commit:\n%s\n%s", last.Name, diff, last.Log())
	}
}

// trouble makes faults for a time. It ends with all daemons at work.
func (tr trial) trouble(l *Lab, r *Relay, rng *rand.Rand, length time.Duration) {
	end := time.Now().Add(length)
	first := []int{2, 1} // a short run has these too
	for time.Now().Before(end) {
		r.Heal()
		f := Faults{Loss: rng.Float64() * tr.loss}
		if rng.IntN(2) == 0 {
			f.Double = rng.Float64() * 0.2
		}
		if rng.IntN(2) == 0 {
			f.Delay = time.Duration(rng.IntN(10)) * time.Millisecond
			f.Jitter = time.Duration(rng.IntN(30)) * time.Millisecond
		}
		if rng.IntN(8) == 0 {
			f.Delay = time.Duration(100+rng.IntN(300)) * time.Millisecond
		}
		r.Set(f)
		from, to := 1+rng.IntN(len(l.Nodes)), 1+rng.IntN(len(l.Nodes))
		wait := time.Duration(100+rng.IntN(700)) * time.Millisecond
		if rng.IntN(6) == 0 {
			wait += time.Duration(rng.IntN(5000)) * time.Millisecond // peers are known to be absent
		}
		what := rng.IntN(7)
		if len(first) > 0 {
			what, first = first[0], first[1:]
		}
		switch {
		case what == 0:
			r.Cut(from, to, true)
		case what == 1:
			r.Cut(from, to, true)
			r.Cut(to, from, true)
		case what == 2 && tr.kill:
			n := l.Nodes[from-1]
			n.Kill()
			pause(end, wait)
			n.Restart()
		case what == 3 && os.Getenv(EnvTime) != "":
			// Daemons then hold the ends of translated entries back for a time.
			r.Plug(from, false)
			pause(end, wait)
			r.Plug(from, true)
		}
		pause(end, wait)
	}
}

// pause lets faults go on for a time, until the end at most.
func pause(end time.Time, d time.Duration) {
	timer := time.NewTimer(min(d, time.Until(end)))
	<-timer.C
}

// A churn makes, changes and ends entries of a node.
type churn struct {
	node  *Node
	rng   *rand.Rand
	next  int
	alive map[int]string // entries by number: what a command says of their keys
}

// churnKinds are entries as commands say them: what is told of each first, then what
// changes.
var churnKinds = []string{
	"-p tcp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 80 -n 192.0.2.{N}:{P}",
	"-p udp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 53",
	"-p tcp -s fd01::{N}:{H6} -d fd02::100 --sport {P} --dport 443",
	"-p icmp -s 10.{N}.{H} -d 192.0.2.100 --icmp-type 8 --icmp-code 0 --icmp-id {P}",
	"-p sctp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 36412 --orig-vtag {P} --reply-vtag 2{P}",
}

const (
	churnStep  = 60 // commands at a time
	churnLimit = 1500
	churnEvery = 50 * time.Millisecond
)

func (c *churn) run(stop chan struct{}) {
	ticker := time.NewTicker(churnEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			c.step(churnStep)
		}
	}
}

// step runs some commands.
func (c *churn) step(commands int) {
	b := new(strings.Builder)
	for range commands {
		switch what := c.rng.IntN(10); {
		case what < 5 && len(c.alive) < churnLimit || len(c.alive) == 0:
			n := c.next
			c.next++
			key := churnKinds[n%len(churnKinds)]
			key = strings.NewReplacer("{N}", fmt.Sprint(20+c.node.Number), "{H}", fmt.Sprintf("%d.%d", n>>8&0xff, n&0xff),
				"{H6}", fmt.Sprintf("%x", n&0xffff), "{P}", fmt.Sprint(10000+n%50000)).Replace(key)
			c.alive[n] = key
			fmt.Fprintf(b, "-I %s%s -t 3600\n", key, state(key, "SYN_SENT"))
		case what < 8:
			key := c.alive[c.pick()]
			fmt.Fprintf(b, "-A %s%s -u SEEN_REPLY,ASSURED -m %d -t %d\n", key, state(key, "ESTABLISHED"),
				1+c.rng.IntN(1000), 2000+c.rng.IntN(1000))
		default:
			n := c.pick()
			key := c.alive[n]
			delete(c.alive, n)
			if c.rng.IntN(20) == 0 {
				key, _, _ = strings.Cut(key, " -n ")
				key, _, _ = strings.Cut(key, " --orig-vtag ")
				fmt.Fprintf(b, "-D %s\n", key)
				continue
			}
			fmt.Fprintf(b, "-A %s%s -t 1\n", key, state(key, "TIME_WAIT"))
		}
	}
	c.node.Load(b.String())
}

// pick returns the number of an entry.
func (c *churn) pick() int {
	// The order of a map is not that of the seed.
	numbers := slices.Sorted(maps.Keys(c.alive))
	return numbers[c.rng.IntN(len(numbers))]
}

// state returns the option that sets a state, where the protocol has one.
func state(key, tcp string) string {
	switch {
	case strings.HasPrefix(key, "-p tcp"):
		return " --state " + tcp
	case strings.HasPrefix(key, "-p sctp"):
		return " --state ESTABLISHED"
	}
	return ""
}

// told returns what the lines of a listing tell of entries, without what differs between a
// kernel's table and the caches: times, users, the other tuple, and a mark of 0.
func toldBy(listing string) []string {
	var list []string
	for line := range strings.Lines(listing) {
		m := addresses.FindStringSubmatch(line)
		if m == nil || onLink(m[1]) || onLink(m[2]) {
			continue
		}
		line, _, _ = strings.Cut(line, " [expires in")
		line, _, _ = strings.Cut(line, " [active since")
		var told []string
		seen := map[string]bool{}
		for i, f := range strings.Fields(line) {
			name, _, pair := strings.Cut(f, "=")
			if i == 2 && !pair && f[0] >= '0' && f[0] <= '9' || name == "use" || f == "mark=0" || pair && seen[name] {
				continue
			}
			seen[name] = true
			told = append(told, f)
		}
		list = append(list, strings.Join(told, " "))
	}
	slices.Sort(list)
	return list
}

// alike waits until each daemon's internal cache is its kernel's table, and its external
// cache the internal ones of all others.
func (tr trial) alike(l *Lab, when string) {
	l.t.Helper()
	var wrong string
	limit := 25 * time.Second // ends that are held back are told after 15
	if testwait.For(limit, func() bool {
		wrong = tr.unlike(l)
		return wrong == ""
	}) {
		return
	}
	for _, n := range l.Nodes {
		wrong += fmt.Sprintf("%s:\n%s\n%s\n", n.Name, n.Ask("-s", "network"), n.Log())
		if n.Program != Old {
			out, err := n.Output("", n.Program, "-C", n.Configuration(), "--status")
			wrong += fmt.Sprintln(out, err)
		}
	}
	l.t.Fatalf("%s:\n%s", when, wrong)
}

func (tr trial) unlike(l *Lab) string {
	internal := make([][]string, len(l.Nodes))
	for i, n := range l.Nodes {
		kernel := toldBy(n.Run(Conntrack, "-L"))
		internal[i] = toldBy(n.Ask("-i"))
		if diff := differ(kernel, internal[i]); diff != "" {
			return n.Name + ": internal cache and the kernel's table:\n" + diff
		}
	}
	for i, n := range l.Nodes {
		var want []string
		for j := range l.Nodes {
			if i != j {
				want = append(want, internal[j]...)
			}
		}
		slices.Sort(want)
		if diff := differ(want, toldBy(n.Ask("-e"))); diff != "" {
			return n.Name + ": external cache and the others' internal:\n" + diff
		}
	}
	return ""
}

// differ returns "" if two sorted lists are equal, otherwise what one has of the other.
func differ(want, got []string) string {
	set := func(list []string) map[Entry]int {
		m := make(map[Entry]int, len(list))
		for _, line := range list {
			m[Entry(line)]++
		}
		return m
	}
	if slices.Equal(want, got) {
		return ""
	}
	return or(Diff(set(want), set(got)), "an entry is there twice")
}

func (tr trial) counts(l *Lab) string {
	var list []string
	for _, n := range l.Nodes {
		c := n.Counts()
		list = append(list, fmt.Sprintf("%s %d+%d", n.Name, c.Internal, c.External))
	}
	return strings.Join(list, ", ")
}

// addresses are those of an entry's first tuple.
var addresses = regexp.MustCompile(`src=(\S+) dst=(\S+)`)
