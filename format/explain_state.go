package format

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// This file has what the state of an entry means, how long it lasts, and what ends
// it.

// idle is how long an entry lasts without packets: the sysctl
// net.netfilter.nf_conntrack_SETTING, and its default in seconds
// (Documentation/networking/nf_conntrack-sysctl.rst).
type idle struct {
	setting string
	seconds uint64
}

// stateWords is a state of a protocol.
type stateWords struct {
	meaning string // what was seen
	next    string // what leads to the next state, or ends the connection
	idle    idle
	renewed bool // each packet resets the timeout to idle
	closing bool // a nearly full table may drop it though it is assured (l4proto->can_early_drop)
}

// tcpStateWords are the states of TCP by number (enum tcp_conntrack). The kernel
// derives them from the packets of both sides (nf_conntrack_proto_tcp.c); neither
// side need be in the state with that name in RFC 9293.
var tcpStateWords = []stateWords{
	{meaning: "no packet was seen yet"},
	{"a SYN was seen, and no answer yet", "a SYN/ACK makes it SYN_RECV; a RST in answer ends it at once",
		idle{"tcp_timeout_syn_sent", 120}, false, false},
	{"a SYN/ACK answered the SYN; the ACK is awaited", "the ACK makes it ESTABLISHED",
		idle{"tcp_timeout_syn_recv", 60}, true, false},
	{"the handshake is done; both sides may send", "a FIN of either side begins to close it, a RST closes it",
		idle{"tcp_timeout_established", 432000}, true, false},
	{"one side has sent a FIN; its acknowledgement is awaited",
		"the acknowledgement makes it CLOSE_WAIT, a RST closes it",
		idle{"tcp_timeout_fin_wait", 120}, true, true},
	{"one side has closed, and that was acknowledged; the other may still send",
		"the other side's FIN makes it LAST_ACK, a RST closes it",
		idle{"tcp_timeout_close_wait", 60}, true, true},
	{"both sides have sent a FIN; the last acknowledgement is awaited",
		"the acknowledgement makes it TIME_WAIT, a RST closes it",
		idle{"tcp_timeout_last_ack", 30}, true, true},
	{"both sides have closed, and that was acknowledged; it remains for late packets",
		"a new SYN with the same ports reopens it",
		idle{"tcp_timeout_time_wait", 120}, false, true},
	{"a RST has closed it; it remains for late packets", "a new SYN with the same ports reopens it",
		idle{"tcp_timeout_close", 10}, false, true},
	{"both sides have sent a SYN at the same time", "a SYN/ACK makes it SYN_RECV",
		idle{"tcp_timeout_syn_sent", 120}, false, false},
}

// sctpStateWords are the states of SCTP (enum sctp_conntrack,
// nf_conntrack_proto_sctp.c; RFC 9260). Times are the defaults since Linux 6.2.
var sctpStateWords = []stateWords{
	{meaning: "nothing was seen yet"},
	{"a SHUTDOWN COMPLETE or an ABORT has closed it", "a new INIT reopens it",
		idle{"sctp_timeout_closed", 10}, false, false},
	{"an INIT ACK answered the INIT; the cookie is awaited", "a COOKIE ECHO makes it COOKIE_ECHOED, an ABORT closes it",
		idle{"sctp_timeout_cookie_wait", 3}, true, false},
	{"a COOKIE ECHO was seen; its acknowledgement is awaited",
		"the COOKIE ACK makes it ESTABLISHED, an ABORT closes it",
		idle{"sctp_timeout_cookie_echoed", 3}, true, false},
	{"the handshake is done; both sides may send",
		"a SHUTDOWN of either side begins to close it, an ABORT closes it",
		idle{"sctp_timeout_established", 210}, true, false},
	{"the opener has sent a SHUTDOWN", "the SHUTDOWN ACK makes it SHUTDOWN_ACK_SENT, an ABORT closes it",
		idle{"sctp_timeout_shutdown_sent", 3}, true, true},
	{"the other side has sent a SHUTDOWN", "the SHUTDOWN ACK makes it SHUTDOWN_ACK_SENT, an ABORT closes it",
		idle{"sctp_timeout_shutdown_recd", 3}, true, true},
	{"a SHUTDOWN was answered by a SHUTDOWN ACK", "the SHUTDOWN COMPLETE closes it",
		idle{"sctp_timeout_shutdown_ack_sent", 3}, true, true},
	{"a HEARTBEAT was seen on a path that had carried nothing", "the HEARTBEAT ACK makes it established",
		idle{"sctp_timeout_heartbeat_sent", 30}, true, false},
	{"the HEARTBEAT of a new path was acknowledged", "a SHUTDOWN begins to close it, an ABORT closes it",
		idle{"sctp_timeout_heartbeat_acked", 210}, true, false},
}

// dccpStateWords are the states of DCCP (enum ct_dccp_states,
// nf_conntrack_proto_dccp.c; RFC 4340). Linux 6.16 and newer do not track them.
var dccpStateWords = []stateWords{
	{meaning: "nothing was seen yet"},
	{"a Request was seen, and no answer yet", "a Response makes it RESPOND",
		idle{"dccp_timeout_request", 240}, true, false},
	{"the Request was answered; the client's Ack is awaited", "the Ack makes it PARTOPEN",
		idle{"dccp_timeout_respond", 480}, true, false},
	{"the client has acknowledged the Response; the server's packet is awaited",
		"the server's packet makes it OPEN",
		idle{"dccp_timeout_partopen", 480}, true, false},
	{"the handshake is done; both sides may send", "a CloseReq or a Close begins to close it, a Reset closes it",
		idle{"dccp_timeout_open", 43200}, true, false},
	{"the server has asked the client to close", "the client's Close makes it CLOSING",
		idle{"dccp_timeout_closereq", 64}, true, true},
	{"a Close was seen; the Reset is awaited", "the Reset makes it TIMEWAIT",
		idle{"dccp_timeout_closing", 64}, true, true},
	{"it was closed; it remains for late packets", "a new Request reopens it",
		idle{"dccp_timeout_timewait", 240}, false, true},
	{meaning: "the last packet was ignored"},
	{meaning: "the last packet did not fit"},
}

func statesOf(proto ctnetlink.Protocol) []stateWords {
	switch proto {
	case ctnetlink.ProtoTCP:
		return tcpStateWords
	case ctnetlink.ProtoSCTP:
		return sctpStateWords
	case ctnetlink.ProtoDCCP:
		return dccpStateWords
	}
	return nil
}

// current returns the state and its name, nil if the kernel sent none or an unknown
// one.
func (t *explainer) current() (*stateWords, string) {
	words, names := statesOf(t.orig.Proto), t.orig.Proto.StateNames()
	if v, ok := t.f.State(); ok && int(v.Number()) < len(words) {
		return &words[v.Number()], names[v.Number()]
	}
	return nil, ""
}

// state returns what was seen so far, and what comes next.
func (t *explainer) state() string {
	if w, name := t.current(); w != nil {
		var s phrases
		if w == &sctpStateWords[1] && !t.has(ctnetlink.StatusSeenReply) {
			return name + ": an INIT was seen, and no answer yet; an INIT ACK makes it COOKIE_WAIT"
		}
		s.add(name + ": " + w.meaning)
		s.add(w.next)
		return s.String()
	}
	if v, ok := t.f.State(); ok && statesOf(t.orig.Proto) != nil {
		return fmt.Sprintf("number %d, which is unknown", v.Number())
	}
	if !t.hasStatus {
		return ""
	}
	var seen string
	switch {
	case t.status&ctnetlink.StatusSeenReply == 0:
		seen = "no reply was seen yet"
	case t.status&ctnetlink.StatusAssured == 0:
		seen = "packets were seen in both directions"
	default:
		seen = "packets flow in both directions"
	}
	if t.proto.stateless && t.orig.Has&ctnetlink.FieldProto != 0 {
		return seen + "; " + t.proto.name + " has no states"
	}
	return seen
}

// rest returns how long the entry lasts without packets, and whether each packet
// resets the timeout.
func (t *explainer) rest() (idle, bool) {
	if w, _ := t.current(); w != nil {
		return w.idle, w.renewed
	}
	if t.orig.Has&ctnetlink.FieldProto == 0 || statesOf(t.orig.Proto) != nil && t.orig.Proto != ctnetlink.ProtoDCCP {
		return idle{}, false
	}
	if stream := t.proto.stream; stream.setting != "" && t.status&ctnetlink.StatusAssured != 0 {
		return stream, true
	}
	return t.proto.idle, true
}

// end returns what ends the entry: its timeout, the protocol, or a full table.
func (t *explainer) end() string {
	var s phrases
	left, hasTimeout := wholeSeconds(t.f.Timeout())
	rest, renewed := t.rest()
	offloaded := t.status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0
	switch {
	case t.status&ctnetlink.StatusDying != 0:
		return "it has ended: it is being removed"
	case offloaded:
		s.add("not while its packets are offloaded; when they stop, it returns and its timeout runs")
	case hasTimeout && t.status&ctnetlink.StatusFixedTimeout != 0:
		s.add("in " + durationInWords(left) + ", with or without packets: its timeout is fixed")
	case hasTimeout && renewed && rest.setting != "":
		s.add("in " + durationInWords(left) + " without packets: each packet resets the timeout, by default to " +
			durationInWords(rest.seconds) + " (nf_conntrack_" + rest.setting + ")")
	case hasTimeout:
		s.add("in " + durationInWords(left))
	}
	info, _ := t.f.ProtoInfo()
	if !offloaded && t.orig.Proto == ctnetlink.ProtoTCP && info.State.Number() == tcpEstablished &&
		(info.Flags[0].Value|info.Flags[1].Value)&tcpUnacknowledged != 0 {
		s.add("what was sent is not acknowledged yet: until it is, the timeout is at most 5 minutes " +
			"(nf_conntrack_tcp_timeout_unacknowledged)")
	}
	w, _ := t.current()
	switch {
	case !t.hasStatus || offloaded:
	case t.status&ctnetlink.StatusAssured == 0:
		s.add("it is not assured: a full table may drop it")
	case w != nil && w.closing:
		s.add("it is closing: a nearly full table may drop it, though it is assured")
	}
	return s.String()
}

// flags appends the meaning of each flag.
func (t *explainer) flags() {
	type row struct{ name, meaning string }
	var rows []row
	for _, w := range flagWords {
		if t.status&w.flag != 0 {
			rows = append(rows, row{w.name, w.meaning})
		}
	}
	if info, _ := t.f.ProtoInfo(); info.Proto == ctnetlink.ProtoTCP &&
		(info.Flags[0].Value|info.Flags[1].Value)&ctnetlink.TCPBeLiberal != 0 {
		rows = append(rows, row{"BE_LIBERAL", "packets outside the TCP window pass"})
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r.name))
	}
	indent, colon := explainIndent+width+2, ""
	if indent > t.width/2 {
		indent, colon = explainIndent+2, ":" // below the names
	}
	title := "Flags"
	for _, r := range rows {
		first := title + strings.Repeat(" ", explainIndent-len(title)) + r.name + colon
		t.b = appendWrapped(t.b, first, indent, t.width, r.meaning)
		title = ""
	}
}

// flagWords are the flags (enum ip_conntrack_status) by the names of help and -u.
var flagWords = []struct {
	flag          ctnetlink.Status
	name, meaning string
}{
	{ctnetlink.StatusExpected, "EXPECTED", "a helper expected it; rules see it as related"},
	{ctnetlink.StatusSeenReply, "SEEN_REPLY", "packets were seen in both directions"},
	{ctnetlink.StatusAssured, "ASSURED", "kept when the table is full"},
	{ctnetlink.StatusConfirmed, "CONFIRMED", "it is in the table"},
	{ctnetlink.StatusSrcNAT, "SRC_NAT", "its source is translated"},
	{ctnetlink.StatusDstNAT, "DST_NAT", "its destination is translated"},
	{ctnetlink.StatusSeqAdjust, "SEQ_ADJUST", "a helper changed the length of its data: sequence numbers are adjusted"},
	{ctnetlink.StatusSrcNATDone, "SRC_NAT_DONE", "source translation has been decided"},
	{ctnetlink.StatusDstNATDone, "DST_NAT_DONE", "destination translation has been decided"},
	{ctnetlink.StatusDying, "DYING", "it is being removed"},
	{ctnetlink.StatusFixedTimeout, "FIXED_TIMEOUT", "packets do not reset its timeout"},
	{ctnetlink.StatusTemplate, "TEMPLATE", "a template for entries, not a connection"},
	{ctnetlink.StatusUntracked, "NAT_CLASH", "it shares its tuple with an entry created at the same moment"},
	{ctnetlink.StatusHelper, "HELPER", "its helper was assigned by a rule or by hand"},
	{ctnetlink.StatusOffload, "OFFLOAD", "a flow table forwards its packets, past the rules"},
	{ctnetlink.StatusHWOffload, "HW_OFFLOAD", "the network card forwards its packets, past the kernel"},
}
