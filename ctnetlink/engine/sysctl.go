package engine

import (
	"fmt"
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
	i := slices.IndexFunc(sysctls, func(v sysctl) bool { return v.name == name })
	if i < 0 {
		return false, nil
	}
	v := sysctls[i]
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > v.max {
		return true, fmt.Errorf("%s: %q is not a number from 0 to %d", name, value, v.max)
	}
	v.set(s, uint32(n))
	return true, nil
}

// sysctl is one variable.
type sysctl struct {
	name string
	max  uint64
	set  func(s *Sysctls, n uint32)
}

var sysctls = []sysctl{
	{"checksum", 1, func(s *Sysctls, n uint32) { s.Checksum = n != 0 }},
	{"tcp_loose", 1, func(s *Sysctls, n uint32) { s.Loose = n != 0 }},
	{"tcp_be_liberal", 1, func(s *Sysctls, n uint32) { s.Liberal = n != 0 }},
	{"tcp_ignore_invalid_rst", 1, func(s *Sysctls, n uint32) { s.IgnoreInvalidRST = n != 0 }},
	{"tcp_max_retrans", 255, func(s *Sysctls, n uint32) { s.MaxRetrans = n }},
	{"buckets", maxNumber, func(s *Sysctls, n uint32) { s.Buckets = n }},
	{"expect_max", maxNumber, func(s *Sysctls, n uint32) { s.ExpectMax = n }},
	{"net.ipv4.ipfrag_time", maxNumber, func(s *Sysctls, n uint32) { s.FragTime = n }},
	{"net.ipv4.ipfrag_high_thresh", maxNumber, func(s *Sysctls, n uint32) { s.FragHigh = n }},
	{"net.ipv4.ipfrag_max_dist", maxNumber, func(s *Sysctls, n uint32) { s.FragDistance = n }},
	{"frag6_timeout", maxNumber, func(s *Sysctls, n uint32) { s.Frag6Time = n }},
	{"frag6_high_thresh", maxNumber, func(s *Sysctls, n uint32) { s.Frag6High = n }},
	timeoutOf("udp_timeout", func(s *Sysctls) *uint32 { return &s.UDP[udpUnreplied] }),
	timeoutOf("udp_timeout_stream", func(s *Sysctls) *uint32 { return &s.UDP[udpStream] }),
	timeoutOf("gre_timeout", func(s *Sysctls) *uint32 { return &s.GRE[0] }),
	timeoutOf("gre_timeout_stream", func(s *Sysctls) *uint32 { return &s.GRE[1] }),
	timeoutOf("icmp_timeout", func(s *Sysctls) *uint32 { return &s.ICMP[0] }),
	timeoutOf("icmpv6_timeout", func(s *Sysctls) *uint32 { return &s.ICMPv6[0] }),
	timeoutOf("generic_timeout", func(s *Sysctls) *uint32 { return &s.Generic[0] }),
	timeoutOf("tcp_timeout_max_retrans", func(s *Sysctls) *uint32 { return &s.TCP[tcpMaxRetrans] }),
	timeoutOf("tcp_timeout_unacknowledged", func(s *Sysctls) *uint32 { return &s.TCP[tcpUnacknowledged] }),
}

const maxNumber = 1<<31 - 1

func timeoutOf(name string, field func(s *Sysctls) *uint32) sysctl {
	return sysctl{name, maxNumber, func(s *Sysctls, n uint32) { *field(s) = n }}
}

// The states of TCP and SCTP that have a variable, from number 1 on.
var (
	tcpStates = []string{
		"syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close",
	}
	sctpStates = []string{
		"closed", "cookie_wait", "cookie_echoed", "established", "shutdown_sent", "shutdown_recd", "shutdown_ack_sent",
		"heartbeat_sent",
	}
)

func init() {
	for i, name := range tcpStates {
		sysctls = append(sysctls, timeoutOf("tcp_timeout_"+name, func(s *Sysctls) *uint32 { return &s.TCP[i+1] }))
	}
	for i, name := range sctpStates {
		sysctls = append(sysctls, timeoutOf("sctp_timeout_"+name, func(s *Sysctls) *uint32 { return &s.SCTP[i+1] }))
	}
}

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
