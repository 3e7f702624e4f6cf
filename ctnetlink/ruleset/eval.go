package ruleset

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// Ruleset is a packet filter. It implements [engine.Ruleset] for one table, and
// is not safe for concurrent use.
type Ruleset struct {
	filters [5][]*chain // by hook, in the order in which they run
	nats    [5][]*chain
	natFor  [2]bool // whether there is a chain of type nat: for IPv4, for IPv6
	ctx     ctx
}

// chain is a list of rules.
type chain struct {
	name   string
	line   int
	table  *table
	hooked bool
	nat    bool // of type nat
	hook   engine.Hook
	prio   int32
	policy engine.Action
	rules  []rule
}

// rule is a line of a chain: its parts in the order of the line.
type rule struct {
	line int
	ops  []op
}

// op is a part of a rule: a match or a statement.
type op interface {
	eval(c *ctx) step
}

// step is what follows a part of a rule.
type step uint8

const (
	next       step = iota // the next part
	mismatch               // the next rule
	accept                 // the packet passes this chain and those that jumped to it
	drop                   // the packet is dropped
	reject                 // the packet is rejected
	leave                  // the chain ends: return
	jump                   // ctx.target is run, then the next rule
	goTo                   // ctx.target is run instead of the rest of the chain
	translated             // a nat statement: no other chain of type nat is run
)

// ctx is a packet on its way through the rules.
type ctx struct {
	m      engine.Meta
	family ctnetlink.Family
	target *chain
	to     *engine.Translation
}

// Run implements [engine.Ruleset].
func (r *Ruleset) Run(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
	r.ctx = ctx{m: m, family: m.Family()}
	for _, c := range r.filters[h] {
		if c.prio < from || c.prio >= to || !c.table.covers(r.ctx.family) {
			continue
		}
		switch r.run(c) {
		case drop:
			return engine.Drop
		case reject:
			return engine.Reject
		}
	}
	return engine.Accept
}

// NAT implements [engine.Ruleset].
func (r *Ruleset) NAT(h engine.Hook, m engine.Meta, to *engine.Translation) (engine.Action, bool) {
	r.ctx = ctx{m: m, family: m.Family(), to: to}
	for _, c := range r.nats[h] {
		if !c.table.covers(r.ctx.family) {
			continue
		}
		switch r.run(c) {
		case drop:
			return engine.Drop, false
		case reject:
			return engine.Reject, false
		case translated:
			return engine.Accept, true
		}
	}
	return engine.Accept, false
}

// HasNAT implements [engine.Ruleset].
func (r *Ruleset) HasNAT(f ctnetlink.Family) bool {
	if f == ctnetlink.FamilyIPv4 {
		return r.natFor[0]
	}
	return r.natFor[1]
}

// run runs a chain with a hook, and applies its policy.
func (r *Ruleset) run(c *chain) step {
	switch s := r.walk(c); s {
	case leave, next:
		if c.policy == engine.Drop {
			return drop
		}
		return accept
	default:
		return s
	}
}

// walk runs the rules of a chain. It returns leave if no rule decides.
func (r *Ruleset) walk(c *chain) step {
	for i := range c.rules {
	parts:
		for _, o := range c.rules[i].ops {
			switch s := o.eval(&r.ctx); s {
			case next:
			case mismatch:
				break parts
			case jump:
				if s := r.walk(r.ctx.target); s != leave {
					return s
				}
				break parts
			case goTo:
				return r.walk(r.ctx.target)
			default:
				return s
			}
		}
	}
	return leave
}
