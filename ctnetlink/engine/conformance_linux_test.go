package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// Conformance: random sequences of requests go, byte for byte the same, to two
// tables, and both must say the same: the errors, the answers, the events and
// their order, and the table at the end. The kernel's table is the authority.
//
// A sequence is made by a generator from a seed, which a failure prints with
// the shortest sequence that shows the difference. Every run has the same
// seeds; time bounds it:
//
//	go test ./ctnetlink/engine -run Conformance                 # some seconds
//	CONFORM=5m go test ./ctnetlink/engine -run Conformance -timeout 0
//	CONFORM_SEED=1234 go test ./ctnetlink/engine -run Conformance # that one; with CONFORM, from that one on
//
// What cannot agree is listed as exceptions, each with its reason and counted.

// tableMaker gives empty tables of one kind.
type tableMaker interface {
	empty() (*side, error)
	done(*side)
}

// kernelTable is a namespace that is emptied for each sequence.
type kernelTable struct{ s *side }

func (k kernelTable) empty() (*side, error) {
	for _, typ := range []uint16{expDelete, ctDelete} {
		got, err := k.s.ask(0, &step{requests: []*request{{typ: typ, flags: flagRequest | flagAck}}})
		if err != nil {
			return nil, err
		}
		if len(got) != 1 || got[0].typ != nlmsgError || got[0].body[0] != 0 {
			return nil, fmt.Errorf("flush: %v", got)
		}
	}
	return k.s, k.s.begin()
}

func (kernelTable) done(*side) {}

// maxFailures ends a run that has nothing more to tell.
const maxFailures = 5

// setups are the tables' settings among the seeds.
var setups = []setup{{}, {accounting: true}, {timestamps: true}, {true, true}}

// shortBound is the time for one comparison with -short.
const shortBound = 2 * time.Second

// conform compares two tables for the time given, or that of CONFORM.
func conform(t *testing.T, bound time.Duration, names [2]string, first, second func(setup) tableMaker) {
	if testing.Short() {
		bound = shortBound
	}
	if s := os.Getenv("CONFORM"); s != "" {
		var err error
		if bound, err = time.ParseDuration(s); err != nil {
			t.Fatal("CONFORM:", err)
		}
	}
	start, only := uint64(1), false
	if s := os.Getenv("CONFORM_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &start); err != nil {
			t.Fatal("CONFORM_SEED:", err)
		}
		only = os.Getenv("CONFORM") == ""
	}
	var makers [][2]tableMaker
	for _, su := range setups {
		makers = append(makers, [2]tableMaker{first(su), second(su)})
	}
	requests, seeds, failures := 0, 0, 0
	seen := tally{}
	for end := time.Now().Add(bound); time.Now().Before(end) && failures < maxFailures; start++ {
		m := makers[start%uint64(len(setups))]
		g := &generator{Rand: rand.New(rand.NewPCG(start, 0)), inverts: true}
		steps := g.sequence(10 + g.IntN(60))
		seeds++
		for _, st := range steps {
			requests += len(st.requests)
		}
		bad, err := run(m[0], m[1], steps, seen)
		if err != nil {
			t.Fatalf("seed %d: %v", start, err)
		}
		if bad != nil {
			failures++
			steps, bad = shrink(m[0], m[1], steps, bad)
			t.Errorf("seed %d, %v:\n%s", start, setups[start%uint64(len(setups))], tell(steps, bad, names))
		}
		if only {
			break
		}
	}
	t.Logf("%d sequences, %d requests compared in %v", seeds, requests, bound)
	t.Logf("answers compared:%s", seen)
	for _, e := range exceptions {
		t.Logf("exception: %s, %d times: %s", e.name, e.n.Swap(0), e.why)
	}
}

// TestConformanceKernels: the kernel agrees with itself, or the comparison
// would prove nothing.
func TestConformanceKernels(t *testing.T) {
	kernel := func(su setup) tableMaker { return kernelTable{newKernel(t, su)} }
	conform(t, 2*time.Second, [2]string{"kernel", "another"}, kernel, kernel)
}

// TestConformance: the engine agrees with the kernel, if that is as new as the
// one that the engine was made after. Older ones refuse less, and know less.
func TestConformance(t *testing.T) {
	if release := kernelRelease(t); release.before(6, 18) && os.Getenv("CONFORM") == "" {
		skipped.Add(1)
		t.Skipf("SKIPPED, the engine is made after Linux 6.18, this is %d.%d (with CONFORM=10s it is compared all the same)", release.major, release.minor)
	}
	conform(t, 7*time.Second, [2]string{"kernel", "engine"},
		func(su setup) tableMaker { return kernelTable{newKernel(t, su)} },
		func(su setup) tableMaker { return engineTable(su) })
}
