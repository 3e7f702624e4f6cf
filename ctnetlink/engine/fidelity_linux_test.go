package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
)

// The fidelity test puts the same packets through the kernel and through
// Table.Track. For each packet the verdict, its direction, the kernel's words
// about it, what leaves, the events in their order, the packet's entry, the
// expectations and the counters of -S must be the same, and at the end of a
// scenario all entries. The kernel decides what is right.
//
// An area has a generator: a seed gives a setting of the machine, with rules in
// the syntax of nft and variables, and scenarios in it. A failure prints area,
// seed and scenario, and the shortest list of packets that shows the difference.
//
//	go test ./ctnetlink/engine -run Fidelity                  # about 20 000 packets
//	FIDELITY=1000000 go test ./ctnetlink/engine -run Fidelity -timeout 0
//	FIDELITY_AREAS=tcp,udp …                                  # only these areas
//	FIDELITY_SEED=17 …                                        # begin with this seed instead of 1
//	FIDELITY_SEED=17:3 …                                      # only scenario 3 of this seed
//	FIDELITY_KINDS=20 …                                       # end an area after that many kinds of failures
//
// Known differences are listed as exceptions, with their reasons, and counted.

// scenario is a list of moves in a setting.
type scenario struct {
	area  *area
	seed  uint64
	n     int // number of the scenario with that seed
	set   *setting
	moves []move
}

func (s *scenario) String() string {
	return fmt.Sprintf("area %s: FIDELITY_AREAS=%s FIDELITY_SEED=%d:%d", s.area.name, s.area.name, s.seed, s.n)
}

// setting is how the machine is set up.
type setting struct {
	rules   string      // in nft's syntax
	sysctls [][2]string // as netlab.Lab.Set takes them
	expects bool        // expectations are compared after each packet
	v6      bool        // for generators: the packets are IPv6
	// translates says that the rules translate: packets become answers to what was
	// translated, except those with an answer of their own.
	translates bool
}

func (s *setting) String() string {
	b := new(strings.Builder)
	for _, v := range s.sysctls {
		fmt.Fprintf(b, "  sysctl %s=%s\n", v[0], v[1])
	}
	for line := range strings.Lines(s.rules) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// scenariosPerSeed share a setting: changing the kernel's rules takes longer than
// a hundred packets.
const scenariosPerSeed = 20

// fidelityPackets is the number of packets compared without FIDELITY, and
// fidelityShort with -short.
const (
	fidelityPackets = 20_000
	fidelityShort   = 2_000
)

// fidelityKinds is the number of kinds of failures after which an area ends,
// without FIDELITY_KINDS. Failures are of one kind if the same thing differs; the
// first of each is shrunk and printed.
const fidelityKinds = 3

// TestFidelity compares the engine with the kernel packet by packet, if the
// kernel is at least as new as the one the engine imitates.
func TestFidelity(t *testing.T) {
	t.Parallel() // the slow areas wait
	if r := kernelRelease(t); r.before(6, 18) && os.Getenv("FIDELITY") == "" {
		skipped.Add(1)
		t.Skipf("SKIPPED: the engine imitates Linux 6.18, this is %d.%d (FIDELITY=20000 compares nevertheless)",
			r.major, r.minor)
	}
	count, seed, only := fidelityPackets, uint64(1), -1
	if testing.Short() {
		count = fidelityShort
	}
	if s := os.Getenv("FIDELITY"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal("FIDELITY:", err)
		}
	}
	kinds := fidelityKinds
	if s := os.Getenv("FIDELITY_KINDS"); s != "" {
		var err error
		if kinds, err = strconv.Atoi(s); err != nil {
			t.Fatal("FIDELITY_KINDS:", err)
		}
	}
	if s := os.Getenv("FIDELITY_SEED"); s != "" {
		first, n, some := strings.Cut(s, ":")
		var err error
		if seed, err = strconv.ParseUint(first, 10, 64); err == nil && some {
			only, err = strconv.Atoi(n)
		}
		if err != nil {
			t.Fatal("FIDELITY_SEED:", err)
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(areas), func(a *area) bool { return a.pending || a.slow && testing.Short() })
	if s := os.Getenv("FIDELITY_AREAS"); s != "" {
		names := strings.Split(s, ",")
		chosen = slices.DeleteFunc(slices.Clone(areas), func(a *area) bool { return !slices.Contains(names, a.name) })
	}
	lab, err := netlab.New(netlab.Config{Addresses: true})
	if err != nil {
		skipped.Add(1)
		t.Skipf("SKIPPED, no kernel to compare with: %v", err)
	}
	defer lab.Close()
	if len(chosen) == 0 {
		t.Skip("SKIPPED: no area is chosen")
	}
	var total atomic.Int64
	t.Cleanup(func() { tellFidelity(t, total.Load()) }) // after the slow areas
	for _, a := range chosen {
		t.Run(a.name, func(t *testing.T) {
			lab := lab
			if a.slow {
				t.Parallel()
				var err error
				if lab, err = netlab.New(netlab.Config{Addresses: true}); err != nil {
					t.Fatal(err)
				}
				defer lab.Close()
			}
			f := &fidelity{lab: lab, seen: map[string]int{}, kinds: map[string]int{}, maxKinds: kinds}
			begin := time.Now()
			f.compare(t, a, seed, only, count/len(chosen))
			total.Add(int64(f.packets))
			t.Logf("%d packets in %d scenarios, seeds %d to %d, %.0f a second",
				f.packets, f.scenarios, seed, f.last, float64(f.packets)/time.Since(begin).Seconds())
			t.Log(f.tally())
			for _, kind := range sortedKeys(f.kinds) {
				t.Logf("differs %d times: %s", f.kinds[kind], kind)
			}
		})
	}
}

// tellFidelity logs which differences are explained, and fails if they are many.
func tellFidelity(t *testing.T, total int64) {
	explained := int64(0)
	for _, e := range differencesExplained {
		n := e.n.Swap(0)
		explained += n
		t.Logf("explained: %s, %d times: %s", e.name, n, e.why)
	}
	t.Logf("%d packets compared, %d explained differences (%.3f %%)", total, explained,
		100*float64(explained)/float64(max(total, 1)))
	if explained*1000 > total && total >= fidelityPackets {
		t.Errorf("more than 0.1 %% of the packets have explained differences")
	}
}

// fidelity compares the packets of one area.
type fidelity struct {
	lab                *netlab.Lab
	k                  *kernelSide
	packets, scenarios int
	last               uint64
	seen               map[string]int // verdicts
	kinds              map[string]int // of failures
	maxKinds           int
}

// compare runs scenarios of an area until count packets are compared.
func (f *fidelity) compare(t *testing.T, a *area, seed uint64, only, count int) {
	for ; f.packets < count && len(f.kinds) < f.maxKinds; seed++ {
		f.last = seed
		set, scenarios := a.make(seed)
		if err := f.prepare(set); err != nil {
			t.Fatalf("area %s, seed %d: %v\n%s", a.name, seed, err, set)
		}
		for _, s := range scenarios {
			if only >= 0 && s.n != only || len(f.kinds) >= f.maxKinds || a.slow && f.packets >= count {
				continue
			}
			f.scenarios++
			d, n, err := f.run(s)
			if err != nil {
				t.Fatalf("%s: %v", s, err)
			}
			f.packets += n
			if d == nil {
				continue
			}
			kind := kindOf(d)
			if f.kinds[kind]++; f.kinds[kind] == 1 {
				d := f.shrink(s, d)
				t.Errorf("%s\n%s%s", s, set, tellMoves(d.moves, d))
			}
		}
		if only >= 0 {
			return
		}
	}
}

var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9a-f.:]*[0-9][0-9a-f.:]*`)

// kindOf returns what differs, without numbers.
func kindOf(d *gap) string {
	first, _, _ := strings.Cut(d.what, "\n")
	return numbers.ReplaceAllString(first, "#")
}

// prepare sets the kernel up.
func (f *fidelity) prepare(set *setting) error {
	if err := f.lab.Reset(); err != nil {
		return err
	}
	for _, v := range set.sysctls {
		if err := f.lab.Set(v[0], v[1]); err != nil {
			return fmt.Errorf("%s=%s: %w", v[0], v[1], err)
		}
	}
	if err := f.lab.Rules(set.rules); err != nil {
		return err
	}
	f.k = &kernelSide{lab: f.lab}
	return f.k.empty()
}

// tally says what the packets were.
func (f *fidelity) tally() string {
	b := new(strings.Builder)
	for i, what := range sortedKeys(f.seen) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "%d %s", f.seen[what], what)
	}
	return b.String()
}

// area is a part of what packets do, with a generator.
type area struct {
	name string
	// pending areas are compared only if FIDELITY_AREAS names them, since they are
	// known to differ.
	pending bool
	// slow areas wait; they are left out with -short.
	slow bool
	// setting chooses a setting.
	setting func(g *gen) *setting
	// scenario makes moves in g.set.
	scenario func(g *gen)
}

// areas are all areas. Another one is a file fidelity_gen_NAME_linux_test.go
// that adds it.
var areas []*area

// make makes the scenarios of a seed.
func (a *area) make(seed uint64) (*setting, []*scenario) {
	set := a.setting(&gen{Rand: rand.New(rand.NewPCG(seed, 0))})
	var all []*scenario
	for n := range scenariosPerSeed {
		g := &gen{Rand: rand.New(rand.NewPCG(seed, uint64(n)+1)), set: set}
		a.scenario(g)
		all = append(all, &scenario{area: a, seed: seed, n: n, set: set, moves: g.moves})
	}
	return set, all
}
