package format

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// protoWords describes a protocol.
type protoWords struct {
	name string
	what string // an entry of it, at the beginning of a line
	// stateless: the kernel tracks no states of it, only whether replies came.
	stateless bool
	// idle is how long an entry lasts without packets, and stream how long an
	// assured one lasts if that differs.
	idle, stream idle
}

var generic = idle{"generic_timeout", 600}

// protocolTable is not a map, which would have to be filled at each start.
var protocolTable = []struct {
	number ctnetlink.Protocol
	words  protoWords
}{
	{ctnetlink.ProtoICMP, protoWords{name: "ICMP", what: "ICMP query", stateless: true,
		idle: idle{"icmp_timeout", 30}}},
	{ctnetlink.ProtoTCP, protoWords{name: "TCP", what: "TCP connection"}},
	{ctnetlink.ProtoUDP, protoWords{name: "UDP", what: "UDP flow", stateless: true,
		idle: idle{"udp_timeout", 30}, stream: idle{"udp_timeout_stream", 120}}},
	{ctnetlink.ProtoDCCP, protoWords{name: "DCCP", what: "DCCP connection", stateless: true, idle: generic}},
	{ctnetlink.ProtoGRE, protoWords{name: "GRE", what: "GRE tunnel", stateless: true,
		idle: idle{"gre_timeout", 30}, stream: idle{"gre_timeout_stream", 180}}},
	{ctnetlink.ProtoICMPv6, protoWords{name: "ICMPv6", what: "ICMPv6 query", stateless: true,
		idle: idle{"icmpv6_timeout", 30}}},
	{ctnetlink.ProtoSCTP, protoWords{name: "SCTP", what: "SCTP association"}},
	{ctnetlink.ProtoUDPLite, protoWords{name: "UDP-Lite", what: "UDP-Lite flow", stateless: true,
		idle: idle{"udp_timeout", 30}, stream: idle{"udp_timeout_stream", 120}}},
}

// otherProtocols are names of protocols without a tracker: their entries are all
// traffic between two addresses (IANA, Protocol Numbers).
var otherProtocols = []struct {
	number ctnetlink.Protocol
	name   string
}{
	{2, "IGMP"}, {4, "IP in IP"}, {41, "IPv6 in IP"}, {50, "ESP"}, {51, "AH"}, {88, "EIGRP"}, {89, "OSPF"},
	{97, "EtherIP"}, {103, "PIM"}, {108, "IPComp"}, {112, "VRRP"}, {115, "L2TP"}, {137, "MPLS in IP"},
}

// protocolWords returns the description of a protocol.
func protocolWords(proto ctnetlink.Protocol) *protoWords {
	for i := range protocolTable {
		if protocolTable[i].number == proto {
			return &protocolTable[i].words
		}
	}
	for _, p := range otherProtocols {
		if p.number == proto {
			what := fmt.Sprintf("%s (protocol %d)", p.name, proto)
			return &protoWords{name: p.name, what: what, stateless: true, idle: generic}
		}
	}
	name := fmt.Sprintf("protocol %d", proto)
	return &protoWords{name: name, what: "Traffic of " + name, stateless: true, idle: generic}
}

// icmpNames are the ICMP queries and replies that are tracked (IANA, ICMP and ICMPv6
// Parameters).
var icmpNames = []struct {
	proto  ctnetlink.Protocol
	number uint8
	name   string
}{
	{ctnetlink.ProtoICMP, 0, "echo reply"}, {ctnetlink.ProtoICMP, 8, "echo request (ping)"},
	{ctnetlink.ProtoICMP, 13, "timestamp request"}, {ctnetlink.ProtoICMP, 14, "timestamp reply"},
	{ctnetlink.ProtoICMP, 15, "information request"}, {ctnetlink.ProtoICMP, 16, "information reply"},
	{ctnetlink.ProtoICMP, 17, "address mask request"}, {ctnetlink.ProtoICMP, 18, "address mask reply"},
	{ctnetlink.ProtoICMPv6, 128, "echo request (ping)"}, {ctnetlink.ProtoICMPv6, 129, "echo reply"},
	{ctnetlink.ProtoICMPv6, 139, "node information query"}, {ctnetlink.ProtoICMPv6, 140, "node information response"},
}

// ICMPTypes returns the types of the tracked queries and replies of ICMP or ICMPv6:
// number, tab, name.
func ICMPTypes(proto ctnetlink.Protocol) []string {
	var list []string
	for _, n := range icmpNames {
		if n.proto == proto {
			list = append(list, fmt.Sprintf("%d\t%s", n.number, n.name))
		}
	}
	return list
}

func icmpName(proto ctnetlink.Protocol, typ uint8) string {
	for _, n := range icmpNames {
		if n.proto == proto && n.number == typ {
			return n.name
		}
	}
	return fmt.Sprintf("message of type %d", typ)
}

// helperWords are the helpers of the kernel (nf_conntrack_*.c).
var helperWords = []struct{ name, text string }{
	{"amanda", "it reads the replies of an Amanda backup server and expects the data connections"},
	{"ftp", "it reads PORT and PASV commands and expects the data connections"},
	{"H.245", "it reads H.323 control messages and expects the media connections"},
	{"irc", "it reads DCC offers and expects the direct connections"},
	{"netbios-ns", "it expects the answers to NetBIOS name queries that were broadcast"},
	{"pptp", "it reads PPTP control messages and expects the GRE tunnel"},
	{"Q.931", "it reads H.323 call signalling and expects the control connections"},
	{"RAS", "it reads H.323 registrations and expects the calls"},
	{"sane", "it reads scanner control messages and expects the data connection"},
	{"sip", "it reads SIP messages and expects the media connections"},
	{"snmp", "it expects the answers to SNMP queries that were broadcast"},
	{"tftp", "it reads TFTP requests and expects the data connection"},
}

// HelperNames returns the names of the helpers that are part of Linux. A system may
// have others.
func HelperNames() []string {
	names := make([]string, len(helperWords))
	for i, h := range helperWords {
		names[i] = h.name
	}
	return names
}

// ago returns how long ago something was.
func ago(seconds uint64) string {
	if seconds == 0 {
		return "just now"
	}
	return durationInWords(seconds) + " ago"
}

func plural(n uint64, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}

// article adds the indefinite article.
func article(name string) string {
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// lowerFirst writes the first letter in lower case, unless the second one is upper
// case too, as in TCP.
func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// phrases are joined by semicolons.
type phrases []string

func (p *phrases) add(text string) {
	if text != "" {
		*p = append(*p, text)
	}
}

func (p phrases) String() string { return strings.Join(p, "; ") }
