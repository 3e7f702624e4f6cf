package pair

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
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
	expects, noExternal := "ExpectationSync on", "DisableExternalCache on"
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
		{"ftfw-expects", ours, Settings{Channel: UDP, Options: expects}, false, true, 0.2, nil, false},
		{"notrack-expects", ours, Settings{Mode: NoTrack, Options: expects}, false, true, 0.2, []string{"-n"}, false},
		{"alarm-expects", ours, Settings{Mode: Alarm, Channel: UDP, ModeClauses: alarm, Options: expects},
			false, true, 0.2, nil, false},
		{"notrack-bypass", ours, Settings{Mode: NoTrack, Channel: UDP, ModeClauses: "DisableInternalCache on",
			Options: expects}, false, true, 0.2, []string{"-n"}, false},
		{"notrack-bypass-tcp", ours, Settings{Mode: NoTrack, Channel: TCP, ModeClauses: "DisableInternalCache on",
			Options: expects}, false, true, 0.05, []string{"-n"}, false},
		// Where there is no external cache nobody knows what of the table was a peer's: what
		// ends unheard stays until its time is over.
		{"ftfw-inject", ours, Settings{Channel: UDP, ModeClauses: noExternal, Options: expects},
			false, false, 0.2, nil, false},
		{"ftfw-inject-tcp", ours, Settings{Channel: TCP, ModeClauses: noExternal}, false, false, 0.05, nil, false},
		{"notrack-inject", ours, Settings{Mode: NoTrack, Channel: UDP, ModeClauses: noExternal},
			false, false, 0.2, []string{"-n"}, false},
		{"notrack-mixed-three", append(slices.Clone(ours), Old), Settings{Mode: NoTrack}, false, false, 0, []string{"-n"}, false},
		{"alarm-mixed-three", append(slices.Clone(ours), Old), Settings{Mode: Alarm, ModeClauses: alarm},
			false, false, 0.2, nil, false},
		{"ftfw-star-udp", three, Settings{Channel: UDP}, false, false, 0, nil, false},
		{"notrack-star-udp", three, Settings{Mode: NoTrack, Channel: UDP}, false, false, 0, nil, false},
		{"notrack-star-tcp", three, Settings{Mode: NoTrack, Channel: TCP}, false, false, 0, nil, false},
	}
	// This one fails: conntrack-tools' daemon takes one sender's NACKs for late ones of another.
	if name := "ftfw-mixed-three"; os.Getenv(EnvFaults) == name {
		list = append(list, trial{name, append(slices.Clone(ours), Old), Settings{}, false, false, 0.2, nil, false})
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

// expects reports whether expectations are kept alike too.
func (tr trial) expects() bool { return strings.Contains(tr.settings.Options, "ExpectationSync") }

// injects reports whether what peers tell is written into the table at once.
func (tr trial) injects() bool {
	return strings.Contains(tr.settings.ModeClauses, "DisableExternalCache")
}

// star reports whether three nodes are joined by links with one destination: the first is
// the backup of the others, and sends to the second.
func (tr trial) star() bool { return strings.Contains(tr.name, "-star") }

// hears reports whether what one node tells comes to another one.
func (tr trial) hears(l *Lab, from, to int) bool {
	switch {
	case from == to:
		return false
	case tr.star():
		return to == 0 || from == 0 && to == 1
	}
	// conntrack-tools' daemon takes one sender's sequences for another's.
	return l.Nodes[to].Program != Old || len(l.Nodes) == 2 || tr.settings.Mode == Alarm
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
		c := &churn{node: n, rng: rand.New(rand.NewPCG(seed, uint64(100+i))), alive: map[int]string{}, expects: tr.expects()}
		churns = append(churns, c)
		if tr.programs[i] != Old {
			c.step(300) // before there is a daemon; conntrack-tools' loses what ends while it starts
		}
		s := tr.settings
		if tr.star() {
			s.Peers = []int{1}
			if i == 0 {
				s.Peers = []int{2}
			}
		}
		n.StartDaemon(tr.programs[i], s)
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
	if tr.injects() {
		return // it has been: the tables are compared
	}
	last := l.Nodes[len(l.Nodes)-1]
	if tr.star() {
		last = l.Nodes[0]
	}
	if last.Program == Old {
		return // it damages tags of SCTP
	}
	want, expected := map[Entry]int{}, map[Entry]int{}
	for _, n := range l.Nodes {
		maps.Copy(want, n.Table())
		maps.Copy(expected, n.Expectations())
	}
	last.Ask("-c")
	if diff := Diff(want, last.Table()); diff != "" {
		l.t.Fatalf("%s: table after the commit:\n%s\n%s", last.Name, diff, last.Log())
	}
	if diff := Diff(expected, last.Expectations()); tr.expects() && diff != "" {
		l.t.Fatalf("%s: expectations after the commit:\n%s\n%s", last.Name, diff, last.Log())
	}
}

// trouble makes faults for a time. It ends with all daemons at work.
func (tr trial) trouble(l *Lab, r *Relay, rng *rand.Rand, length time.Duration) {
	end := time.Now().Add(length)
	if tr.star() {
		pause(end, length) // what is lost of the third is not repaired
		return
	}
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
