package difftest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bench compares two programs, each in its lab, and counts the results.
type bench struct {
	t          *testing.T
	reference  *lab
	ours       *lab
	refDir     string
	ourDir     string
	refProgram string

	commands, cases                     int
	listenersCompared, listenersSkipped int
	excepted                            map[string]int
	found                               map[string]bool // the distinct differences so far
	like                                map[string]int  // how many of them are of one kind
}

// maxDifferences ends a run that finds ever more.
const maxDifferences = 20

func newBench(t *testing.T) *bench {
	return &bench{
		t:          t,
		reference:  newLab(t, programs.reference),
		ours:       newLab(t, programs.ours),
		refDir:     t.TempDir(),
		ourDir:     t.TempDir(),
		refProgram: programs.reference,
		excepted:   map[string]int{},
		found:      map[string]bool{},
		like:       map[string]int{},
	}
}

// both does something in the two labs at once.
func (b *bench) both(f func(l *lab, reference bool)) {
	var wg sync.WaitGroup
	wg.Go(func() { f(b.reference, true) })
	f(b.ours, false)
	wg.Wait()
}

// reset empties both tables.
func (b *bench) reset() {
	b.both(func(l *lab, _ bool) {
		for _, table := range []string{"conntrack", "expect"} {
			if out, err := l.tool("", b.refProgram, "-F", table); err != nil {
				b.t.Errorf("cannot empty the %s table: %v: %s", table, err, out)
			}
		}
	})
}

// tables returns the contents of the two tables, as the reference lists them.
func (b *bench) tables() (ref, our []string) {
	b.both(func(l *lab, reference bool) {
		out, _ := l.tool("", b.refProgram, "-L", "-o", "extended,labels")
		if reference {
			ref = normalise(out)
		} else {
			our = normalise(out)
		}
	})
	return ref, our
}

// once runs a command in both labs, for at most patience.
func (b *bench) once(c *command, patience time.Duration) (ref, our observation) {
	b.both(func(l *lab, reference bool) {
		cmd, dir := c, b.ourDir
		if l.older {
			cmd = c.forOlder()
		}
		if reference {
			dir = b.refDir
		}
		file, err := cmd.writeLoad(dir)
		if err != nil {
			b.t.Error(err)
		}
		stdin := ""
		if cmd.byStdin {
			stdin = cmd.file()
		}
		o := observe(l.run(cmd.args(file), cmd.env, stdin, c.listens(), patience), l.older)
		if reference {
			ref = o
		} else {
			our = o
		}
	})
	return ref, our
}

// Limits for one program, on an idle machine.
const (
	listening = 60 * time.Millisecond // until a program that waits for events is interrupted
	working   = 20 * time.Second      // until any other is killed
)

// run runs a case from empty tables, and returns the first difference that no
// exception explains. It also returns how many commands it ran: not all of them
// when a known difference made the tables differ.
func (b *bench) run(cmds []*command, counted bool) (int, *difference) {
	b.reset()
	if counted {
		b.cases++
	}
	a := b.startListeners(cmds)
	defer a.kill()
	disturbed := false
	for i, c := range cmds {
		if c.background {
			continue
		}
		if c.labAction != nil {
			b.perform(c.labAction)
			continue
		}
		patience := working
		if c.listens() {
			patience = listening
		}
		ref, our := b.once(c, patience)
		for n := 0; n < 2 && c.listens() && (ref.status == 130 || our.status == 130); n++ {
			// The signal came before the program was ready for it: wait longer.
			patience *= 10
			ref, our = b.once(c, patience)
		}
		if counted {
			b.commands++
		}

		diff := differing(ref, our)
		found := exceptionsFor(c, ref, our)
		allowed := aspectsOf(found)
		if diff&^allowed != 0 {
			return i + 1, &difference{cmds: cmds[:i+1], on: c, aspects: diff &^ allowed, ref: ref, our: our}
		}
		last := i == len(cmds)-1
		if allowed&contents != 0 || last {
			refTable, ourTable := b.tables()
			if !slices.Equal(refTable, ourTable) {
				diff |= contents
			}
			if diff&^allowed != 0 {
				return i + 1, &difference{cmds[:i+1], c, diff &^ allowed, ref, our, refTable, ourTable}
			}
		}
		if counted {
			b.countException(found, &difference{cmds[:i+1], c, diff, ref, our, nil, nil})
		}
		if diff&contents != 0 {
			b.listenersSkipped += len(a.cmds)
			return i + 1, nil // what follows cannot be compared
		}
		a.follow(c, ref)
		// docs/classic.md 12: -A does not update in 1.4.7, and in a file does not say so.
		disturbed = disturbed || diff&^stdout != 0 || c.load != nil && c.has("add")
	}
	if disturbed { // the events were not the same
		b.listenersSkipped += len(a.cmds)
		return len(cmds), nil
	}
	return len(cmds), b.compareListeners(a, cmds, counted)
}

// perform runs an action in both labs.
func (b *bench) perform(d *labAction) {
	b.both(func(l *lab, _ bool) {
		l.inside(func() {
			if err := d.do(); err != nil {
				b.t.Errorf("%s: %v", d.name, err)
			}
		})
	})
}

// countException counts the exception that explains a difference, if there is one.
func (b *bench) countException(found []exception, d *difference) {
	for _, e := range found {
		if e.aspects&d.aspects == 0 {
			continue
		}
		if b.excepted[e.row]++; b.excepted[e.row] <= 3 && testing.Verbose() {
			fmt.Fprintf(os.Stderr, "%s: known difference %q: %s\n", b.t.Name(), e.row, d)
		}
		return
	}
}

// check runs a case. A difference is shrunk and reported.
func (b *bench) check(cmds []*command) {
	if _, d := b.run(cmds, true); d != nil {
		b.report(d)
	}
}

// report shrinks a difference and reports it, unless a similar one was reported.
func (b *bench) report(d *difference) {
	if b.full() || b.seen(d) {
		return
	}
	if d = b.shrink(d); d == nil || b.seen(d) {
		return // it did not happen again, or was reported
	}
	b.found[d.key()] = true
	b.like[d.kind()]++
	// At once: the output of the test itself comes when it ends.
	fmt.Fprintf(os.Stderr, "%s: %s\n", b.t.Name(), d)
	b.t.Fail()
}

func (b *bench) full() bool { return len(b.found) >= maxDifferences }

// maxAlike is how many differences of one kind are reported.
const maxAlike = 2

// seen reports whether this difference, or enough of its kind, was reported.
func (b *bench) seen(d *difference) bool {
	return b.found[d.key()] || b.like[d.kind()] >= maxAlike
}

// printSummary prints how much was compared, and how often each exception applied.
func (b *bench) printSummary() {
	rows := make([]string, 0, len(b.excepted))
	sum := 0
	for row, n := range b.excepted {
		rows = append(rows, fmt.Sprintf("    %6d  %s", n, row))
		sum += n
	}
	slices.SortFunc(rows, func(x, y string) int { return strings.Compare(y, x) })
	text := fmt.Sprintf("%s: %d command lines compared in %d cases, %d known differences, %d unexplained\n",
		b.t.Name(), b.commands, b.cases, sum, len(b.found))
	if b.listenersCompared+b.listenersSkipped > 0 {
		text += fmt.Sprintf(
			"    %d listeners among them; %d more were not compared, because the commands they followed differed\n",
			b.listenersCompared,
			b.listenersSkipped,
		)
	}
	if len(rows) > 0 {
		text += strings.Join(rows, "\n") + "\n"
	}
	fmt.Fprint(os.Stderr, text)
}

// absolute makes the name of a program valid in every directory.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}
