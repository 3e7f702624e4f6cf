package engine

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Timeouts are the timeouts of one protocol in seconds, by its states: TCP's and
// SCTP's numbers in ctnetlink; for UDP, UDPlite and GRE 0 is unreplied and 1 a
// stream; others have 0 only.
type Timeouts [12]uint32

// TCP's timeouts beside those of its states.
const (
	tcpMaxRetrans     = 10 // nf_conntrack_tcp_timeout_max_retrans
	tcpUnacknowledged = 11 // nf_conntrack_tcp_timeout_unacknowledged
)

// Sysctls are the variables net.netfilter.nf_conntrack_* that decide about
// packets.
type Sysctls struct {
	TCP, UDP, SCTP, GRE, ICMP, ICMPv6, Generic Timeouts

	Checksum         bool   // nf_conntrack_checksum
	Loose            bool   // nf_conntrack_tcp_loose
	Liberal          bool   // nf_conntrack_tcp_be_liberal
	IgnoreInvalidRST bool   // nf_conntrack_tcp_ignore_invalid_rst
	MaxRetrans       uint32 // nf_conntrack_tcp_max_retrans
	Buckets          uint32 // nf_conntrack_buckets
	ExpectMax        uint32 // nf_conntrack_expect_max

	FragTime     uint32 // net.ipv4.ipfrag_time, in seconds
	FragHigh     uint32 // net.ipv4.ipfrag_high_thresh, in bytes
	FragDistance uint32 // net.ipv4.ipfrag_max_dist
	Frag6Time    uint32 // nf_conntrack_frag6_timeout, in seconds
	Frag6High    uint32 // nf_conntrack_frag6_high_thresh, in bytes
}

// DefaultSysctls returns the values of Linux 6.18 after booting.
func DefaultSysctls() Sysctls {
	s := Sysctls{
		UDP: Timeouts{30, 120}, GRE: Timeouts{30, 180}, ICMP: Timeouts{30}, ICMPv6: Timeouts{30},
		Generic: Timeouts{600}, Checksum: true, Loose: true, MaxRetrans: 3, Buckets: 262144, ExpectMax: maxExpectations,
		FragTime: 30, FragHigh: 4 << 20, FragDistance: 64, Frag6Time: 60, Frag6High: 4 << 20,
	}
	s.TCP = Timeouts{
		1: 120, 2: 60, 3: 432000, 4: 120, 5: 60, 6: 30, 7: 120, 8: 10, 9: 120,
		tcpMaxRetrans: 300, tcpUnacknowledged: 300,
	}
	s.SCTP = Timeouts{1: 10, 2: 3, 3: 3, 4: 210, 5: 3, 6: 3, 7: 3, 8: 30}
	return s
}

// Set sets a variable by its name, with or without "net.netfilter." and
// "nf_conntrack_" in front, such as "tcp_timeout_close". nf_conntrack_max,
// nf_conntrack_acct and nf_conntrack_timestamp are fields of Options; known is
// false for them and for all other names.
func (s *Sysctls) Set(name, value string) (known bool, err error) {
	name = strings.TrimPrefix(strings.ReplaceAll(name, "/", "."), "net.netfilter.")
	name = strings.TrimPrefix(name, "nf_conntrack_")
	var v sysctl
	if v, known = s.variable(name); !known {
		return false, nil
	}
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > v.max {
		return true, fmt.Errorf("%s: %q is not a number from 0 to %d", name, value, v.max)
	}
	if v.flag != nil {
		*v.flag = n != 0
	} else {
		*v.number = uint32(n)
	}
	return true, nil
}

// sysctl is one variable: its field, and the greatest value.
type sysctl struct {
	name   string
	flag   *bool
	number *uint32
	max    uint64
}

// variable returns the variable with a name.
func (s *Sysctls) variable(name string) (v sysctl, ok bool) {
	for _, v := range [...]sysctl{
		{"checksum", &s.Checksum, nil, 1},
		{"tcp_loose", &s.Loose, nil, 1},
		{"tcp_be_liberal", &s.Liberal, nil, 1},
		{"tcp_ignore_invalid_rst", &s.IgnoreInvalidRST, nil, 1},
		{"tcp_max_retrans", nil, &s.MaxRetrans, math.MaxUint8},
		{"buckets", nil, &s.Buckets, math.MaxInt32},
		{"expect_max", nil, &s.ExpectMax, math.MaxInt32},
		{"net.ipv4.ipfrag_time", nil, &s.FragTime, math.MaxInt32},
		{"net.ipv4.ipfrag_high_thresh", nil, &s.FragHigh, math.MaxInt32},
		{"net.ipv4.ipfrag_max_dist", nil, &s.FragDistance, math.MaxInt32},
		{"frag6_timeout", nil, &s.Frag6Time, math.MaxInt32},
		{"frag6_high_thresh", nil, &s.Frag6High, math.MaxInt32},
		{"udp_timeout", nil, &s.UDP[udpUnreplied], math.MaxInt32},
		{"udp_timeout_stream", nil, &s.UDP[udpStream], math.MaxInt32},
		{"gre_timeout", nil, &s.GRE[0], math.MaxInt32},
		{"gre_timeout_stream", nil, &s.GRE[1], math.MaxInt32},
		{"icmp_timeout", nil, &s.ICMP[0], math.MaxInt32},
		{"icmpv6_timeout", nil, &s.ICMPv6[0], math.MaxInt32},
		{"generic_timeout", nil, &s.Generic[0], math.MaxInt32},
		{"tcp_timeout_max_retrans", nil, &s.TCP[tcpMaxRetrans], math.MaxInt32},
		{"tcp_timeout_unacknowledged", nil, &s.TCP[tcpUnacknowledged], math.MaxInt32},
	} {
		if v.name == name {
			return v, true
		}
	}
	states, timeouts := tcpStates[:], &s.TCP
	state, ok := strings.CutPrefix(name, "tcp_timeout_")
	if !ok {
		states, timeouts = sctpStates[:], &s.SCTP
		state, ok = strings.CutPrefix(name, "sctp_timeout_")
	}
	if i := slices.Index(states, state); ok && i >= 0 {
		return sysctl{name, nil, &timeouts[i+1], math.MaxInt32}, true
	}
	return sysctl{}, false
}

// The states of TCP and SCTP that have a variable, from number 1 on.
var (
	tcpStates = [...]string{
		"syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close",
	}
	sctpStates = [...]string{
		"closed", "cookie_wait", "cookie_echoed", "established", "shutdown_sent", "shutdown_recd", "shutdown_ack_sent",
		"heartbeat_sent",
	}
)

// timeouts returns the timeouts of a packet's entry: those that a rule gave it,
// or the system's.
func (t *Table) timeouts(p *packet, system *Timeouts) *Timeouts {
	if p.e.has&hasExtension != 0 {
		if x := t.extension(p.e); x.policy != nil {
			return x.policy
		}
	}
	return system
}
