package ctnetlink

import "strconv"

// State is a state of a protocol: its [Protocol] in the high byte, the state's
// number in the low one.
type State uint16

// States of TCP (enum tcp_conntrack of nf_conntrack_tcp.h).
const (
	TCPNone State = State(ProtoTCP)<<8 | iota
	TCPSynSent
	TCPSynRecv
	TCPEstablished
	TCPFinWait
	TCPCloseWait
	TCPLastAck
	TCPTimeWait
	TCPClose
	TCPSynSent2 // both ends sent a SYN
)

// States of SCTP (enum sctp_conntrack of nf_conntrack_sctp.h).
const (
	SCTPNone State = State(ProtoSCTP)<<8 | iota
	SCTPClosed
	SCTPCookieWait
	SCTPCookieEchoed
	SCTPEstablished
	SCTPShutdownSent
	SCTPShutdownRecd
	SCTPShutdownAckSent
	SCTPHeartbeatSent
	SCTPHeartbeatAcked
)

// States of DCCP (enum ct_dccp_states). Linux 6.16 no longer tracks DCCP.
const (
	DCCPNone State = State(ProtoDCCP)<<8 | iota
	DCCPRequest
	DCCPRespond
	DCCPPartOpen
	DCCPOpen
	DCCPCloseReq
	DCCPClosing
	DCCPTimeWait
	DCCPIgnore
	DCCPInvalid
)

var (
	tcpStates = []string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT",
		"CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"}
	sctpStates = []string{"NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED",
		"SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED"}
	dccpStates = []string{"NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN",
		"CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID"}
)

// NewState returns the state of p that has the given number.
func NewState(p Protocol, number uint8) State { return State(p)<<8 | State(number) }

// Proto returns the protocol whose state it is.
func (s State) Proto() Protocol { return Protocol(s >> 8) }

// Number returns the state's number, as the kernel sends it.
func (s State) Number() uint8 { return uint8(s) }

// String returns the state's name, such as "ESTABLISHED", or its number.
func (s State) String() string {
	names := s.Proto().StateNames()
	if n := int(s.Number()); n < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(s.Number()))
}
