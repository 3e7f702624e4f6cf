package engine

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// expectFlags are the flags that CTA_EXPECT_FLAGS may have.
const expectFlags = ctnetlink.ExpectPermanent | ctnetlink.ExpectInactive | ctnetlink.ExpectUserspace

var (
	// expectPolicy is the policy of an expectation's message (exp_nla_policy).
	expectPolicy = policy{
		wire.ExpectMaster: nested, wire.ExpectTuple: nested, wire.ExpectMask: nested,
		wire.ExpectTimeout: u32, wire.ExpectID: u32, wire.ExpectHelpName: {nlaString, 15}, wire.ExpectZone: u16,
		wire.ExpectFlags: {flagMask, int(expectFlags)}, wire.ExpectClass: u32, wire.ExpectNAT: nested,
		wire.ExpectFn: {nlaString, 1 << 16},
	}
	expectNATPolicy = policy{wire.ExpectNATDir: u32, wire.ExpectNATTuple: nested}
)

// expectAttrs holds the attributes of an expectation's message by number.
type expectAttrs [wire.ExpectMax + 1][]byte

func (a *expectAttrs) u32(n uint16) uint32 {
	if a[n] == nil {
		return 0
	}
	return binary.BigEndian.Uint32(a[n])
}

// str returns a string attribute without its NUL.
func (a *expectAttrs) str(n uint16) string { return string(a[n][:slices.Index(a[n], 0)]) }

// expectRequest handles a message of the expectation subsystem.
func (t *Table) expectRequest(r *request) errno {
	t.expireExpectations()
	var a expectAttrs
	if no := parse(r.attrs, a[:], expectPolicy); no != 0 {
		return no
	}
	switch r.typ & 0xff {
	case wire.MsgNew:
		return t.newExpect(r, &a)
	case wire.MsgGet:
		return t.getExpect(r, &a)
	case wire.MsgDelete:
		return t.deleteExpect(r, &a)
	}
	return t.statsExpect(r)
}

// newExpect adds an expectation, or sets the timeout of an existing one
// (ctnetlink_new_expect).
func (t *Table) newExpect(r *request, a *expectAttrs) errno {
	if a[wire.ExpectTuple] == nil || a[wire.ExpectMask] == nil || a[wire.ExpectMaster] == nil {
		return ctnetlink.EINVAL
	}
	want, no := parseTuple(a[wire.ExpectTuple], r.family, original, nil)
	if no != 0 {
		return no
	}
	z := parseZone(a[wire.ExpectZone])
	old := t.expect.find(z.id, &want)
	switch {
	case old == nil && r.flags&wire.FlagCreate == 0:
		return ctnetlink.ENOENT
	case old == nil:
		e, no := t.readExpect(r.family, a, want, z, false)
		if no != 0 {
			return no
		}
		return t.expectRelated(e, false, r.from.portID, r.echo())
	case r.flags&wire.FlagExcl != 0:
		return ctnetlink.EEXIST
	case a[wire.ExpectTimeout] != nil:
		old.ends = t.expectEnd(a.u32(wire.ExpectTimeout))
		t.expect.observe(old)
	}
	return 0
}

// expectEnd returns the end of a timeout that starts now. The kernel multiplies
// in 32 bits.
func (t *Table) expectEnd(seconds uint32) tick { return t.now + tick(seconds*ticksPerSecond) }

// readExpect makes an expectation from the attributes of a request
// (ctnetlink_create_expect, ctnetlink_alloc_expect), or with restored from those
// of a dump.
func (t *Table) readExpect(family ctnetlink.Family, a *expectAttrs, want tuple, z zone, restored bool) (
	*expectation, errno) {
	mask, no := parseTuple(a[wire.ExpectMask], family, original, nil)
	if no != 0 {
		return nil, no
	}
	masterTuple, no := parseTuple(a[wire.ExpectMaster], family, original, nil)
	if no != 0 {
		return nil, no
	}
	master := t.lookup(&masterTuple, z)
	if master == nil && restored && a[wire.ExpectZone] == nil {
		master = t.zonedMaster(&masterTuple)
	}
	if master == nil {
		return nil, ctnetlink.ENOENT
	}
	e := &expectation{
		master: master, tuple: want, mask: expectMask{mask.src, mask.sport},
		class: a.u32(wire.ExpectClass),
		flags: a.u32(wire.ExpectFlags) &^ uint32(ctnetlink.ExpectUserspace), // no request sets it
	}
	if a[wire.ExpectFn] != nil {
		e.fn = a.str(wire.ExpectFn)
	}
	if !restored {
		if no := t.checkExpect(e); no != 0 {
			return nil, no
		}
		if a[wire.ExpectFn] != nil && e.fn == "" {
			return nil, ctnetlink.EINVAL // no function has an empty name
		}
	}
	if a[wire.ExpectNAT] != nil {
		if no := e.readNAT(a[wire.ExpectNAT]); no != 0 {
			return nil, no
		}
	}
	return e, 0
}

// checkExpect checks whether the helper of the master may have an expectation
// that a request asks for, and sets its timeout.
func (t *Table) checkExpect(e *expectation) errno {
	h := t.helper(e.master)
	switch {
	case h == nil:
		return ctnetlink.EOPNOTSUPP
	case h.classes != nil && int64(e.class) >= int64(len(h.classes)),
		e.fn != "" && !slices.Contains(expectFns, e.fn):
		return ctnetlink.EINVAL
	}
	e.ends = t.now + tick(h.limit(e.class).timeout.Seconds())*ticksPerSecond
	return 0
}

// limit returns the helper's limit for a class of expectations.
func (h *helper) limit(class uint32) expectLimit {
	if int64(class) < int64(len(h.classes)) {
		return h.classes[class]
	}
	return expectLimit{timeout: 300 * time.Second} // not known; the timeout of most helpers
}

// readNAT reads CTA_EXPECT_NAT (ctnetlink_parse_expect_nat).
func (e *expectation) readNAT(val []byte) errno {
	var tb [wire.ExpectNATTuple + 1][]byte
	if no := parse(val, tb[:], expectNATPolicy); no != 0 {
		return no
	}
	if dir := tb[wire.ExpectNATDir]; dir != nil && binary.BigEndian.Uint32(dir) > uint32(reply) {
		return ctnetlink.ERANGE
	}
	if tb[wire.ExpectNATDir] == nil || tb[wire.ExpectNATTuple] == nil {
		return ctnetlink.EINVAL
	}
	to, no := parseTuple(tb[wire.ExpectNATTuple], e.master.family(), original, nil)
	if no != 0 {
		return no
	}
	e.nat = expectNAT{binary.BigEndian.Uint32(tb[wire.ExpectNATDir]), to.src, to.sport}
	return 0
}

// expectRelated adds an expectation (nf_ct_expect_related_report). An equal one
// is replaced, and one that could match the same packet is a conflict. If the
// master has as many of this class as it may have, its oldest is dropped. With
// shared an equal one of another master is EALREADY, and no conflict.
func (t *Table) expectRelated(e *expectation, shared bool, portID uint32, echo *socket) errno {
	x := &t.expect
	for _, o := range slices.Clone(x.byDst[expectKeyOf(&e.tuple)]) {
		if o.master.zone.id != e.master.zone.id {
			continue
		}
		if o.tuple == e.tuple && o.mask == e.mask && (shared || o.master == e.master) {
			if o.class != e.class || o.master != e.master {
				return ctnetlink.EALREADY
			}
			t.dropExpect(o, 0, nil)
			break
		}
		if common := o.mask.and(&e.mask); common.matches(&o.tuple, &e.tuple) {
			return ctnetlink.EBUSY
		}
	}
	if h := t.helper(e.master); h != nil {
		if most := h.limit(e.class).max; most > 0 && x.count(e.master, e.class) >= most {
			t.dropExpect(x.oldest(e.master, e.class), 0, nil)
		}
	}
	if len(x.all) >= int(t.o.Sysctls.ExpectMax) {
		return ctnetlink.EMFILE
	}
	e.id = t.newID()
	x.insert(e)
	x.created++
	t.expectEvent(e, ctnetlink.GroupExpectNew, portID, echo)
	return 0
}

// getExpect answers with one expectation, or starts a dump
// (ctnetlink_get_expect).
func (t *Table) getExpect(r *request, a *expectAttrs) errno {
	if r.isDump() {
		return t.dumpExpects(r, a)
	}
	e, no := t.wantedExpect(r, a, wire.ExpectTuple, wire.ExpectMaster)
	if no != 0 {
		return no
	}
	w := t.builder()
	t.putExpect(w, e, expectHead{wire.MsgNew, wire.FlagMulti, r.seq, r.from.portID})
	r.from.push(w.B, answerCost)
	return 0
}

// wantedExpect returns the expectation that a request names: by the first
// attribute of by that was sent, and by the id if that was sent too.
func (t *Table) wantedExpect(r *request, a *expectAttrs, by ...uint16) (*expectation, errno) {
	i := slices.IndexFunc(by, func(n uint16) bool { return a[n] != nil })
	if i < 0 {
		return nil, ctnetlink.EINVAL
	}
	want, no := parseTuple(a[by[i]], r.family, original, nil)
	if no != 0 {
		return nil, no
	}
	e := t.expect.find(parseZone(a[wire.ExpectZone]).id, &want)
	if e == nil || a[wire.ExpectID] != nil && a.u32(wire.ExpectID) != e.id {
		return nil, ctnetlink.ENOENT
	}
	return e, 0
}

// deleteExpect deletes one expectation, those of one helper, or all
// (ctnetlink_del_expect).
func (t *Table) deleteExpect(r *request, a *expectAttrs) errno {
	if a[wire.ExpectTuple] != nil {
		e, no := t.wantedExpect(r, a, wire.ExpectTuple)
		if no != 0 {
			return no
		}
		t.dropExpect(e, r.from.portID, r.echo())
		return 0
	}
	for _, e := range slices.Clone(t.expect.all) {
		if h := t.helper(e.master); a[wire.ExpectHelpName] == nil || h != nil && h.name == a.str(wire.ExpectHelpName) {
			t.dropExpect(e, r.from.portID, r.echo())
		}
	}
	return 0
}

// dropExpect removes an expectation and sends its DESTROY event.
func (t *Table) dropExpect(e *expectation, portID uint32, echo *socket) {
	t.expect.unlink(e)
	t.expectEvent(e, ctnetlink.GroupExpectDestroy, portID, echo)
}

// dropExpectations removes the expectations of an entry that is removed or
// loses its helper (nf_ct_remove_expectations).
func (t *Table) dropExpectations(master *entry) {
	for _, e := range slices.Clone(t.expect.byMaster[master]) {
		t.dropExpect(e, 0, nil)
	}
}

// expireExpectations removes the expectations whose timeouts have passed, in
// the order of their ends.
func (t *Table) expireExpectations() {
	x := &t.expect
	if len(x.all) == 0 || t.now < x.earliest {
		return
	}
	var ended []*expectation
	x.earliest = never
	for _, e := range x.all {
		if e.ends <= t.now {
			ended = append(ended, e)
		} else {
			x.observe(e)
		}
	}
	slices.SortStableFunc(ended, func(a, b *expectation) int { return cmp.Compare(a.ends, b.ends) })
	for _, e := range ended {
		t.dropExpect(e, 0, nil)
	}
}
