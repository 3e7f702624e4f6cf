package live

import (
	"errors"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// entryFilter decides which entries match a filter. Most criteria are compared with
// the record: an entry that fails one is passed over before more is done. Entries that
// pass are compared with the whole filter as a message, unless all its criteria have
// been.
type entryFilter struct {
	all    bool // every entry matches
	checks []func(*entry) bool
	whole  *filter.Filter
	done   bool // the checks are all criteria
	// doneCommon: they are all, for entries that have nothing that few entries have.
	doneCommon bool
}

var errNotKept = errors.New("verification tags are not known here: they are not kept of entries that are followed")

// compile makes it decide as m does.
func (x *entryFilter) compile(q *question, m *filter.Filter) error {
	*x = entryFilter{all: m == nil}
	if m == nil {
		return nil
	}
	if m.ExaminesTags() {
		return errNotKept
	}
	whole := *m
	whole.Now = func() time.Time { return q.context.Now }
	x.whole = &whole
	if m.Family != ctnetlink.FamilyAny {
		ipv6 := m.Family == ctnetlink.FamilyIPv6
		x.check(func(e *entry) bool { return e.ipv6() == ipv6 })
	}
	x.tuple(&m.Orig, false)
	x.tuple(&m.Reply, true)
	x.numbers(m)
	x.ends(m)
	x.times(q, m)
	x.nat(m)
	x.doneCommon = m.Role == nil && x.any(q, m.Any)
	x.done = x.doneCommon && m.SecMark == nil && m.Labels == nil && m.WithoutLabels == nil
	if m.SecMark != nil || !(ctnetlink.Labels{}).ContainsAll(m.Labels) {
		x.check(func(e *entry) bool { return !e.common() })
	}
	return nil
}

// any adds that one of some filters must match, unless there are many: those have an
// index. It reports whether the filters have no other criteria.
func (x *entryFilter) any(q *question, any *filter.Any) (done bool) {
	const few = 16
	if any == nil {
		return true
	}
	if any.Len() > few {
		return false
	}
	list := make([]entryFilter, 0, any.Len())
	done = true
	for m := range any.All() {
		var one entryFilter
		_ = one.compile(q, m) // the whole filter has been checked
		list = append(list, one)
		done = done && one.done
	}
	x.check(func(e *entry) bool {
		for i := range list {
			if list[i].passes(e) {
				return true
			}
		}
		return false
	})
	return done
}

func (x *entryFilter) check(f func(*entry) bool) { x.checks = append(x.checks, f) }

// match reports whether the entry that is looked at matches.
func (x *entryFilter) match(q *question, e *entry) bool {
	if x.all {
		return true
	}
	if !q.odd {
		if !x.passes(e) {
			return false
		}
		if x.done || x.doneCommon && e.common() {
			return true
		}
	}
	return x.whole.Match(q.whole(e))
}

// passes reports whether an entry that is not odd passes the checks.
func (x *entryFilter) passes(e *entry) bool {
	for _, check := range x.checks {
		if !check(e) {
			return false
		}
	}
	return true
}

// numbers adds the criteria on what is one number of the entry.
func (x *entryFilter) numbers(m *filter.Filter) {
	if set := m.Zone; set != nil {
		none := set.Contains(0)
		x.check(func(e *entry) bool {
			zone, orig, reply := e.zone()
			return orig && reply && set.Contains(uint32(zone)) || !(orig && reply) && none
		})
	}
	if set := m.ID; set != nil {
		x.check(func(e *entry) bool { id, ok := e.id(); return ok && set.Contains(id) })
	}
	if marks, not := m.Marks, m.NotMarks; len(marks) > 0 {
		x.check(func(e *entry) bool {
			mark, ok := e.mark()
			for i := range marks {
				if n := mark & marks[i].Mask; n >= marks[i].Min && n <= marks[i].Max {
					return ok && !not
				}
			}
			return ok && not
		})
	}
	if set, clear, one := m.StatusSet, m.StatusClear, m.StatusAny; set|clear|one != 0 {
		x.check(func(e *entry) bool {
			status, ok := e.status()
			return ok && status&set == set && status&clear == 0 && (one == 0 || status&one != 0)
		})
	}
	if m.States != nil {
		var wanted [256]uint32 // by protocol
		seen := [256]bool{}
		for _, s := range m.States { // the first of a protocol counts
			if !seen[s.Proto] {
				wanted[s.Proto], seen[s.Proto] = s.States, true
			}
		}
		x.check(func(e *entry) bool {
			r := e.core()
			return r.state < 32 && wanted[r.proto]>>r.state&1 != 0
		})
	}
	if packets, bytes := m.MinPackets, m.MinBytes; packets|bytes != 0 {
		x.check(func(e *entry) bool {
			n, ok := e.counters()
			return ok && n[0]+n[2] >= packets && n[1]+n[3] >= bytes
		})
	}
}

// times adds the criteria on the age and on the remaining time.
func (x *entryFilter) times(q *question, m *filter.Filter) {
	if older, younger := m.Older, m.Younger; older|younger != 0 {
		x.check(func(e *entry) bool {
			start, ok := e.start()
			age := max(q.context.Now.Sub(time.Unix(int64(start), 0)), 0)
			return ok && age >= older && (younger == 0 || age < younger)
		})
	}
	if within := m.ExpiresWithin; within > 0 {
		x.check(func(e *entry) bool {
			left, ok := e.timeout()
			return ok && time.Duration(left)*time.Second <= within
		})
	}
}

// nat adds the criteria on the translation.
func (x *entryFilter) nat(m *filter.Filter) {
	if !m.SrcNAT.Given && !m.DstNAT.Given && !m.AnyNAT.Given {
		return
	}
	sourceIs, destinationIs := newSource(&m.SrcNAT), newDestination(&m.DstNAT)
	anySource, anyDestination := newSource(&m.AnyNAT), newDestination(&m.AnyNAT)
	src, dst, either := m.SrcNAT, m.DstNAT, m.AnyNAT
	var n translated // here, so that it is not allocated for each entry
	x.check(func(e *entry) bool {
		if e.plain() {
			return false
		}
		n = e.translated()
		if src.Given && (!n.source || sourceIs(e, &n) == src.Not) ||
			dst.Given && (!n.destination || destinationIs(e, &n) == dst.Not) {
			return false
		}
		if !either.Given {
			return true
		}
		to := n.source && anySource(e, &n) || n.destination && anyDestination(e, &n)
		return (n.source || n.destination) && to != either.Not
	})
}

// newSource returns a function that reports whether the source was translated to what n
// asks for, whatever n.Not is.
func newSource(n *filter.NAT) func(*entry, *translated) bool {
	is, port, hasPort := newAddr(n), uint64(n.Port), n.HasPort
	return func(e *entry, t *translated) bool {
		to, _ := e.newPorts(t)
		return is(e, t.reply.dst) && (!hasPort || e.core().has&(ports|icmp) != 0 && to == port)
	}
}

// newDestination is newSource for the destination.
func newDestination(n *filter.NAT) func(*entry, *translated) bool {
	is, port, hasPort := newAddr(n), uint64(n.Port), n.HasPort
	return func(e *entry, t *translated) bool {
		_, to := e.newPorts(t)
		return is(e, t.reply.src) && (!hasPort || e.hasPorts() && to == port)
	}
}

func newAddr(n *filter.NAT) func(*entry, [2]uint64) bool {
	if n.In == nil && !n.Addr.IsValid() {
		return func(*entry, [2]uint64) bool { return true }
	}
	return containsAddr(&filter.Address{Addr: n.Addr, Mask: n.Mask, In: n.In})
}

// tuple adds the criteria on the tuple of a direction.
func (x *entryFilter) tuple(w *filter.Tuple, reply bool) {
	if set := w.Number(ctnetlink.FieldProto); set != nil {
		var wanted [256]bool
		for n := range wanted {
			wanted[n] = set.Contains(uint32(n))
		}
		x.check(func(e *entry) bool {
			return wanted[e.proto()]
		})
	}
	for _, part := range [...]struct {
		field ctnetlink.Fields
		in    flags
		shift uint
		mask  uint32
	}{
		{ctnetlink.FieldSrcPort, ports, 16, 0xffff}, {ctnetlink.FieldDstPort, ports, 0, 0xffff},
		{ctnetlink.FieldICMPID, icmp, 16, 0xffff}, {ctnetlink.FieldICMPType, icmp, 8, 0xff},
		{ctnetlink.FieldICMPCode, icmp, 0, 0xff},
	} {
		if set := w.Number(part.field); set != nil {
			in := contains(set)
			x.check(func(e *entry) bool {
				return e.core().has&part.in != 0 && in(e.ports(reply)>>part.shift&part.mask)
			})
		}
	}
	for _, field := range [...]ctnetlink.Fields{ctnetlink.FieldSrc, ctnetlink.FieldDst} {
		a := w.Addr(field)
		if a.In == nil && !a.Addr.IsValid() {
			continue
		}
		in := containsAddr(&a)
		dst := field == ctnetlink.FieldDst
		x.check(func(e *entry) bool { return in(e, e.end(reply, dst)) != a.Not })
	}
	if set := w.Number(ctnetlink.FieldZone); set != nil {
		none := set.Contains(0)
		x.check(func(e *entry) bool {
			zone, o, r := e.zone()
			if o == r || r != reply { // of both directions, or of the other one
				return none
			}
			return set.Contains(uint32(zone))
		})
	}
}

// ports returns what the tuple of a direction has in place of ports.
func (e *entry) ports(reply bool) uint32 {
	if reply {
		return e.reply().ports
	}
	return e.orig().ports
}

// end returns the source or the destination of a direction.
func (e *entry) end(reply, dst bool) [2]uint64 {
	t := e.orig()
	if reply {
		t = e.reply()
	}
	if dst {
		return t.dst
	}
	return t.src
}

// ends adds the criteria on any of the four ends.
func (x *entryFilter) ends(m *filter.Filter) {
	if set, not := m.Port, m.NotPort; set != nil {
		in := contains(set)
		x.check(func(e *entry) bool {
			r := e.core()
			if !r.proto.HasPorts() {
				return false
			}
			if r.has&ports == 0 {
				return not
			}
			o := e.orig().ports
			any := in(o>>16) || in(o&0xffff)
			if !any && !e.plain() {
				o = e.reply().ports
				any = in(o>>16) || in(o&0xffff)
			}
			return any != not
		})
	}
	if m.Host.In == nil && !m.Host.Addr.IsValid() {
		return
	}
	in, not, hasPort := containsAddr(&m.Host), m.Host.Not, m.HostPort != nil
	port := func(uint32) bool { return true }
	if hasPort {
		port = contains(m.HostPort)
	}
	x.check(func(e *entry) bool {
		r := e.core()
		if hasPort && !r.proto.HasPorts() {
			return false
		}
		has := !hasPort || r.has&ports != 0
		either := func(t *tuple) bool {
			return has && (in(e, t.src) && port(t.ports>>16) || in(e, t.dst) && port(t.ports&0xffff))
		}
		t := e.orig()
		any := either(&t)
		if !any && !e.plain() {
			t = e.reply()
			any = either(&t)
		}
		return any != not
	})
}

// contains returns a function that reports whether a number is in a set.
func contains(set filter.Set) func(uint32) bool {
	if len(set) == 1 {
		low, high := set[0].Min, set[0].Max
		return func(n uint32) bool { return n >= low && n <= high }
	}
	return set.Contains
}

// containsAddr returns a function that reports whether an address of an entry is one
// that a asks for, whatever a.Not is.
func containsAddr(a *filter.Address) func(*entry, [2]uint64) bool {
	if a.In != nil {
		set := a.In
		return func(e *entry, w [2]uint64) bool { return set.Contains(e.addr(w)) }
	}
	addr, mask := a.Addr, a.Mask
	if addr.Is4() && (!mask.IsValid() || mask.Is4()) {
		want, bits := words(addr)[1], uint64(0xffffffff)
		if mask.IsValid() {
			bits = words(mask)[1]
		}
		return func(e *entry, w [2]uint64) bool { return (w[1]^want)&bits == 0 && !e.ipv6() }
	}
	return func(e *entry, w [2]uint64) bool { return wire.SameAddr(addr, e.addr(w), mask) }
}
