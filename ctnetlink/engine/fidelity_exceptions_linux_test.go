package engine_test

import (
	"encoding/binary"
	"strings"
	"sync/atomic"

	"github.com/gonntrack/gonntrack/internal/packets"
)

// explanation is a known difference between the engine and the kernel.
type explanation struct {
	name, why string
	// is reports whether a difference at the last of the moves is this one.
	is func(s *scenario, moves []move, d *gap) bool
	n  atomic.Int64
}

// differencesExplained are all known differences. A scenario ends where one
// occurs.
var differencesExplained = []*explanation{
	{
		name: "an id drawn twice",
		why: "a rule dnat and a rule snat both draw the id of an ICMP request. The events show the second only, which " +
			"the engine then draws both times: its second translation changes nothing and sets no SRC_NAT",
		is: func(s *scenario, _ []move, d *gap) bool {
			if strings.Count(s.set.rules, "random") < 2 || len(d.k.events) == 0 || len(d.k.events) != len(d.e.events) {
				return false
			}
			k, e := d.k.events[len(d.k.events)-1], d.e.events[len(d.e.events)-1]
			x, y := find(k.body, ctaStatus), find(e.body, ctaStatus)
			proto := find(k.body, ctaTupleOrig, 2, 1)
			return len(x) == 4 && len(y) == 4 && binary.BigEndian.Uint32(x)^binary.BigEndian.Uint32(y) == statusSrcNAT &&
				len(proto) == 1 && (proto[0] == packets.ProtoICMP || proto[0] == packets.ProtoICMPv6)
		},
	},
	{
		name: "a port drawn for a packet that is dropped",
		why: "a rule dnat draws a port, and with that port no source port is free: the kernel drops the packet and does " +
			"not tell which port it was, and the engine has drawn another one",
		is: func(s *scenario, _ []move, d *gap) bool {
			const insertFailed = 9 // CTA_STATS_INSERT_FAILED
			return strings.Contains(s.set.rules, "random") && len(d.k.leaves) == 0 && len(d.k.events) == 0 &&
				len(d.e.events) > 0 && d.k.stats[insertFailed] == d.e.stats[insertFailed]+1
		},
	},
}

// explained reports whether a difference is a known one, and counts it.
func explained(s *scenario, moves []move, d *gap) bool {
	for _, e := range differencesExplained {
		if e.is(s, moves, d) {
			e.n.Add(1)
			return true
		}
	}
	return false
}
