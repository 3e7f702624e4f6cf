package kernel

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// lateTimeout is what an entry gets whose timeout has passed since it was told: traffic
// that is not told of may have refreshed it.
const lateTimeout = 60 * time.Second

// statusKept are the flags that a request takes over. The others follow from the rest of
// it, or belong to the other machine.
const statusKept = ctnetlink.StatusSeenReply | ctnetlink.StatusAssured | ctnetlink.StatusConfirmed |
	ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone | ctnetlink.StatusFixedTimeout

// request makes a request of the specification of an entry that a peer told, which is age
// old: to create it.
func request(s *ctnetlink.FlowSpec, age time.Duration, c *config.Config) {
	zone := s.Reply.Zone
	hasZone := s.Reply.Has&ctnetlink.FieldZone != 0
	reply := s.Orig.Reverse()
	s.Reply = reply.Only(^ctnetlink.FieldZone)
	// A request may have a zone in one tuple only.
	if hasZone && s.Orig.Has&ctnetlink.FieldZone == 0 {
		s.Reply.Zone, s.Reply.Has = zone, s.Reply.Has|ctnetlink.FieldZone
	}
	s.Status &= statusKept
	s.SetTimeout(left(s, age, c).Truncate(time.Second))
	protocol(s, c.TCPWindowTracking)
}

// left returns the timeout that a request sets.
func left(s *ctnetlink.FlowSpec, age time.Duration, c *config.Config) time.Duration {
	left := s.Timeout - age
	switch {
	case c.CommitTimeout > 0:
		return c.CommitTimeout
	case left <= 0:
		return lateTimeout
	}
	return left
}

// protocol makes what is told of the protocol's state what the kernel takes.
func protocol(s *ctnetlink.FlowSpec, windows bool) {
	p := s.ProtoInfo
	if s.Set = s.Set.Without(ctnetlink.AttrProtoInfo); p.Has&ctnetlink.InfoState == 0 {
		s.ProtoInfo = ctnetlink.ProtoInfo{}
		return
	}
	info := ctnetlink.ProtoInfo{Proto: s.Orig.Proto, Has: ctnetlink.InfoState, State: p.State}
	switch s.Orig.Proto {
	case ctnetlink.ProtoTCP:
		const scales = ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply
		// The sequence numbers are not known. Either what is outside of the window passes,
		// or the kernel learns the window from the next packets, for which it needs the
		// scales.
		flags := ctnetlink.TCPBeLiberal
		if info.Has |= scales; windows {
			flags = 0
			if info.WScale = p.WScale; p.Has&scales == scales {
				flags = ctnetlink.TCPWindowScale | ctnetlink.TCPSackPerm
			}
		}
		masked := ctnetlink.MaskedTCPFlags{Value: flags, Mask: flags}
		info.Flags = [2]ctnetlink.MaskedTCPFlags{masked, masked}
		info.Has |= ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply
	case ctnetlink.ProtoSCTP:
		if p.Has&ctnetlink.InfoVTags == 0 {
			s.ProtoInfo = ctnetlink.ProtoInfo{}
			return // the kernel takes the state with the tags only
		}
		info.VTag, info.Has = p.VTag, info.Has|ctnetlink.InfoVTags
	case ctnetlink.ProtoDCCP:
		info.Role, info.Has = p.Role, info.Has|p.Has&ctnetlink.InfoRole
	}
	s.SetProtoInfo(info)
}

// changeOnly makes a request that updates an entry of one that creates it: without what
// the kernel refuses to change.
func changeOnly(s *ctnetlink.FlowSpec) {
	s.Exact = true
	s.Reply = ctnetlink.Tuple{}
	if s.Set.Has(ctnetlink.AttrTupleMaster) {
		s.Status |= ctnetlink.StatusExpected // which cannot be taken back
	}
	for _, a := range [...]ctnetlink.Attr{ctnetlink.AttrNATSrc, ctnetlink.AttrNATDst, ctnetlink.AttrTupleMaster, ctnetlink.AttrSynproxy} {
		s.Set = s.Set.Without(a)
	}
	s.SrcNAT, s.DstNAT, s.Master, s.Synproxy = ctnetlink.NAT{}, ctnetlink.NAT{}, ctnetlink.Tuple{}, ctnetlink.Synproxy{}
}

// same reports whether an entry of the table is the one that was told: with the same
// tuples, and expected by a helper if that was.
func same(s *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	const ends = ^ctnetlink.FieldZone
	for _, t := range [...][2]*ctnetlink.Tuple{{&s.Orig, f.Orig()}, {&s.Reply, f.Reply()}} {
		if t[0].Only(ends) != t[1].Only(ends) {
			return false
		}
	}
	return s.Set.Has(ctnetlink.AttrTupleMaster) == f.Has(ctnetlink.AttrTupleMaster)
}

// begins reports whether an entry of the table has the original tuple that was told: it is
// that connection, or was made of its packets.
func begins(s *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	const ends = ^ctnetlink.FieldZone
	return s.Orig.Only(ends) == f.Orig().Only(ends)
}
