package difftest

import (
	"regexp"
	"slices"
	"strings"
)

// A listenerGroup is the listeners of a case, in both labs.
type listenerGroup struct {
	cmds     []*command
	ref, our []*listener
	unsorted bool // the order of the events is fixed, and compared
}

// startListeners starts the listeners of a case. It returns when all of them listen.
func (b *bench) startListeners(cmds []*command) *listenerGroup {
	a := &listenerGroup{unsorted: true}
	for _, c := range cmds {
		if c.background {
			a.cmds = append(a.cmds, c)
		}
	}
	if len(a.cmds) == 0 {
		return a
	}
	b.both(func(l *lab, reference bool) {
		var started []*listener
		for _, c := range a.cmds {
			if l.older {
				c = c.forOlder()
			}
			started = append(started, l.listen(c.args(""), c.env))
		}
		if !await(started, (*listener).ready, beginning) && !slices.ContainsFunc(a.cmds, picksNothing) {
			b.t.Errorf("not all of these listen: %s", a.cmds)
		}
		if reference {
			a.ref = started
		} else {
			a.our = started
		}
	})
	return a
}

// picksNothing reports whether -e may have left no kind of event to listen to,
// as -e SRC_NAT does.
func picksNothing(c *command) bool { return c.has("event-mask") }

// kill ends those that still listen.
func (a *listenerGroup) kill() {
	for _, x := range slices.Concat(a.ref, a.our) {
		x.kill()
	}
}

var manyEntries = regexp.MustCompile(`: (?:[2-9]|\d\d+) flow entries have been`)

// follow notes a command whose events the listeners received: where one command
// affects several entries, their order is not compared.
func (a *listenerGroup) follow(c *command, ref observation) {
	if c.load != nil || c.has("flush") || manyEntries.MatchString(ref.stderr) {
		a.unsorted = false
	}
}

// compareListeners stops the listeners of a case, and returns the first difference
// between them that no exception explains.
func (b *bench) compareListeners(a *listenerGroup, cmds []*command, counted bool) *difference {
	if len(a.cmds) == 0 {
		return nil
	}
	ref, our := make([]observation, len(a.cmds)), make([]observation, len(a.cmds))
	b.both(func(l *lab, reference bool) {
		listeners, seen := a.our, our
		if reference {
			listeners, seen = a.ref, ref
		}
		await(listeners, (*listener).idle, digesting)
		for _, x := range listeners {
			x.stop()
		}
		for i, x := range listeners {
			seen[i] = observeEvents(x.result(), l.older, reference, a.unsorted)
		}
	})
	for i, c := range a.cmds {
		if counted {
			b.commands++
			b.listenersCompared++
		}
		diff := differing(ref[i], our[i])
		found := exceptionsFor(c, ref[i], our[i])
		if x := diff &^ aspectsOf(found); x != 0 {
			return &difference{cmds: cmds, on: c, aspects: x, ref: ref[i], our: our[i]}
		}
		if counted {
			b.countException(found, &difference{cmds, c, diff, ref[i], our[i], nil, nil})
		}
	}
	return nil
}

// observeEvents prepares the result of a listener.
func observeEvents(r result, older, reference, unsorted bool) observation {
	o := observe(r, older)
	if r.status != 0 || r.stdout == "" {
		return o
	}
	o.stdout = nil
	for l := range strings.SplitSeq(r.stdout, "\n") {
		if reference {
			// docs/compat.md #19: only classic lines name the process that caused
			// the event. 1.4.7 names it in XML too.
			l = strangeTail.ReplaceAllString(l, "$1")
		}
		o.stdout = append(o.stdout, normaliseEvent(l))
	}
	if !unsorted {
		slices.Sort(o.stdout)
	}
	return o
}

var (
	strangeTail = regexp.MustCompile(`^(-[AUD] .*|<flow .*</flow>) \[USERSPACE\] portid=\d+(?: progname=.*)?$`)
	eventStart  = regexp.MustCompile(`^(\[\d{8,}\.\d{6}\]\t)?( *\[(?:NEW|UPDATE|DESTROY)\] )`)
	eventTail   = regexp.MustCompile(` \[USERSPACE\] portid=\d+(?: progname=.*)?$`)
	when        = regexp.MustCompile(
		`<when>(?:<(hour|min|sec|wday|day|month|year)>\d+</(?:hour|min|sec|wday|day|month|year)>){7}</when>`,
	)
)

// normaliseEvent is normalise for the line of an event. Neither the time (the
// kernel's in one program, the clock's in the other) nor the process is compared:
// its name is missing if it has ended.
func normaliseEvent(l string) string {
	start := ""
	if m := eventStart.FindStringSubmatch(l); m != nil {
		l = l[len(m[0]):]
		if start = m[2]; m[1] != "" {
			start = "[TIME]\t" + start
		}
	}
	l = eventTail.ReplaceAllString(l, " [USERSPACE] portid=N")
	l = when.ReplaceAllString(l, "<when>TIME</when>")
	return start + normaliseLine(l)
}
