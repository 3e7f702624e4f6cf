package filter

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Match reports whether an entry meets all criteria. It does not allocate.
func (m *Filter) Match(f *ctnetlink.Flow) bool {
	if m.Family != ctnetlink.FamilyAny && m.Family != f.Family() {
		return false
	}
	orig, reply := f.Orig(), f.Reply()
	if m.Orig.has != 0 && !m.Orig.match(orig) {
		return false
	}
	if m.Reply.has != 0 && !m.Reply.match(reply) {
		return false
	}
	if m.Host.given() && (m.HostPort != nil && !orig.Proto.HasPorts() || m.anyHost(orig, reply) == m.Host.Not) {
		return false
	}
	if m.Port != nil && (!orig.Proto.HasPorts() || m.anyPort(orig, reply) == m.NotPort) {
		return false
	}
	if m.Marks != nil && !m.matchMark(f) {
		return false
	}
	if m.StatusSet|m.StatusClear|m.StatusAny != 0 && !m.matchStatus(f) {
		return false
	}
	if m.States != nil && !m.matchState(f) {
		return false
	}
	if (m.OrigVTag != nil || m.ReplyVTag != nil || m.Role != nil) && !m.matchInfo(f) {
		return false
	}
	if m.Zone != nil {
		if zone, _ := f.Zone(); !m.Zone.Contains(uint32(zone)) {
			return false
		}
	}
	if m.ID != nil {
		if id, ok := f.ID(); !ok || !m.ID.Contains(id) {
			return false
		}
	}
	if m.SecMark != nil {
		if mark, ok := f.SecMark(); !ok || !m.SecMark.Contains(mark) {
			return false
		}
	}
	if (m.Labels != nil || m.WithoutLabels != nil) && !m.matchLabels(f) {
		return false
	}
	if m.MinPackets|m.MinBytes != 0 && !m.matchCounters(f) {
		return false
	}
	if m.Older|m.Younger|m.ExpiresWithin != 0 && !m.matchTimes(f) {
		return false
	}
	if (m.SrcNAT.Given || m.DstNAT.Given || m.AnyNAT.Given) && !m.matchNAT(f) {
		return false
	}
	return m.Any == nil || m.Any.Match(f)
}

// anyPort reports whether Port contains one of the four ports.
func (m *Filter) anyPort(orig, reply *ctnetlink.Tuple) bool {
	in := func(t *ctnetlink.Tuple) bool {
		return t.Has&ctnetlink.FieldSrcPort != 0 && m.Port.Contains(uint32(t.SrcPort)) ||
			t.Has&ctnetlink.FieldDstPort != 0 && m.Port.Contains(uint32(t.DstPort))
	}
	return in(orig) || in(reply)
}

func (m *Filter) matchMark(f *ctnetlink.Flow) bool {
	if len(m.Marks) == 0 {
		return true
	}
	mark, ok := f.Mark()
	if !ok {
		return false
	}
	for i := range m.Marks {
		r := &m.Marks[i]
		if n := mark & r.Mask; n >= r.Min && n <= r.Max {
			return !m.NotMarks
		}
	}
	return m.NotMarks
}

func (m *Filter) matchStatus(f *ctnetlink.Flow) bool {
	status, ok := f.Status()
	return ok && status&m.StatusSet == m.StatusSet && status&m.StatusClear == 0 &&
		(m.StatusAny == 0 || status&m.StatusAny != 0)
}

// matchInfo compares the verification tags and the role.
func (m *Filter) matchInfo(f *ctnetlink.Flow) bool {
	info, _ := f.ProtoInfo()
	tags := info.Has&ctnetlink.InfoVTags != 0
	return (m.OrigVTag == nil || tags && m.OrigVTag.Contains(info.VTag[0])) &&
		(m.ReplyVTag == nil || tags && m.ReplyVTag.Contains(info.VTag[1])) &&
		(m.Role == nil || info.Has&ctnetlink.InfoRole != 0 && m.Role.Contains(uint32(info.Role)))
}

func (m *Filter) matchState(f *ctnetlink.Flow) bool {
	state, ok := f.State()
	if !ok {
		return false
	}
	for i := range m.States {
		if s := &m.States[i]; s.Proto == f.Orig().Proto {
			n := state.Number()
			return n < 32 && s.States>>n&1 != 0
		}
	}
	return false
}

func (m *Filter) matchLabels(f *ctnetlink.Flow) bool {
	have, _ := f.Labels()
	return have.ContainsAll(m.Labels) && !have.ContainsAny(m.WithoutLabels)
}

// matchCounters compares the sums of both directions.
func (m *Filter) matchCounters(f *ctnetlink.Flow) bool {
	packets, bytes, ok := f.CountersOrig()
	if !ok {
		return false
	}
	p, b, _ := f.CountersReply()
	return packets+p >= m.MinPackets && bytes+b >= m.MinBytes
}

// matchTimes compares the age and the remaining time.
func (m *Filter) matchTimes(f *ctnetlink.Flow) bool {
	if m.ExpiresWithin > 0 {
		left, ok := f.Timeout()
		if !ok || left > m.ExpiresWithin {
			return false
		}
	}
	if m.Older|m.Younger == 0 {
		return true
	}
	start, ok := f.Start()
	if !ok {
		return false
	}
	// A destroyed entry no longer ages.
	end, ok := f.Stop()
	if !ok {
		now := time.Now
		if m.Now != nil {
			now = m.Now
		}
		end = now()
	}
	age := max(end.Sub(start), 0)
	return age >= m.Older && (m.Younger == 0 || age < m.Younger)
}
