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

// A bench compares two programs, each in its lab, and keeps the score.
type bench struct {
	t          *testing.T
	reference  *lab
	ours       *lab
	refDir     string
	ourDir     string
	refProgram string

	commands, cases int
	heard, deaf     int // listeners that were compared, and that could not be
	excused         map[string]int
	found           map[string]bool // the distinct differences so far
	like            map[string]int  // how many of them are of one kind
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
		excused:    map[string]int{},
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

// tables returns what is in the two tables, as the reference tells it.
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

// once runs a command in both labs.
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

// Patience with a program that listens, and with one that should not.
const (
	listening = 60 * time.Millisecond
	working   = 10 * time.Second
)

// run runs a case from empty tables, and returns the first difference that no
// excuse explains. It also returns how many commands it ran: fewer than all
// when an excused difference drove the tables apart.
func (b *bench) run(cmds []*command, score bool) (int, *difference) {
	b.reset()
	if score {
		b.cases++
	}
	a := b.gather(cmds)
	defer a.dismiss()
	disturbed := false
	for i, c := range cmds {
		if c.background {
			continue
		}
		if c.deed != nil {
			b.perform(c.deed)
			continue
		}
		patience := working
		if c.listens() {
			patience = listening
		}
		ref, our := b.once(c, patience)
		if c.listens() && (ref.status == 130 || our.status == 130) {
			// The signal came before the program was ready for it.
			ref, our = b.once(c, 10*listening)
		}
		if score {
			b.commands++
		}

		diff := differing(ref, our)
		found := excusesFor(c, ref, our)
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
		if score {
			b.excuse(found, &difference{cmds[:i+1], c, diff, ref, our, nil, nil})
		}
		if diff&contents != 0 {
			b.deaf += len(a.cmds)
			return i + 1, nil // what follows cannot be compared
		}
		a.follow(c, ref)
		// docs/classic.md 12: -A does not update in 1.4.7, and in a file does not say so.
		disturbed = disturbed || diff&^stdout != 0 || c.load != nil && c.has("add")
	}
	if disturbed { // what there was to hear is not the same
		b.deaf += len(a.cmds)
		return len(cmds), nil
	}
	return len(cmds), b.hear(a, cmds, score)
}

// perform does something in both labs.
func (b *bench) perform(d *deed) {
	b.both(func(l *lab, _ bool) {
		l.inside(func() {
			if err := d.do(); err != nil {
				b.t.Errorf("%s: %v", d.name, err)
			}
		})
	})
}

// excuse counts a difference that was excused, if it is one.
func (b *bench) excuse(found []excuse, d *difference) {
	for _, e := range found {
		if e.aspects&d.aspects == 0 {
			continue
		}
		if b.excused[e.row]++; b.excused[e.row] <= 3 && testing.Verbose() {
			fmt.Fprintf(os.Stderr, "%s: excused by %q: %s\n", b.t.Name(), e.row, d)
		}
		return
	}
}

// check runs a case; what it finds is shrunk and reported.
func (b *bench) check(cmds []*command) {
	if _, d := b.run(cmds, true); d != nil {
		b.report(d)
	}
}

// report shrinks a difference and reports it, unless one like it was.
func (b *bench) report(d *difference) {
	if b.full() || b.seen(d) {
		return
	}
	if d = b.shrink(d); d == nil || b.seen(d) {
		return // it did not happen again, or is an old acquaintance
	}
	b.found[d.key()] = true
	b.like[d.kind()]++
	// At once, for whoever watches; the test's own output comes at its end.
	fmt.Fprintf(os.Stderr, "%s: %s\n", b.t.Name(), d)
	b.t.Fail()
}

func (b *bench) full() bool { return len(b.found) >= maxDifferences }

// maxAlike is how many differences of one kind are worth a report.
const maxAlike = 2

// seen reports whether this difference, or enough of its kind, were reported.
func (b *bench) seen(d *difference) bool {
	return b.found[d.key()] || b.like[d.kind()] >= maxAlike
}

// score prints what was compared, and what was excused.
func (b *bench) score() {
	rows := make([]string, 0, len(b.excused))
	sum := 0
	for row, n := range b.excused {
		rows = append(rows, fmt.Sprintf("    %6d  %s", n, row))
		sum += n
	}
	slices.SortFunc(rows, func(x, y string) int { return strings.Compare(y, x) })
	text := fmt.Sprintf("%s: %d command lines compared in %d cases, %d excused differences, %d unexplained\n",
		b.t.Name(), b.commands, b.cases, sum, len(b.found))
	if b.heard+b.deaf > 0 {
		text += fmt.Sprintf("    %d listeners among them; %d more may have heard of an excused difference, and were not compared\n", b.heard, b.deaf)
	}
	if len(rows) > 0 {
		text += strings.Join(rows, "\n") + "\n"
	}
	fmt.Fprint(os.Stderr, text)
}

// absolute makes the name of a program good in every directory.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}
