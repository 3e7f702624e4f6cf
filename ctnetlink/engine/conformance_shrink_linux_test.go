package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// mismatch is the first difference between two tables.
type mismatch struct {
	step int
	what string
	got  [2][]answer // answers to the step on both sides
}

// run sends the steps to both sides and compares the answers; nil if they are
// the same. An error is one of a socket.
func run(a, b tableMaker, steps []*step, seen tally) (*mismatch, error) {
	sides := [2]*side{}
	for i, mk := range []tableMaker{a, b} {
		s, err := mk.empty()
		if err != nil {
			return nil, err
		}
		defer mk.done(s)
		sides[i] = s
	}
	end := []*step{sweep(), sweep(), {requests: []*request{{typ: expGet, flags: flagRequest | flagDump}}},
		{requests: []*request{{typ: ctGetStats, flags: flagRequest}}},
		{requests: []*request{{typ: expGetStatsCPU, flags: flagRequest | flagDump}}},
		{requests: []*request{{typ: ctGetStatsCPU, flags: flagRequest | flagDump}}}}
	began, sought := time.Now(), slices.ContainsFunc(steps, seeksPort)
	var ended [2][]answer // what the kernel may or may not have removed before the sweep
	for i, st := range append(slices.Clip(steps), end...) {
		var answers, events [2][]answer
		for k, s := range sides {
			got, err := s.ask(i, st)
			if err != nil {
				return nil, err
			}
			heard, err := s.drain(s.listener)
			if err != nil {
				return nil, err
			}
			answers[k], events[k] = s.arrange(got, st, false), s.arrange(heard, st, true)
			switch {
			case slices.ContainsFunc(st.requests, endsAtOnce):
				events[k], ended[k] = split(events[k], answer.ended)
			case st.sweeps:
				events[k] = append(ended[k], events[k]...)
				sortAnswers(events[k])
				ended[k] = nil
			}
		}
		l := leeway{sweeps: st.sweeps, seconds: 2 + uint32(time.Since(began).Seconds()), found: sought}
		if d := differences(l, "answers", answers[0], answers[1]); d != "" && !excused(st) {
			return &mismatch{i, d, answers}, nil
		}
		seen.add(st, answers[0], events[0])
		if d := differences(l, "events", events[0], events[1]); d != "" {
			return &mismatch{i, d, events}, nil
		}
	}
	return nil, nil
}

// longestShrink bounds the time spent on one difference.
const longestShrink = 30 * time.Second

// shrink removes steps, requests and attributes as long as the tables differ.
func shrink(a, b tableMaker, steps []*step, first *mismatch) ([]*step, *mismatch) {
	last := first
	// A difference that does not occur every time needs several tries.
	enough := time.Now().Add(longestShrink)
	fails := func(try []*step) bool {
		if !swept(try) || time.Now().After(enough) {
			return false
		}
		for range 2 {
			m, err := run(a, b, try, nil)
			if err == nil && m != nil {
				last = m
				return true
			}
		}
		return false
	}
	if last.step < len(steps) {
		if cut := steps[:last.step+1]; fails(cut) {
			steps = cut
		}
	}
	for changed := true; changed; {
		changed = false
		for size := max(len(steps)/2, 1); size >= 1; size /= 2 {
			for i := 0; i+size <= len(steps); {
				if try := slices.Concat(steps[:i], steps[i+size:]); fails(try) {
					steps, changed = try, true
				} else {
					i += size
				}
			}
		}
		for i := range steps {
			for j := 0; j < len(steps[i].requests) && len(steps[i].requests) > 1; {
				if try := without(steps, i, func(st *step) { st.requests = slices.Delete(st.requests, j, j+1) }); fails(try) {
					steps, changed = try, true
				} else {
					j++
				}
			}
			for j := range steps[i].requests {
				for k := 0; k < len(steps[i].requests[j].attrs); {
					if try := without(steps, i, func(st *step) {
						r := st.requests[j]
						r.attrs = slices.Delete(r.attrs, k, k+1)
					}); fails(try) {
						steps, changed = try, true
					} else {
						k++
					}
				}
			}
		}
	}
	enough = time.Now().Add(longestShrink)
	fails(steps) // so that last belongs to the steps that are returned
	return steps, last
}

// without returns the steps with the i-th one changed.
func without(steps []*step, i int, change func(*step)) []*step {
	st := &step{socket: steps[i].socket, sweeps: steps[i].sweeps}
	for _, r := range steps[i].requests {
		st.requests = append(st.requests, r.clone())
	}
	change(st)
	steps = slices.Clone(steps)
	steps[i] = st
	return steps
}

// tell describes a sequence and its mismatch.
func tell(steps []*step, m *mismatch, names [2]string) string {
	var b strings.Builder
	for i, st := range steps {
		fmt.Fprintf(&b, "%3d socket %d\n", i, st.socket+1)
		for j, r := range st.requests {
			fmt.Fprintf(&b, "      #%d %s\n", j, r)
		}
	}
	if m == nil {
		return b.String() + "(does not come again)\n"
	}
	where := fmt.Sprintf("step %d", m.step)
	if m.step >= len(steps) {
		where = fmt.Sprintf("the table at the end (%d)", m.step-len(steps))
	}
	fmt.Fprintf(&b, "differ in %s: %s\n", where, m.what)
	for k, got := range m.got {
		fmt.Fprintf(&b, "  %s:\n", names[k])
		for i, a := range got {
			mark := ""
			if i >= len(m.got[1-k]) || difference(leeway{seconds: 2}, a, m.got[1-k][i]) != "" {
				mark = ">> "
			}
			if text := a.String(); mark != "" {
				fmt.Fprintf(&b, "   %s%s\n", mark, text)
			} else {
				fmt.Fprintf(&b, "      %.80s…\n", text)
			}
		}
	}
	return b.String()
}

// String describes the request.
func (r *request) String() string {
	extra := ""
	for _, e := range []struct {
		is   bool
		text string
	}{
		{r.version != 0, fmt.Sprintf(" version %d", r.version)}, {r.res != 0, fmt.Sprintf(" res %d", r.res)},
		{r.bare, " bare"},
		{r.cut != 0, fmt.Sprintf(" cut by %d", r.cut)}, {r.lie != 0, fmt.Sprintf(" length %+d", r.lie)},
	} {
		if e.is {
			extra += e.text
		}
	}
	flags := ""
	rest := r.flags
	for _, f := range []struct {
		bit  uint16
		name string
	}{
		{flagDump, "DUMP"}, {flagExcl, "EXCL"}, {flagCreate, "CREATE"}, {flagAck, "ACK"}, {flagEcho, "ECHO"},
		{flagRequest, ""},
	} {
		if rest&f.bit == f.bit && !(f.bit == flagDump && r.typ&0xff == 0) {
			rest &^= f.bit
			if f.name != "" {
				flags += "|" + f.name
			}
		}
	}
	if r.flags&flagRequest == 0 {
		flags += "|(no REQUEST)"
	}
	if rest != 0 {
		flags += fmt.Sprintf("|%#x", rest)
	}
	var b []byte
	for _, n := range r.attrs {
		b = n.append(b, func(string) uint32 { return 0x1d1d1d1d })
	}
	s := entrySchema
	if r.typ>>8 == 2 {
		s = expectSchema
	}
	return fmt.Sprintf("%s %s family %d%s: %s", messageName(r.typ), strings.TrimPrefix(flags, "|"), r.family, extra,
		s.show(b))
}
