package difftest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A generator makes random command lines. Two generators with the same seed
// make the same.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0x636f6e6e747261))}
}

// chance is true once in n times.
func (g generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// The pools are small, so that filters match.
var (
	v4Pool = []string{"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.1"}
	v6Pool = []string{"fd00::1", "fd00::2", "fd00:0:0:1::1", "2001:db8::1"}

	tcpStates = []string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
		"LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2", "LISTEN"}
	sctpStates = []string{"NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED",
		"SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT"}
	dccpStates = []string{"NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING",
		"TIMEWAIT", "IGNORE", "INVALID"}

	statusNames = []string{"ASSURED", "SEEN_REPLY", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD",
		"HW_OFFLOAD", "UNREPLIED", "SRC_NAT", "DST_NAT"}
	eventNames  = []string{"ALL", "NEW", "UPDATES", "DESTROY", "SRC_NAT"}
	outputNames = []string{"xml", "extended", "timestamp", "id", "ktimestamp", "labels", "userspace", "save", "DST_NAT"}
	labelNames  = []string{"zero", "one", "two words", "seven", "last"}
)

// address returns an address of the family.
func (g generator) address(v6 bool) string {
	if v6 {
		return pick(g, v6Pool...)
	}
	return pick(g, v4Pool...)
}

// value returns a value that an option of this kind may well have.
func (g generator) value(k kind, v6 bool) string {
	switch k {
	case addr:
		a := g.address(v6)
		if g.chance(4) {
			a += fmt.Sprintf("/%d", pick(g, 0, 8, 16, 24, 30, 31, 32))
			if v6 && g.chance(2) {
				a = strings.SplitN(a, "/", 2)[0] + pick(g, "/128", "/64", "/127", "/1")
			}
		}
		return a
	case plain:
		return g.address(v6)
	case proto:
		return pick(g, "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "gre", "igmp",
			"TCP", "Udp", "6", "17", "0x11", "99", "esp", "ipv6-icmp", "0", "255")
	case seconds:
		return pick(g, "1000", "2000", "5000", "90000", "3000")
	case status:
		return g.list(statusNames[:5], 3, false)
	case events:
		return g.list(eventNames, 2, false)
	case output:
		return g.list(outputNames, 3, false)
	case mark:
		return pick(g, "0", "1", "5", "7", "0xff", "010", "0xffffffff", "5/7", "0x10/0xf0", "1/1", "0/0", "4294967295")
	case number32:
		return pick(g, "0", "1", "5", "0xffffffff", "010")
	case family:
		if v6 {
			return "ipv6"
		}
		return "ipv4"
	case nat:
		a := pick(g, "203.0.113.1", "203.0.113.2")
		if v6 {
			a = "2001:db8::99"
		}
		if g.chance(3) {
			if v6 {
				a = "[" + a + "]"
			}
			a += ":" + pick(g, "1", "80", "8080", "65535")
		}
		return a
	case size:
		return pick(g, "1024", "65536", "212992", "1048576")
	case zone:
		return pick(g, "0", "1", "2", "65535", "0x1")
	case labels, optLabel:
		return pick(g, labelNames...)
	case path:
		return "/etc/xtables/connlabel.conf"
	case anything:
		return pick(g, "1.2.3.4", "x", "")
	case port, key, vtag:
		return pick(g, "1", "2", "53", "80", "1024", "65535")
	case byte8:
		return pick(g, "0", "8", "13", "128")
	case tcpState:
		return pick(g, tcpStates...)
	case sctpState:
		return pick(g, sctpStates...)
	case dccpState:
		return pick(g, dccpStates...)
	case role:
		return pick(g, "client", "server", "c", "SERVER")
	case table:
		return pick(g, "conntrack", "conntrack", "c", "expect", "exp", "dying", "unconfirmed", "un")
	}
	return ""
}

// oddNumbers are read differently by atoi, strtoul and a strict parser.
var oddNumbers = []string{"", "x", "-1", "+5", " 5", "5 ", "5x", "0x5", "0x", "08", "0b1", "5.0", "1e3", "65536",
	"65537", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "99999999999999999999", "-99999999999"}

// oddAddresses are at the edges of what is an address.
var oddAddresses = []string{
	"",
	"x",
	"10.1",
	"0x7f.1",
	"012.0.0.1",
	"1",
	"4294967295",
	"4294967296",
	"1.2.3",
	"1.2.3.256",
	"1.2.3.4.5",
	"1.2.3.4 x",
	" 1.2.3.4",
	"::",
	"::1",
	"::ffff:1.2.3.4",
	"fd00::1%lo",
	"[::1]",
	"fd00:::1",
	"1.2.3.4/",
	"1.2.3.4/33",
	"1.2.3.4/-1",
	"1.2.3.4/8x",
	"1.2.3.4/+8",
	"1.2.3.4/8/8",
	"::1/129",
	"::1/128",
	"::1/0",
	"1.2.3.4/0",
	"/8",
	"10.0.0.1/24",
	"10.0.0.1/ 24",
	"10.0.0.1/0x18",
	"10.0.0.1/032",
}

// odd returns the values at the edges of what an option of this kind accepts.
func (k kind) odd() []string {
	switch k {
	case flag, anything:
		return nil
	case addr, plain:
		return oddAddresses
	case nat:
		return append([]string{"10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:x", "10.0.0.1:+1", "10.0.0.1:1:2",
			"[::1]:5", "[::1]:", "[::1", "[]:5", "[", "[1.2.3.4]:5", "[::1]5", "[::1]x:5", ":80", ":", "10.0.0.1/8:5",
			"10.0.0.1:99999999999999999999", "10.0.0.1:080", "!x", "-1"}, oddAddresses...)
	case proto:
		return []string{"", "x", "256", "-1", "+6", " 6", "6x", "0x6", "006", "4294967302", "ip", "IP", "Igmp", "IGMP",
			"ipv6-icmp", "tc", "tcpx", "t", "6 "}
	case family:
		return []string{"", "ipv", "IPV4", "ipv4junk", "ipv6x", "x", "inet", "4"}
	case status:
		return oddLists(
			"ASSURED",
			"SEEN_REPLY",
			"UNREPLIED",
			"!ASSURED",
			"!SEEN_REPLY",
			"!UNREPLIED",
			"UNSET",
			"UNSET,ASSURED",
			"SEEN_REPLY,!ASSURED",
			"f",
			"e",
			"o",
			"h",
			"a,se",
			"unreplied",
			"UNREP",
			"!!ASSURED",
			"!",
			"U",
		)
	case events:
		return oddLists("NEW", "n,u,de", "all", "!NEW", "UNREPLIED")
	case output:
		return oddLists("id", "x", "xml,s", "e,i,k,l,u,t", "sa", "SAVE", "sa,x", "!id", "UNREPLIED", "l")
	case mark:
		var both []string
		for _, n := range oddNumbers {
			both = append(both, n, n+"/7", "5/"+n)
		}
		return append(both, "5/7/7", "/", "5 /7", "5/ 7")
	case labels, optLabel:
		return []string{
			"",
			"x",
			"zero,one",
			"zero,x",
			"zero,",
			",",
			"Zero",
			"two",
			"zer",
			"zero,zero",
			"seven,last",
			"-x",
			"two words",
		}
	case tcpState, sctpState, dccpState:
		return []string{"", "x", "none", "NON", "ESTABLISHED ", "MAX", "IGNORE", "OPEN", "LISTEN", "HEARTBEAT_SENT", "CLOSED",
			"CLOSE", "SYN_SENT2", "TIMEWAIT", "TIME_WAIT"}
	case role:
		return []string{"", "x", "clients", "S", "ser", "cli", "server"}
	case table:
		return []string{"", "x", "expectation", "Conntrack", "e", "d", "u", "!x", "exp ", "c"}
	case path:
		return []string{"", "/nonexistent", "/"}
	}
	return oddNumbers
}

// odd returns such a value, or a random list.
func (g generator) odd(k kind) string {
	names := map[kind][]string{status: statusNames, events: eventNames, output: outputNames}[k]
	if values := k.odd(); len(values) > 0 && (names == nil || g.chance(2)) {
		return pick(g, values...)
	}
	if names == nil {
		return ""
	}
	return g.list(names, 3, true)
}

// oddLists adds to the values of a list what is wrong in every list.
func oddLists(values ...string) []string {
	good := values[0]
	return append(values, "", ",", good+",", ","+good, good+",,"+good, "x,"+good, good+",x,"+good, " "+good, good+" ",
		good+"X", strings.ToLower(good), "s", "d", "!S", "src_nat", "DST_NAT,"+good, "d,x", "SRC_NATx")
}

// list joins up to n of the names. When odd, they are cut, turned to lower
// case, negated, or made invalid.
func (g generator) list(names []string, n int, odd bool) string {
	var elems []string
	for range 1 + g.IntN(n) {
		e := pick(g, names...)
		if odd || g.chance(8) {
			if g.chance(3) && len(e) > 1 {
				e = e[:1+g.IntN(len(e)-1)]
			}
			if g.chance(4) {
				e = strings.ToLower(e)
			}
		}
		if odd {
			switch g.IntN(8) {
			case 0:
				e = "!" + e
			case 1:
				e = pick(g, "", "x", " "+e, e+" ", e+"x", "!", "!!"+e)
			}
		}
		elems = append(elems, e)
	}
	if !odd {
		slices.Sort(elems)
		elems = slices.Compact(elems)
	}
	return strings.Join(elems, ",")
}
