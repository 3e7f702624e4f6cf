package engine

import (
	"math"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// natMask is IPS_NAT_MASK, and natDone IPS_NAT_DONE_MASK.
const (
	natMask = ctnetlink.StatusSrcNAT | ctnetlink.StatusDstNAT
	natDone = ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone
)

// translatePacket sets up the translation of a new entry at a hook and
// translates the packet: at prerouting and output the destination, at
// postrouting and input the source (nf_nat_inet_fn). It returns false if the
// packet is dropped.
func (t *Table) translatePacket(p *packet) bool {
	e := p.e
	if e == nil || t.o.Rules == nil || !t.o.Rules.HasNAT(p.family) {
		return true
	}
	source := p.hook == Postrouting || p.hook == InputHook
	if p.related {
		return t.translateError(p, source)
	}
	if e.status&natDone != natDone && p.v.State != StateEstablished && !t.setupByRules(p, source) {
		return false
	}
	if e.masqueraded != 0 && p.hook == Postrouting && p.dir == original && t.moved(p) {
		return t.endMasquerade(p)
	}
	if e.status&natBit(p.dir, source) == 0 {
		return true
	}
	t.own(p)
	to, _ := e.tuples[p.dir^1].invert()
	m := mangling{to: &to, source: source, cut: p.cut()}
	if !m.rewrite(p.data[:min(p.total, len(p.data))], p.family, p.proto, p.transport) {
		return p.drop(NotTranslated)
	}
	if source {
		p.src = to.src
	} else {
		p.dst = to.dst
	}
	p.v.Fate = Translated
	return true
}

// endMasquerade drops a packet that leaves by another interface than the one whose
// address its entry has, and removes the entry (nf_nat_oif_changed). As in the
// kernel the packet is counted again.
func (t *Table) endMasquerade(p *packet) bool {
	if p.e.status&ctnetlink.StatusDying == 0 {
		p.count()
		p.e.pending = 0
		t.withdraw(p.e, 0, nil)
		t.path.lost = p.e
	}
	return p.drop(MasqueradeMoved)
}

// moved reports whether a packet of a masqueraded entry leaves by another
// interface than the first one, as far as they are known.
func (t *Table) moved(p *packet) bool {
	return p.out != "" && p.out != t.path.outs[p.e.masqueraded-1]
}

// outNumber returns the number of an interface for entry.masqueraded.
func (t *Table) outNumber(name string) uint16 {
	if name == "" {
		return 0
	}
	i := slices.Index(t.path.outs, name)
	if i < 0 {
		if i = len(t.path.outs); i == math.MaxUint16 {
			return 0
		}
		t.path.outs = append(t.path.outs, name)
	}
	return uint16(i + 1)
}

// natBit returns the status bit of the translation that is due where the source,
// or else the destination, of packets of a direction is changed: replies are
// translated back.
func natBit(d direction, source bool) ctnetlink.Status {
	if source == (d == original) {
		return ctnetlink.StatusSrcNAT
	}
	return ctnetlink.StatusDstNAT
}

// setupByRules sets up the translation of the source or the destination of an
// entry at the first packet that meets a NAT hook. It returns false if the packet
// is dropped.
func (t *Table) setupByRules(p *packet, source bool) bool {
	e := p.e
	done := ctnetlink.StatusDstNATDone
	if source {
		done = ctnetlink.StatusSrcNATDone
	}
	if e.status&done != 0 {
		return true
	}
	rule := &t.path.rule
	*rule = Translation{}
	action, found := t.o.Rules.NAT(p.hook, Meta{t, p}, rule)
	switch action {
	case Drop:
		return p.drop(DroppedByRule)
	case Reject:
		return p.drop(RejectedByRule)
	}
	if e.status&ctnetlink.StatusConfirmed != 0 {
		return true // it was there before the NAT chains
	}
	r := e.nullRange(source)
	if found && source == (rule.Kind == SNAT || rule.Kind == Masquerade) {
		var ok bool
		if r, ok = t.rangeOf(p, rule); !ok {
			return p.drop(NoNATAddress)
		}
		if rule.Kind == Masquerade {
			e.masqueraded = t.outNumber(p.out)
		}
	}
	t.bind(e, &r, source)
	return true
}

// rangeOf returns the range that a rule names. It returns false if the interface
// whose address the rule uses has none.
func (t *Table) rangeOf(p *packet, rule *Translation) (natRange, bool) {
	r := natRange{
		ports: rule.HasPorts, minPort: rule.MinPort, maxPort: rule.MaxPort,
		random: rule.Random, fullyRandom: rule.FullyRandom, persistent: rule.Persistent,
	}
	low, high := rule.MinAddr, rule.MaxAddr
	switch {
	case rule.Kind == Masquerade:
		low = t.o.Host.sourceAddr(p)
	case rule.Kind == Redirect && p.hook == OutputHook && p.family == familyIPv4:
		low = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case rule.Kind == Redirect && p.hook == OutputHook:
		low = netip.IPv6Loopback()
	case rule.Kind == Redirect:
		low = t.o.Host.addrOf(p.in, p.family)
	}
	if rule.Kind == Masquerade || rule.Kind == Redirect {
		if high = low; !low.IsValid() {
			return r, false
		}
	}
	if low.IsValid() {
		r.addrs, r.minAddr = true, addrBytes(low)
		r.maxAddr = r.minAddr
		if high.IsValid() {
			r.maxAddr = addrBytes(high)
		}
	}
	return r, true
}

// isLocal reports whether the packet's destination, as a rule of the output hook
// has made it, is this machine.
func (h *Host) isLocal(p *packet) bool {
	if p.family == familyIPv6 {
		return netip.AddrFrom16(p.dst).IsLoopback() || h.local6(&p.dst)
	}
	return p.dst[0] == 127 || h.local4(be32(p.dst[:]))
}

// addrBytes returns an address as tuples have it.
func addrBytes(a netip.Addr) (b [16]byte) {
	if a.Is4() {
		v := a.As4()
		copy(b[:], v[:])
		return b
	}
	return a.As16()
}

// addrOf returns the first address of an interface, "" means any; IPv6
// link-local ones are left out.
func (h *Host) addrOf(iface string, family ctnetlink.Family) netip.Addr {
	for i := range h.Addrs {
		a := &h.Addrs[i]
		if (iface == "" || a.Interface == iface) && a.mayBeSource(family) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// mayBeSource reports whether packets to other machines may have the address as
// their source.
func (a *Addr) mayBeSource(family ctnetlink.Family) bool {
	addr := a.Prefix.Addr()
	return addr.Is4() == (family == familyIPv4) && !addr.IsLoopback() && !addr.IsLinkLocalUnicast()
}

// sourceAddr returns the address that masquerade takes. Of those of the outgoing
// interface it is, in IPv4, the first one whose network has the destination, or
// else the first one (inet_select_addr); in IPv6 the destination itself if it is this
// machine's, or that which has the most bits in common with it (RFC 6724, rules 1
// and 8). An interface without addresses
// borrows one of another.
func (h *Host) sourceAddr(p *packet) netip.Addr {
	dst := netip.AddrFrom16(p.dst)
	if p.family == familyIPv4 {
		dst = netip.AddrFrom4([4]byte(p.dst[:4]))
	}
	if dst.Is6() && (dst.IsLoopback() || h.local6(&p.dst)) {
		return dst
	}
	best, most := h.addrOf(p.out, p.family), -1
	for i := range h.Addrs {
		a := &h.Addrs[i]
		if p.out != "" && a.Interface != p.out || !a.mayBeSource(p.family) {
			continue
		}
		n := 0
		if p.family == familyIPv6 {
			n = min(commonBits(a.Prefix.Addr(), dst), a.Prefix.Bits())
		} else if a.Prefix.Contains(dst) {
			n = 1
		}
		if n > most {
			best, most = a.Prefix.Addr(), n
		}
	}
	if !best.IsValid() {
		return h.addrOf("", p.family)
	}
	return best
}

// commonBits returns the number of leading bits that two IPv6 addresses have in
// common.
func commonBits(a, b netip.Addr) (n int) {
	x, y := a.As16(), b.As16()
	for i := range x {
		if z := x[i] ^ y[i]; z != 0 {
			return n + bits.LeadingZeros8(z)
		}
		n += 8
	}
	return n
}
