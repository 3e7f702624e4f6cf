package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Flags of an expectation.
const (
	expectPermanent = uint32(ctnetlink.ExpectPermanent) // a packet does not use it up
	expectInactive  = uint32(ctnetlink.ExpectInactive)  // no packet matches it
)

// expected makes a packet's new entry the child of the expectation that it
// matches, if there is one (init_conntrack). It reports whether there is.
func (t *Table) expected(p *packet) bool {
	x := t.expect.match(p.zone.id, &p.tuple)
	if x == nil {
		return false
	}
	t.expect.matched++
	if x.flags&expectPermanent == 0 {
		t.dropExpect(x, 0, nil)
	}
	e := p.e
	e.status |= ctnetlink.StatusExpected
	e.mark = x.master.mark
	ext := t.extend(e)
	ext.master = t.masterOf(x.master)
	ext.master.retain()
	if x.helper != nil {
		ext.helper, ext.hasHelp = x.helper, true
	}
	switch x.fn {
	case fnFollowMaster:
		t.followMaster(e, x)
	case fnSIP:
		t.followSIP(e, x)
	}
	if x.call {
		t.meetCall(e, x)
	}
	return true
}

// match returns the expectation that the first packet of a connection matches
// (nf_ct_find_expectation). Those that are inactive do not match.
func (x *expectations) match(zone uint16, t *tuple) *expectation {
	if len(x.all) == 0 {
		return nil
	}
	for _, e := range x.byDst[expectKeyOf(t)] {
		if e.flags&expectInactive == 0 && e.mask.matches(t, &e.tuple) && e.master.zone.id == zone {
			return e
		}
	}
	return nil
}

// assignHelper gives the packet's new entry a helper by a rule (the object
// ct helper of nft). An entry that is in the table, or has a helper, keeps what
// it has.
func (t *Table) assignHelper(p *packet, h *helper) {
	e := p.e
	const settled = ctnetlink.StatusConfirmed | ctnetlink.StatusHelper
	if e == nil || p.related || e.status&settled != 0 || e.protocol() != h.proto {
		return
	}
	x := t.extend(e)
	if x.helper == nil {
		x.helper, x.hasHelp = h, true
	}
	e.status |= ctnetlink.StatusHelper
}

// help lets the helper of the packet's entry read the packet (nf_ct_helper), and
// corrects its sequence numbers. It returns false if the packet is dropped.
func (t *Table) help(p *packet) bool {
	e := p.e
	if e == nil || p.related {
		return true
	}
	if x := t.extension(e); x != nil && x.helper != nil && x.helper.read != nil && !x.helper.read(t, p, x) {
		return false
	}
	return t.adjustSequence(p)
}

// content returns what the packet carries behind its transport header of n
// bytes, as far as it was captured.
func (p *packet) content(n int) []byte {
	b := p.payload()
	return b[min(n, len(b)):]
}

// expect returns an expectation of the packet's entry from anyone at an address
// to a port at another. The caller may change it before it adds it.
func (p *packet) expect(class uint32, proto ctnetlink.Protocol, src, dst [16]byte, port uint16) *expectation {
	x := &expectation{master: p.e, class: class}
	x.tuple = tuple{src: src, dst: dst, dport: port, family: p.family, proto: proto}
	x.mask.src = allOnes(p.family)
	return x
}

// allOnes returns the address mask that compares all bits.
func allOnes(f ctnetlink.Family) (m [16]byte) {
	n := 4
	if f == familyIPv6 {
		n = 16
	}
	for i := range n {
		m[i] = 0xff
	}
	return m
}

// announce adds an expectation that a helper made from a packet.
func (t *Table) announce(x *expectation) errno { return t.announceAs(x, false) }

// announceShared is announce for one that several masters may have; the second one
// is EALREADY (NF_CT_EXP_F_SKIP_MASTER).
func (t *Table) announceShared(x *expectation) errno { return t.announceAs(x, true) }

func (t *Table) announceAs(x *expectation, shared bool) errno {
	if h := t.helper(x.master); h != nil && x.ends == 0 {
		x.ends = t.now.after(uint32(h.limit(x.class).timeout.Seconds()))
	}
	return t.expectRelated(x, shared, 0, nil)
}

// mustExpect adds an expectation, and drops the packet if that is not possible.
func (t *Table) mustExpect(p *packet, x *expectation) bool {
	if t.announce(x) != 0 {
		return t.refuse(p, ExpectationRefused)
	}
	return true
}

// loggingHelpers are the helpers that drop packets, as reasons number them.
var loggingHelpers = [...]string{"ftp", "tftp", "irc", "sip", "amanda", "sane", "pptp"}

// refuse drops a packet for its entry's helper, which the reason names.
func (t *Table) refuse(p *packet, why ReasonCode) bool {
	if h := t.helper(p.e); h != nil {
		for i, name := range loggingHelpers {
			if name == h.name {
				return p.drop(why, int64(i))
			}
		}
	}
	return p.drop(why)
}
