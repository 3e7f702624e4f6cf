package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// Numbers of the transport protocols that conntrack tells apart (IANA
// protocol numbers, linux/in.h).
const (
	ProtoICMP    = 1
	ProtoTCP     = 6
	ProtoUDP     = 17
	ProtoDCCP    = 33
	ProtoGRE     = 47
	ProtoICMPv6  = 58
	ProtoSCTP    = 132
	ProtoUDPLite = 136
)

// ProtoName returns the name of one of the eight protocols above, or "".
func ProtoName(proto uint8) string {
	switch proto {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoDCCP:
		return "dccp"
	case ProtoGRE:
		return "gre"
	case ProtoICMPv6:
		return "icmpv6"
	case ProtoSCTP:
		return "sctp"
	case ProtoUDPLite:
		return "udplite"
	}
	return ""
}

// HasPorts tells whether tuples of proto carry two ports.
func HasPorts(proto uint8) bool {
	switch proto {
	case ProtoTCP, ProtoUDP, ProtoUDPLite, ProtoSCTP, ProtoDCCP:
		return true
	}
	return false
}

// StateNames returns the names of proto's states by number, nil when the
// protocol has none. TCP: enum tcp_conntrack (nf_conntrack_tcp.h); SCTP: enum
// sctp_conntrack; DCCP: enum ct_dccp_states.
func StateNames(proto uint8) []string {
	switch proto {
	case ProtoTCP:
		return tcpStates
	case ProtoSCTP:
		return sctpStates
	case ProtoDCCP:
		return dccpStates
	}
	return nil
}

// States of TCP by number. Those from TCPTimeWait on come after the closing
// handshake began.
const (
	TCPTimeWait = 7
)

var (
	tcpStates = []string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT",
		"CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"}
	sctpStates = []string{"NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED",
		"SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED"}
	dccpStates = []string{"NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN",
		"CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID"}
)

// ProtoInfo is the protocol's own state of an entry (CTA_PROTOINFO).
type ProtoInfo struct {
	// Proto tells whose nest it is: ProtoTCP, ProtoSCTP, ProtoDCCP.
	Proto uint8
	// Has marks which of the fields below were sent, or are to be sent.
	Has InfoFields
	// State is a number of StateNames(Proto).
	State uint8
	// Role is DCCP's, of the original direction: 0 client, 1 server.
	Role uint8
	// WScale are TCP's window scales, original and reply direction.
	WScale [2]uint8
	// Flags are TCP's window-tracking flags, original and reply direction.
	Flags [2]TCPFlags
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

// TCPFlags are window-tracking flags and the bits of them that a request sets
// (struct nf_ct_tcp_flags). On entries read from the table Mask is 0.
type TCPFlags struct{ Value, Mask uint8 }

// Window-tracking flags (IP_CT_TCP_FLAG_* of nf_conntrack_tcp.h).
const (
	TCPWindowScale = 0x01
	TCPSackPerm    = 0x02
	TCPCloseInit   = 0x04
	TCPBeLiberal   = 0x08 // do not check the window: entries made by hand do not know it
)

// decodeProtoInfo decodes the payload of CTA_PROTOINFO.
func decodeProtoInfo(b []byte) (p ProtoInfo, ok bool) {
	for a := (wire.Attrs{B: b}); a.Next(); {
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
	for a := (wire.Attrs{B: b}); a.Next(); {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoTCPState:
			p.State, p.Has = a.Val[0], p.Has|InfoState
		case a.Type == wire.InfoTCPWScaleOrig:
			p.WScale[0], p.Has = a.Val[0], p.Has|InfoWScaleOrig
		case a.Type == wire.InfoTCPWScaleReply:
			p.WScale[1], p.Has = a.Val[0], p.Has|InfoWScaleReply
		case len(a.Val) < 2:
		case a.Type == wire.InfoTCPFlagsOrig:
			p.Flags[0], p.Has = TCPFlags{a.Val[0], a.Val[1]}, p.Has|InfoFlagsOrig
		case a.Type == wire.InfoTCPFlagsReply:
			p.Flags[1], p.Has = TCPFlags{a.Val[0], a.Val[1]}, p.Has|InfoFlagsReply
		}
	}
}

func (p *ProtoInfo) decodeDCCP(b []byte) {
	for a := (wire.Attrs{B: b}); a.Next(); {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoDCCPState:
			p.State, p.Has = a.Val[0], p.Has|InfoState
		case a.Type == wire.InfoDCCPRole:
			p.Role, p.Has = a.Val[0], p.Has|InfoRole
		case a.Type == wire.InfoDCCPHandshakeSeq && len(a.Val) >= 8:
			p.HandshakeSeq, p.Has = be64(a.Val), p.Has|InfoHandshakeSeq
		}
	}
}

func (p *ProtoInfo) decodeSCTP(b []byte) {
	var have [2]bool
	for a := (wire.Attrs{B: b}); a.Next(); {
		switch {
		case len(a.Val) == 0:
		case a.Type == wire.InfoSCTPState:
			p.State, p.Has = a.Val[0], p.Has|InfoState
		case len(a.Val) < 4:
		case a.Type == wire.InfoSCTPVTagOrig:
			p.VTag[0], have[0] = be32(a.Val), true
		case a.Type == wire.InfoSCTPVTagReply:
			p.VTag[1], have[1] = be32(a.Val), true
		}
	}
	if have[0] && have[1] {
		p.Has |= InfoVTags
	}
}
