package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// gap is a difference between the two sides at a move.
type gap struct {
	move  int // number of the move; the number of moves: the table at the end
	what  string
	k, e  *outcome
	moves []move // as they were made
}

// run makes the moves of a scenario on both sides. It returns the first
// difference, nil if there is none, and the number of packets compared.
func (f *fidelity) run(s *scenario) (*gap, int, error) { return f.try(s, s.moves, true) }

func (f *fidelity) try(s *scenario, moves []move, count bool) (*gap, int, error) {
	e, err := newEngineSide(s.set, time.Now())
	if err != nil {
		return nil, 0, err
	}
	r := &running{f: f, s: s, k: f.k, e: e, known: map[key]bool{}, left: map[int][]byte{}, sent: &translations{},
		slack: slack{seconds: 1}}
	moves = slices.Clone(moves)
	if err := r.k.empty(); err != nil {
		return nil, 0, err
	}
	defer r.end()
	n := 0
	for i := range moves {
		m := &moves[i]
		if m.answer != nil {
			if m.packet = nil; r.left[m.flow] != nil {
				m.packet = m.answer(r.left[m.flow])
			}
			if m.packet == nil {
				continue
			}
		}
		if s.set.translates && !m.exact && m.answer == nil {
			m.packet = r.sent.answer(m.at, m.packet)
		}
		d, err := r.move(i, *m)
		if err != nil {
			return nil, n, fmt.Errorf("move %d, %s: %w", i, m, err)
		}
		if d != nil {
			d.moves = moves
			if count && explained(s, moves[:i+1], d) {
				return nil, n + 1, nil
			}
			return d, n, nil
		}
		if m.packet != nil {
			n++
			if count {
				f.seen[r.last]++
			}
		}
	}
	d, err := r.compareTables(len(moves))
	if d != nil {
		d.moves = moves
	}
	if d != nil && count && explained(s, moves, d) {
		d = nil
	}
	return d, n, err
}

// running is a scenario that runs.
type running struct {
	f     *fidelity
	s     *scenario
	k     *kernelSide
	e     *engineSide
	ahead time.Duration  // of the engine's clock
	known map[key]bool   // entries that events told of
	left  map[int][]byte // packets that left, by flow
	sent  *translations
	slack slack
	last  string // the last verdict
}

// end empties the kernel's table.
func (r *running) end() {
	for k := range r.known {
		r.k.ask(message(ctDelete, flagAck, 0, k.family, []byte(k.attrs)))
	}
}

// move makes one move on both sides.
func (r *running) move(i int, m move) (*gap, error) {
	switch {
	case m.wait > 0:
		time.Sleep(m.wait)
		return nil, nil
	case m.jump > 0:
		return r.jump(i, m.jump)
	case m.request != nil:
		return r.request(i, m.request)
	}
	begin := time.Now()
	r.e.clock = begin.Add(r.ahead)
	k, err := r.k.send(m)
	if err != nil {
		return nil, err
	}
	r.know(k.events)
	if m.other != 0 && len(k.leaves) == 1 {
		r.left[m.other] = k.leaves[0].Data
	} else if m.flow > 0 && len(k.leaves) == 1 {
		at := m.flow
		if m.answer != nil {
			at = -at
		}
		r.left[at] = k.leaves[0].Data
	}
	r.sent.learn(m.at, m.packet, k.leaves)
	r.e.choice.from(k.events)
	e, entry, err := r.e.send(m)
	if err != nil {
		return nil, err
	}
	r.know(e.events)
	if entry == nil {
		for _, a := range k.events {
			if a.typ == ctNew {
				entry = message(ctNew, 0, 0, a.family, a.body)
			}
		}
	}
	if err := r.question(k, e, entry); err != nil {
		return nil, err
	}
	// A machine that does other things may lie between the two clocks.
	r.slack.seconds += uint32(time.Since(begin) / (time.Second / 2))
	r.last = k.state
	if d := outcomesDiffer(r.slack, k, e); d != "" {
		return &gap{move: i, what: d, k: k, e: e}, nil
	}
	return nil, nil
}

// question asks both sides for an entry, expectations and the counters.
func (r *running) question(k, e *outcome, entry []byte) error {
	requests := [][]byte{message(ctGetStatsCPU, flagDump, 0, 0, nil)}
	if entry != nil {
		at := keyOf(newAnswer(entry))
		requests = append(requests, message(ctGet, 0, 0, at.family, []byte(at.attrs)))
	}
	if r.s.set.expects {
		requests = append(requests, message(expGet, flagDump, 0, 0, nil))
	}
	msgs, err := r.k.ask(requests...)
	if err != nil {
		return err
	}
	k.read(msgs, r.k.before)
	if msgs, err = r.e.ask(requests...); err != nil {
		return err
	}
	e.read(msgs, nil)
	r.e.choice.count(k, e)
	return nil
}

// know remembers the entries that events tell of.
func (r *running) know(events []answer) {
	for _, a := range events {
		if a.typ == ctNew {
			r.known[keyOf(a)] = true
		}
	}
}

// request sends a request to both sides.
func (r *running) request(i int, q *ctRequest) (*gap, error) {
	r.e.clock = time.Now().Add(r.ahead)
	b := message(q.typ, q.flags, 0, q.family, q.attrs)
	k, e := &outcome{}, &outcome{}
	msgs, err := r.k.ask(b)
	if err != nil {
		return nil, err
	}
	k.read(msgs, nil)
	got, err := r.k.lab.Collect()
	if err != nil {
		return nil, err
	}
	k.events = readEvents(got.Events)
	r.e.choice.from(k.events)
	if msgs, err = r.e.ask(b); err != nil {
		return nil, err
	}
	e.read(msgs, nil)
	if e.events, err = r.e.events(); err != nil {
		return nil, err
	}
	r.know(k.events)
	for _, o := range []*outcome{k, e} {
		for j := range o.events {
			o.events[j].pid = 0
		}
	}
	if d := outcomesDiffer(r.slack, k, e); d != "" {
		return &gap{move: i, what: d, k: k, e: e}, nil
	}
	return nil, nil
}

// jump lets time pass: the engine's clock goes on; the kernel's entries that have
// ended for the engine are deleted, and the others get what is left of their
// timeouts.
func (r *running) jump(i int, d time.Duration) (*gap, error) {
	r.ahead += d
	r.e.clock = time.Now().Add(r.ahead)
	r.slack.seconds++ // both round down
	r.e.t.Expire()
	events, err := r.e.events()
	if err != nil {
		return nil, err
	}
	ended := map[key]bool{}
	for _, a := range events {
		if a.typ == ctDelete {
			ended[keyOf(a)] = true
		}
	}
	for at := range r.known {
		msgs, err := r.k.ask(message(ctGet, 0, 0, at.family, []byte(at.attrs)))
		if err != nil {
			return nil, err
		}
		var o outcome
		o.read(msgs, nil)
		if len(o.entry) == 1 && o.entry[0].typ == ctNew && keyOf(o.entry[0]) != at {
			delete(r.known, at) // it was replaced by one in the other direction
			continue
		}
		if len(o.entry) != 1 || o.entry[0].typ != ctNew {
			if ended[at] {
				return &gap{move: i, what: "an entry ended that the kernel does not have", k: &o, e: &outcome{events: events}}, nil
			}
			delete(r.known, at)
			continue
		}
		left := time.Duration(o.entry[0].timeout()) * time.Second
		switch {
		case ended[at] && left > d+r.near(), !ended[at] && left < d-r.near():
			return &gap{move: i, k: &o, e: &outcome{events: events},
				what: fmt.Sprintf("the kernel's entry has %v left, ended for the engine: %t", left, ended[at])}, nil
		case ended[at]:
			delete(r.known, at)
			_, err = r.k.ask(message(ctDelete, flagAck, 0, at.family, []byte(at.attrs)))
		default:
			seconds := uint32(max(left-d+time.Second/2, time.Second) / time.Second)
			_, err = r.k.ask(message(ctNew, flagAck, 0, at.family,
				appendAttr([]byte(at.attrs), ctaTimeout, binary.BigEndian.AppendUint32(nil, seconds))))
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.ageExpectations(d); err != nil {
		return nil, err
	}
	_, err = r.k.lab.Collect()
	return nil, err
}

// ageExpectations makes the kernel's expectations older; those that the engine
// does not have any more are deleted.
func (r *running) ageExpectations(d time.Duration) error {
	list := message(expGet, flagDump, 0, 0, nil)
	var k, e outcome
	msgs, err := r.k.ask(list)
	if err != nil {
		return err
	}
	k.read(msgs, nil)
	if msgs, err = r.e.ask(list); err != nil {
		return err
	}
	e.read(msgs, nil)
	for _, x := range k.expects {
		same := func(y answer) bool {
			return bytes.Equal(find(x.body, ctaExpTuple), find(y.body, ctaExpTuple)) &&
				bytes.Equal(find(x.body, ctaExpMask), find(y.body, ctaExpMask))
		}
		b := appendAttr(nil, ctaExpTuple|nested, find(x.body, ctaExpTuple))
		left := time.Duration(binary.BigEndian.Uint32(find(x.body, ctaExpTimeout))) * time.Second
		if !slices.ContainsFunc(e.expects, same) {
			if left > d+r.near() {
				continue // it differs, and that will be seen
			}
			_, err = r.k.ask(message(expDelete, flagAck, 0, x.family, b))
		} else {
			b = appendAttr(b, ctaExpMask|nested, find(x.body, ctaExpMask))
			b = appendAttr(b, ctaExpMaster|nested, find(x.body, ctaExpMaster))
			seconds := uint32(max(left-d+time.Second/2, time.Second) / time.Second)
			b = appendAttr(b, ctaExpTimeout, binary.BigEndian.AppendUint32(nil, seconds))
			_, err = r.k.ask(message(expNew, flagAck, 0, x.family, b))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// near is how far the two clocks may be apart.
func (r *running) near() time.Duration { return time.Duration(r.slack.seconds) * time.Second }

// timeout returns what is left of an entry's timeout.
func (a answer) timeout() uint32 {
	b := find(a.body, ctaTimeout)
	if len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// compareTables compares all entries.
func (r *running) compareTables(i int) (*gap, error) {
	r.e.clock = time.Now().Add(r.ahead)
	var requests [][]byte
	keys := make([]key, 0, len(r.known))
	for at := range r.known {
		keys = append(keys, at)
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.attrs, b.attrs) })
	for _, at := range keys {
		requests = append(requests, message(ctGet, 0, 0, at.family, []byte(at.attrs)))
	}
	requests = append(requests, message(ctGetStats, 0, 0, 0, nil), message(expGet, flagDump, 0, 0, nil))
	k, e := &outcome{}, &outcome{}
	msgs, err := r.k.ask(requests...)
	if err != nil {
		return nil, err
	}
	k.read(msgs, nil)
	if msgs, err = r.e.ask(requests...); err != nil {
		return nil, err
	}
	e.read(msgs, nil)
	if d := outcomesDiffer(r.slack, k, e); d != "" {
		return &gap{move: i, what: d, k: k, e: e}, nil
	}
	return nil, nil
}
