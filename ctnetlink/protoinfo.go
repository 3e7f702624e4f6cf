package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// ProtoInfo is what an entry has of its protocol only (CTA_PROTOINFO).
type ProtoInfo struct {
	// Proto is the protocol: ProtoTCP, ProtoSCTP or ProtoDCCP.
	Proto Protocol
	// Has marks which of the fields below were sent, or are to be sent.
	Has InfoFields
	// State is the connection's state, one of Proto's.
	State State
	// Role is DCCP's, of the original direction: 0 client, 1 server.
	Role uint8
	// WScale are TCP's window scales, original and reply direction.
	WScale [2]uint8
	// Flags are TCP's window-tracking flags, original and reply direction.
	Flags [2]MaskedTCPFlags
	// VTag are SCTP's verification tags, original and reply direction, as
	// numbers read in the packet's byte order.
	VTag [2]uint32
	// HandshakeSeq is DCCP's handshake sequence number.
	HandshakeSeq uint64
}

// InfoFields is a set of fields of ProtoInfo.
type InfoFields uint8

const (
	InfoState InfoFields = 1 << iota
	InfoRole
	InfoWScaleOrig
	InfoWScaleReply
	InfoFlagsOrig
	InfoFlagsReply
	InfoVTags
	InfoHandshakeSeq
)

var infoNames = []string{"STATE", "ROLE", "WSCALE_ORIG", "WSCALE_REPLY", "FLAGS_ORIG", "FLAGS_REPLY", "VTAGS", "HANDSHAKE_SEQ"}

// String returns the names of the fields with "|" between them.
func (s InfoFields) String() string {
	return bitNames(uint32(s), func(bit int) string { return nameIn(infoNames, bit) })
}

// TCPFlags are flags of TCP's window tracking (IP_CT_TCP_FLAG_* of
// nf_conntrack_tcp.h).
type TCPFlags uint8

const (
	TCPWindowScale TCPFlags = 0x01 // this end offered window scaling
	TCPSackPerm    TCPFlags = 0x02 // this end permits selective acknowledgements
	TCPCloseInit   TCPFlags = 0x04 // this end closed first
	TCPBeLiberal   TCPFlags = 0x08 // packets outside the window pass, as they must where it is not known
)

var tcpFlagNames = []string{"WINDOW_SCALE", "SACK_PERM", "CLOSE_INIT", "BE_LIBERAL"}

// String returns the names of the flags with "|" between them.
func (f TCPFlags) String() string {
	return bitNames(uint32(f), func(bit int) string { return nameIn(tcpFlagNames, bit) })
}

// MaskedTCPFlags are flags and which of them a request changes (struct
// nf_ct_tcp_flags). On entries read from the table Mask is 0.
type MaskedTCPFlags struct{ Value, Mask TCPFlags }

// check returns an error about a field that cannot be sent as it is set. name is
// that of p.
func (p *ProtoInfo) check(name string) error {
	if *p == (ProtoInfo{}) {
		return nil
	}
	if p.Has != 0 && p.Proto.StateNames() == nil {
		return &FieldError{name + ".Proto", "not TCP, SCTP or DCCP"}
	}
	if p.State.Proto() != 0 && p.State.Proto() != p.Proto {
		return &FieldError{name + ".State", "a state of " + p.State.Proto().String() + ", not of " + p.Proto.String()}
	}
	for _, f := range [...]struct {
		field InfoFields
		name  string
		attr  string
		set   bool
	}{
		{InfoState, "State", "InfoState", p.State.Number() != 0},
		{InfoRole, "Role", "InfoRole", p.Role != 0},
		{InfoWScaleOrig, "WScale[0]", "InfoWScaleOrig", p.WScale[0] != 0},
		{InfoWScaleReply, "WScale[1]", "InfoWScaleReply", p.WScale[1] != 0},
		{InfoFlagsOrig, "Flags[0]", "InfoFlagsOrig", p.Flags[0] != MaskedTCPFlags{}},
		{InfoFlagsReply, "Flags[1]", "InfoFlagsReply", p.Flags[1] != MaskedTCPFlags{}},
		{InfoVTags, "VTag", "InfoVTags", p.VTag != [2]uint32{}},
		{InfoHandshakeSeq, "HandshakeSeq", "InfoHandshakeSeq", p.HandshakeSeq != 0},
	} {
		if f.set && p.Has&f.field == 0 {
			return &FieldError{name + "." + f.name, "set, but Has lacks " + f.attr}
		}
	}
	return nil
}

// decodeProtoInfo decodes the payload of CTA_PROTOINFO.
func decodeProtoInfo(b []byte) (p ProtoInfo, ok bool) {
	a := wire.Attrs{B: b}
	for a.Next() {
		switch a.Type {
		case wire.InfoTCP:
			p.Proto = ProtoTCP
			p.decodeTCP(a.Val)
		case wire.InfoDCCP:
			p.Proto = ProtoDCCP
			p.decodeDCCP(a.Val)
		case wire.InfoSCTP:
			p.Proto = ProtoSCTP
			p.decodeSCTP(a.Val)
		}
	}
	return p, p.Proto != 0
}

func (p *ProtoInfo) decodeTCP(b []byte) {
	a := wire.Attrs{B: b}
	for a.Next() {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoTCPState:
			p.State, p.Has = NewState(p.Proto, a.Val[0]), p.Has|InfoState
		case a.Type == wire.InfoTCPWScaleOrig:
			p.WScale[0], p.Has = a.Val[0], p.Has|InfoWScaleOrig
		case a.Type == wire.InfoTCPWScaleReply:
			p.WScale[1], p.Has = a.Val[0], p.Has|InfoWScaleReply
		case len(a.Val) < 2:
		case a.Type == wire.InfoTCPFlagsOrig:
			p.Flags[0], p.Has = MaskedTCPFlags{TCPFlags(a.Val[0]), TCPFlags(a.Val[1])}, p.Has|InfoFlagsOrig
		case a.Type == wire.InfoTCPFlagsReply:
			p.Flags[1], p.Has = MaskedTCPFlags{TCPFlags(a.Val[0]), TCPFlags(a.Val[1])}, p.Has|InfoFlagsReply
		}
	}
}

func (p *ProtoInfo) decodeDCCP(b []byte) {
	a := wire.Attrs{B: b}
	for a.Next() {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoDCCPState:
			p.State, p.Has = NewState(p.Proto, a.Val[0]), p.Has|InfoState
		case a.Type == wire.InfoDCCPRole:
			p.Role, p.Has = a.Val[0], p.Has|InfoRole
		case a.Type == wire.InfoDCCPHandshakeSeq && len(a.Val) >= 8:
			p.HandshakeSeq, p.Has = be64(a.Val), p.Has|InfoHandshakeSeq
		}
	}
}

func (p *ProtoInfo) decodeSCTP(b []byte) {
	var have [2]bool
	a := wire.Attrs{B: b}
	for a.Next() {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoSCTPState:
			p.State, p.Has = NewState(p.Proto, a.Val[0]), p.Has|InfoState
		case len(a.Val) < 4:
		case a.Type == wire.InfoSCTPVTagOrig:
			p.VTag[0], have[0] = be32(a.Val), true
		case a.Type == wire.InfoSCTPVTagReply:
			p.VTag[1], have[1] = be32(a.Val), true
		}
	}
	if have[0] && have[1] {
		p.Has |= InfoVTags
	} else {
		p.VTag = [2]uint32{}
	}
}
