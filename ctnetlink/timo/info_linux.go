package timo

import (
	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ProtoInfo converts the state of a protocol.
func ProtoInfo(p *ctnetlink.ProtoInfo) (to conntrack.ProtoInfo) {
	state := p.State.Number()
	switch p.Proto {
	case ctnetlink.ProtoTCP:
		flags := func(f ctnetlink.MaskedTCPFlags) uint16 { return uint16(f.Value)<<8 | uint16(f.Mask) }
		to.TCP = &conntrack.ProtoInfoTCP{
			State:               state,
			OriginalWindowScale: p.WScale[0], ReplyWindowScale: p.WScale[1],
			OriginalFlags: flags(p.Flags[0]), ReplyFlags: flags(p.Flags[1]),
		}
	case ctnetlink.ProtoDCCP:
		to.DCCP = &conntrack.ProtoInfoDCCP{State: state, Role: p.Role, HandshakeSeq: p.HandshakeSeq}
	case ctnetlink.ProtoSCTP:
		to.SCTP = &conntrack.ProtoInfoSCTP{State: state, VTagOriginal: p.VTag[0], VTagReply: p.VTag[1]}
	}
	return to
}

// FromProtoInfo converts the state of a protocol. All its fields are set, as
// ti-mo/conntrack sends them, but TCP's flags only if those of one direction
// are not 0. An empty p has the result with Proto 0.
func FromProtoInfo(p conntrack.ProtoInfo) (to ctnetlink.ProtoInfo) {
	switch {
	case p.TCP != nil:
		to.Proto = ctnetlink.ProtoTCP
		to.State = ctnetlink.NewState(to.Proto, p.TCP.State)
		to.Has = ctnetlink.InfoState | ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply
		to.WScale = [2]uint8{p.TCP.OriginalWindowScale, p.TCP.ReplyWindowScale}
		for i, flags := range [2]uint16{p.TCP.OriginalFlags, p.TCP.ReplyFlags} {
			to.Flags[i] = ctnetlink.MaskedTCPFlags{Value: ctnetlink.TCPFlags(flags >> 8), Mask: ctnetlink.TCPFlags(flags)}
		}
		if p.TCP.OriginalFlags|p.TCP.ReplyFlags != 0 {
			to.Has |= ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply
		}
	case p.DCCP != nil:
		to.Proto = ctnetlink.ProtoDCCP
		to.State = ctnetlink.NewState(to.Proto, p.DCCP.State)
		to.Has = ctnetlink.InfoState | ctnetlink.InfoRole | ctnetlink.InfoHandshakeSeq
		to.Role, to.HandshakeSeq = p.DCCP.Role, p.DCCP.HandshakeSeq
	case p.SCTP != nil:
		to.Proto = ctnetlink.ProtoSCTP
		to.State = ctnetlink.NewState(to.Proto, p.SCTP.State)
		to.Has = ctnetlink.InfoState | ctnetlink.InfoVTags
		to.VTag = [2]uint32{p.SCTP.VTagOriginal, p.SCTP.VTagReply}
	}
	return to
}
