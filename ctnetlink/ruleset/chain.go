package ruleset

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// chain reads a chain: its name, and its block if it has one.
func (p *parser) chain() error {
	t := p.peek()
	name, err := p.word("the name of the chain")
	if err != nil {
		return err
	}
	c := p.t.chains[name]
	if c == nil {
		c = &chain{name: name, line: t.line, table: p.t}
		p.t.chains[name] = c
		p.t.order = append(p.t.order, c)
	}
	p.c = c
	if !p.accept("{") {
		return p.end()
	}
	for p.skipEnds(); !p.accept("}"); p.skipEnds() {
		switch t := p.peek(); {
		case t.is("type"):
			p.next()
			err = p.hook(t)
		case t.is("policy"):
			p.next()
			err = p.policy()
		case t.is("comment"):
			p.next()
			p.next()
			err = p.end()
		case t.text == "" && !t.quoted:
			return p.wrong(t, "\"}\" is expected")
		default:
			err = p.rule()
		}
		if err != nil {
			return err
		}
	}
	return p.end()
}

// priorities are the names of priorities.
var priorities = map[string]int32{
	"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}

// hook reads "filter hook prerouting priority 0", after type.
func (p *parser) hook(at token) error {
	kind := p.next()
	if err := p.expect("hook"); err != nil {
		return err
	}
	hook := p.next()
	i := slices.IndexFunc(hooks[:], func(h engine.Hook) bool { return h.String() == hook.text })
	if i < 0 {
		return p.wrong(hook, "a hook is expected: prerouting, input, forward, output or postrouting")
	}
	if err := p.expect("priority"); err != nil {
		return err
	}
	prio, err := p.priority()
	if err != nil {
		return err
	}
	c := p.c
	c.hooked, c.hook, c.prio = true, hooks[i], prio
	switch kind.text {
	case "filter":
	case "route":
		if c.hook != engine.OutputHook {
			return p.wrong(hook, "a chain of type route has the hook output")
		}
	case "nat":
		if c.nat = true; c.hook == engine.ForwardHook {
			return p.wrong(hook, "a chain of type nat has no hook forward")
		}
	default:
		return p.wrong(kind, "the type filter, nat or route is expected")
	}
	if !c.nat && c.atTracking() {
		return &Error{p.file, at.line, fmt.Sprintf("at %s, priority %d is that of connection tracking itself: write %d or %d",
			c.hook, prio, prio-1, prio+1)}
	}
	return p.end()
}

var hooks = [...]engine.Hook{
	engine.Prerouting, engine.InputHook, engine.ForwardHook, engine.OutputHook, engine.Postrouting,
}

// atTracking reports whether a chain has the priority at which packets are
// tracked or translated at its hook. Which of them is first depends on which was
// there first.
func (c *chain) atTracking() bool {
	switch c.hook {
	case engine.Prerouting, engine.OutputHook:
		return c.prio == -200 || c.prio == -100
	case engine.InputHook, engine.Postrouting:
		return c.prio == 100
	}
	return false
}

// priority reads a number, a name, or a name with an offset.
func (p *parser) priority() (int32, error) {
	t := p.next()
	if n, err := strconv.ParseInt(t.text, 10, 32); err == nil {
		return int32(n), nil
	}
	n, ok := priorities[t.text]
	if !ok && t.is("-") {
		return p.signed(-1)
	}
	if !ok {
		return 0, p.wrong(t, "a priority is expected")
	}
	if sign, ok := p.acceptAny("+", "-"); ok {
		off, err := p.signed(map[string]int32{"+": 1, "-": -1}[sign])
		return n + off, err
	}
	if off := p.peek(); strings.HasPrefix(off.text, "+") || strings.HasPrefix(off.text, "-") {
		p.next()
		v, err := strconv.ParseInt(off.text, 10, 16)
		if err != nil {
			return 0, p.wrong(off, "a number is expected")
		}
		return n + int32(v), nil
	}
	return n, nil
}

func (p *parser) signed(sign int32) (int32, error) {
	t := p.next()
	v, err := strconv.ParseUint(t.text, 10, 16)
	if err != nil {
		return 0, p.wrong(t, "a number is expected")
	}
	return sign * int32(v), nil
}

func (p *parser) policy() error {
	switch t := p.next(); t.text {
	case "accept":
		p.c.policy = engine.Accept
	case "drop":
		p.c.policy = engine.Drop
	default:
		return p.wrong(t, "the policy accept or drop is expected")
	}
	return p.end()
}

// maxDepth is the longest chain of jumps (NFT_JUMP_STACK_SIZE).
const maxDepth = 16

// link finds the chains of jumps, and refuses loops.
func (p *parser) link() error {
	calls := map[*chain][]pendingJump{}
	for _, j := range p.jumps {
		to := j.table.chains[j.to]
		if to == nil {
			return &Error{p.file, j.line, fmt.Sprintf("there is no chain %s in the table %s", j.to, j.table.name)}
		}
		if to.hooked {
			return &Error{p.file, j.line, fmt.Sprintf("the chain %s has a hook: a rule cannot jump to it", j.to)}
		}
		j.set(to)
		calls[j.from] = append(calls[j.from], j)
	}
	depths := map[*chain]int{}
	open := map[*chain]bool{} // the chains on the way to the one that is judged
	var depth func(c *chain, level, line int) (int, error)
	depth = func(c *chain, level, line int) (int, error) {
		if open[c] {
			return 0, &Error{p.file, line, fmt.Sprintf("the jump to %s closes a loop", c.name)}
		}
		if level > maxDepth {
			return 0, &Error{p.file, line, fmt.Sprintf("jumps are nested more than %d deep", maxDepth)}
		}
		if d, ok := depths[c]; ok && level+d <= maxDepth {
			return d, nil
		}
		open[c] = true
		defer delete(open, c)
		deepest := 0
		for _, j := range calls[c] {
			d, err := depth(j.table.chains[j.to], level+1, j.line)
			if err != nil {
				return 0, err
			}
			deepest = max(deepest, d+1)
		}
		depths[c] = deepest
		return deepest, nil
	}
	for _, j := range p.jumps { // in the order of the text, so that a run reports what another reports
		if _, err := depth(j.from, 0, j.from.line); err != nil {
			return err
		}
	}
	return nil
}

// translation is a rule that translates, whose place is checked when it is known
// which chains jump to its chain.
type translation struct {
	chain  *chain
	word   token
	kind   engine.TranslationKind
	source bool
}

// place checks the places of rules that translate: in a chain of type nat at a hook
// that fits, or in one to which only such chains jump.
func (p *parser) place() error {
	if len(p.translations) == 0 {
		return nil
	}
	calls := map[*chain][]*chain{}
	for _, j := range p.jumps {
		calls[j.from] = append(calls[j.from], j.table.chains[j.to])
	}
	rules := map[*chain][]translation{}
	for _, t := range p.translations {
		rules[t.chain] = append(rules[t.chain], t)
	}
	for _, t := range p.tables {
		for _, base := range t.order {
			if !base.hooked {
				continue
			}
			seen := map[*chain]bool{base: true}
			for todo := []*chain{base}; len(todo) > 0; todo = todo[1:] {
				for _, r := range rules[todo[0]] {
					if text := r.misplaced(base); text != "" {
						return &Error{p.file, r.word.line, text}
					}
				}
				for _, c := range calls[todo[0]] {
					if !seen[c] {
						seen[c] = true
						todo = append(todo, c)
					}
				}
			}
		}
	}
	return nil
}

// misplaced says why the rule cannot be run from a chain with a hook.
func (r *translation) misplaced(base *chain) string {
	h := base.hook
	fits := h == engine.Prerouting || h == engine.OutputHook
	if r.source {
		fits = h == engine.Postrouting || h == engine.InputHook && r.kind == engine.SNAT
	}
	switch {
	case !base.nat && base != r.chain:
		return fmt.Sprintf("%s needs a chain of type nat, and the chain %s leads here", r.word.text, base.name)
	case !base.nat:
		return r.word.text + " needs a chain of type nat"
	case !fits:
		return fmt.Sprintf("%s has no place at the hook %s", r.word.text, h)
	}
	return ""
}

// assemble puts the chains with hooks into the order in which they run.
func (p *parser) assemble() *Ruleset {
	r := &Ruleset{}
	for _, t := range p.tables {
		for _, c := range t.order {
			switch {
			case !c.hooked:
			case c.nat:
				r.nats[c.hook] = append(r.nats[c.hook], c)
				r.natFor[0] = r.natFor[0] || t.families != "ip6"
				r.natFor[1] = r.natFor[1] || t.families != "ip"
			default:
				r.filters[c.hook] = append(r.filters[c.hook], c)
			}
		}
	}
	for h := range r.filters {
		byPriority := func(a, b *chain) int { return cmp.Compare(a.prio, b.prio) }
		slices.SortStableFunc(r.filters[h], byPriority)
		slices.SortStableFunc(r.nats[h], byPriority)
	}
	return r
}
