package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// The conformance test sends random sequences of requests, the same bytes, to
// two tables. Errors, answers, events and their order, and the tables at the
// end must be the same. The kernel's table decides what is right.
//
// A generator makes a sequence from a seed. A failure prints the seed and the
// shortest sequence that shows the difference. All runs use the same seeds;
// time bounds their number:
//
//	go test ./ctnetlink/engine -run Conformance                 # some seconds
//	CONFORM=5m go test ./ctnetlink/engine -run Conformance -timeout 0
//	CONFORM_SEED=1234 go test ./ctnetlink/engine -run Conformance # only this; with CONFORM, from this on
//
// Known differences are listed as exceptions, with their reasons, and counted.

// tableMaker makes empty tables of one kind.
type tableMaker interface {
	empty() (*side, error)
	done(*side)
}

// kernelTable is a network namespace whose table is emptied for each sequence.
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

// maxFailures is the number of failures after which the test ends.
const maxFailures = 5

// setups are the settings of the tables; the seeds use them in turn.
var setups = []setup{{}, {accounting: true}, {timestamps: true}, {true, true}}

// shortBound is the time for one comparison with -short.
const shortBound = 2 * time.Second

// conform compares two tables for the given time, or for that in CONFORM.
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

// TestConformanceKernels compares the kernel with itself. If that fails,
// comparing it with the engine proves nothing.
func TestConformanceKernels(t *testing.T) {
	kernel := func(su setup) tableMaker { return kernelTable{newKernel(t, su)} }
	conform(t, 2*time.Second, [2]string{"kernel", "another"}, kernel, kernel)
}

// TestConformance compares the engine with the kernel, if that is at least as
// new as the one the engine imitates. Older kernels refuse fewer requests and
// have fewer attributes.
func TestConformance(t *testing.T) {
	if release := kernelRelease(t); release.before(6, 18) && os.Getenv("CONFORM") == "" {
		skipped.Add(1)
		t.Skipf("SKIPPED: the engine imitates Linux 6.18, this is %d.%d (CONFORM=10s compares them nevertheless)",
			release.major, release.minor)
	}
	conform(t, time.Duration(testwait.Size(7, 4))*time.Second, [2]string{"kernel", "engine"},
		func(su setup) tableMaker { return kernelTable{newKernel(t, su)} },
		func(su setup) tableMaker { return engineTable(su) })
}
