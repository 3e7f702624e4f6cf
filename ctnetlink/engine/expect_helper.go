package engine

import "time"

// helper is a connection tracking helper of the kernel, as far as a table
// without packets needs it: its name, the entries that may have it, and what it
// allows their expectations.
type helper struct {
	name    string
	family  uint8 // 0: both
	proto   uint8
	classes []expectLimit // by class of expectation
}

// expectLimit bounds the expectations of one class that one master may have
// (struct nf_conntrack_expect_policy).
type expectLimit struct {
	max     int // 0: no limit
	timeout time.Duration
}

// helpers are those that Linux has built in, with the limits that it shows.
var helpers = []helper{
	{"ftp", 0, 6, []expectLimit{{1, 300 * time.Second}}},
	{"tftp", 0, 17, []expectLimit{{1, 300 * time.Second}}},
	{"sip", 0, 6, sipLimits},
	{"sip", 0, 17, sipLimits},
	{"irc", 2, 6, []expectLimit{{8, 300 * time.Second}}},
	{"Q.931", 0, 6, []expectLimit{{20, 240 * time.Second}}}, // of h323, like the next two
	{"H.245", 0, 17, []expectLimit{{18, 240 * time.Second}}},
	{"RAS", 0, 17, []expectLimit{{32, 240 * time.Second}}},
	{"amanda", 0, 17, []expectLimit{{4, 180 * time.Second}}},
	{"netbios-ns", 2, 17, []expectLimit{{1, 3 * time.Second}}},
	{"pptp", 2, 6, []expectLimit{{2, 300 * time.Second}}},
	{"sane", 0, 6, []expectLimit{{1, 300 * time.Second}}},
	{"snmp", 2, 17, []expectLimit{{1, 30 * time.Second}}},
	{"snmp_trap", 2, 17, []expectLimit{{0, 180 * time.Second}}},
}

// sipLimits: signalling, audio, video, image.
var sipLimits = []expectLimit{{1, 180 * time.Second}, {4, 180 * time.Second}, {4, 180 * time.Second}, {2, 180 * time.Second}}

// findHelper returns the helper of that name for entries of a family and a
// protocol; nil when there is none.
func findHelper(name string, family, proto uint8) *helper {
	for i := range helpers {
		h := &helpers[i]
		if h.name == name && h.proto == proto && (h.family == 0 || h.family == family) {
			return h
		}
	}
	return nil
}

// expectFns are the functions that an expectation may name; the kernel calls
// them when the expected packet comes.
var expectFns = []string{"nat-follow-master", "Q.931", "callforwarding", "sip"}
