package engine

import (
	"math"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// path is the state of a table that takes packets.
type path struct {
	pkt    packet // the packet on its way
	quoted packet // in an ICMP error: the packet that it quotes
	latest int64  // the latest time of a packet, in nanoseconds since 1970
	w      wire.Builder
	lost   *entry // of the last packet, if it is not in the table
	frags  reassembly
	out    []byte   // buffer of a packet that is changed
	leaves [][]byte // buffer of Verdict.Leaves
	ftp    ftpTarget
	sip    sipMessage
	rule   Translation
	outs   []string // interfaces that masquerade took addresses of
}

// packet is a packet on its way through the table.
type packet struct {
	header          // what its headers say
	v       Verdict // under construction
	data    []byte  // the whole IP packet, or what was captured of it
	wireLen int     // its length on the wire
	where   Where
	hook    Hook
	in, out string
	owned   bool   // data is the table's buffer and may be changed
	pieces  pieces // the fragments it came in

	untracked bool    // by a rule
	tcp       segment // of a TCP packet, from checkTCP
	tuple     tuple
	dir       direction
	e         *entry
	zone      zone // set by a rule before tracking
	zoned     bool // a rule has set it
	related   bool // it is an ICMP error: the entry is that of the packet it quotes
}

// begin prepares for a packet.
func (p *packet) begin(in *Packet) {
	*p = packet{data: in.Data, wireLen: max(in.Length, len(in.Data)), where: in.Where, in: in.In, out: in.Out, zone: defaultZone}
}

// cut reports whether a part of the packet was not captured.
func (p *packet) cut() bool { return p.wireLen > len(p.data) }

// Priorities of the hooks (enum nf_ip_hook_priorities of
// linux/netfilter_ipv4.h).
const (
	prioFirst     = math.MinInt32
	prioDefrag    = -400
	prioConntrack = -200
	prioDstNAT    = -100
	prioSrcNAT    = 100
	prioLast      = math.MaxInt32
)

// travel takes a packet from hook to hook. A chain with the priority of a hook of
// the kernel's runs in front of it: it was registered later.
func (t *Table) travel(p *packet) {
	if !t.enter(p) {
		return
	}
	p.hook = Prerouting
	if p.where == Output {
		p.hook = OutputHook
	}
	if !t.chains(p, prioFirst, prioDefrag+1) ||
		!t.reassemble(p) ||
		!t.chains(p, prioDefrag+1, prioConntrack+1) ||
		!t.conntrack(p) ||
		!t.chains(p, prioConntrack+1, prioDstNAT+1) ||
		!t.translatePacket(p) ||
		!t.chains(p, prioDstNAT+1, prioLast) {
		return
	}
	if p.where != Output {
		if !t.route(p) {
			return
		}
		if p.hook = ForwardHook; p.where == Input {
			p.hook = InputHook
			if !t.reassembleForHost(p) {
				return
			}
		}
		if !t.chains(p, prioFirst, prioSrcNAT+1) {
			return
		}
		if p.where == Input {
			if t.translatePacket(p) && t.chains(p, prioSrcNAT+1, prioLast) && t.help(p) && t.confirm(p) {
				p.v.Fate = Delivered
			}
			return
		}
		if !t.chains(p, prioSrcNAT+1, prioLast) {
			return
		}
	}
	loops := p.where == Output && p.v.Fate == Translated && t.o.Host.isLocal(p)
	if loops {
		p.out = "lo"
	}
	p.hook = Postrouting
	if t.chains(p, prioFirst, prioSrcNAT+1) && t.translatePacket(p) && t.chains(p, prioSrcNAT+1, prioLast) && t.help(p) && t.confirm(p) {
		if loops {
			p.v.Fate = Delivered
			return
		}
		t.leave(p)
	}
}

// drop ends the way of a packet.
func (p *packet) drop(why ReasonCode, numbers ...int64) bool {
	p.v.Fate, p.v.DroppedBy = Dropped, why
	if p.v.Reason.Code == 0 {
		p.v.Reason = Reason{Code: why}
		copy(p.v.Reason.N[:], numbers)
	}
	return false
}

// invalid makes the verdict INVALID. The packet goes on without an entry.
func (p *packet) invalid(r Reason) {
	p.v.State, p.v.Reason, p.e = StateInvalid, r, nil
}

// chains runs the rules of the packet's hook with priorities from ≤ p < to. It
// returns false if the packet was dropped.
func (t *Table) chains(p *packet, from, to int32) bool {
	if t.o.Rules == nil {
		return true
	}
	switch t.o.Rules.Run(p.hook, from, to, Meta{t, p}) {
	case Drop:
		return p.drop(DroppedByRule)
	case Reject:
		return p.drop(RejectedByRule)
	}
	return true
}

// conntrack finds or makes the packet's entry and lets its protocol judge it
// (nf_conntrack_in). It returns false if the packet is dropped.
func (t *Table) conntrack(p *packet) bool {
	if p.untracked {
		p.v.State = StateUntracked
		return true
	}
	pr := protocolOf(p.family, p.proto)
	if pr.related != nil {
		if done := pr.related(t, p); done {
			return true
		}
	}
	for {
		p.tuple.family, p.tuple.proto, p.tuple.src, p.tuple.dst = p.family, p.proto, p.src, p.dst
		p.tuple.sport, p.tuple.dport = 0, 0
		if r := pr.tuple(t, p, &p.tuple); r.Code != 0 {
			t.judge(p, r)
			return true
		}
		if !t.resolve(p) {
			return p.drop(TableFull)
		}
		seen := p.e.status&ctnetlink.StatusSeenReply != 0
		p.v.Before = 0
		if !p.v.New {
			p.v.Before = p.e.state()
		}
		p.v.State = p.stateOf(seen)
		did, r := rejected, pr.check(t, p)
		if r.Code == 0 {
			did, r = pr.packet(t, p)
		}
		switch did {
		case again:
			continue
		case gone:
			p.e.pending = 0
			t.withdraw(p.e, 0, nil)
			t.path.lost = p.e
			return true
		case rejected:
			t.judge(p, r)
			return true
		}
		p.v.Reason, p.v.Ignored = r, did == ignored
		if p.dir == reply && p.e.status&ctnetlink.StatusSeenReply == 0 {
			p.e.status |= ctnetlink.StatusSeenReply
			t.note(p, noteReply)
		}
		return true
	}
}

// stateOf returns the verdict on a packet with an entry that has, or has not,
// seen a reply before it.
func (p *packet) stateOf(seen bool) State {
	switch {
	case p.dir == reply, seen:
		return StateEstablished
	case p.e.status&ctnetlink.StatusExpected != 0:
		return StateRelated
	}
	return StateNew
}

// judge makes a packet INVALID or UNKNOWN, frees its entry if that is new, and
// counts it.
func (t *Table) judge(p *packet, r Reason) {
	if r.Code == CutShort {
		t.abandon(p)
		p.v.State, p.v.Reason = StateUnknown, r
		return
	}
	switch r.Code.count() {
	case countInvalid:
		t.stats.invalid++
	case countError:
		t.stats.error++
	}
	t.abandon(p)
	p.invalid(r)
}

// abandon detaches a packet from its entry, which is freed if it is not in the
// table.
func (t *Table) abandon(p *packet) {
	if e := p.e; e != nil && p.v.New {
		t.free(e)
	}
	p.e, p.dir, p.v.New = nil, original, false
}

// note notes an event of the packet's entry. It is sent when the packet has
// passed the last hook (nf_conntrack_event_cache).
func (t *Table) note(p *packet, n notes) { p.e.pending |= n }

// refresh counts a packet and sets its entry's timeout (nf_ct_refresh_acct).
func (t *Table) refresh(p *packet, seconds uint32) {
	e := p.e
	if e.status&ctnetlink.StatusFixedTimeout == 0 {
		t.setDeadline(e, t.now.after(seconds))
	}
	p.count()
}

// count counts a packet on its entry.
func (p *packet) count() {
	if p.e.has&hasCounters != 0 {
		c := &p.e.counters[p.dir]
		c.packets++
		c.bytes += uint64(p.total)
	}
}

// assure makes the packet's entry ASSURED.
func (t *Table) assure(p *packet) {
	if p.e.status&ctnetlink.StatusAssured != 0 {
		return
	}
	p.e.status |= ctnetlink.StatusAssured
	t.note(p, noteAssured)
}

// conclude completes the verdict.
func (p *packet) conclude(t *Table) {
	if e := p.e; e != nil {
		p.v.Reply = p.dir == reply
		p.v.Entry = Entry{t, e}
		p.v.After = e.state()
		p.v.Confirmed = e.has&alive != 0
		if p.v.New && !p.v.Confirmed {
			t.path.lost = e // freed with the next packet
			t.dropExpectations(e)
		}
	}
}
