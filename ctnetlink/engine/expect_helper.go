package engine

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// helper is one of the kernel's connection tracking helpers: its name, the
// entries that may have it, and the limits of their expectations.
type helper struct {
	name    string
	family  ctnetlink.Family // 0: both
	proto   ctnetlink.Protocol
	classes []expectLimit // by class of expectation; nil: not known
	// read reads a packet of an entry x that has the helper. It returns false if
	// the packet is dropped. nil: the helper is known, but reads no packets.
	read func(t *Table, p *packet, x *extension) bool
}

// expectLimit bounds a master's expectations in one class (struct
// nf_conntrack_expect_policy).
type expectLimit struct {
	max     int // 0: no limit
	timeout time.Duration
}

// helpers are the helpers that are part of Linux, with their limits.
var helpers = []helper{
	{"ftp", 0, 6, []expectLimit{{1, 300 * time.Second}}, readFTP},
	{"tftp", 0, 17, []expectLimit{{1, 300 * time.Second}}, readTFTP},
	{"sip", 0, 6, sipLimits, nil},
	{"sip", 0, 17, sipLimits, readSIP},
	{"irc", 2, 6, []expectLimit{{8, 300 * time.Second}}, readIRC},
	{"Q.931", 0, 6, []expectLimit{{20, 240 * time.Second}}, nil}, // this and the next two are h323
	{"H.245", 0, 17, []expectLimit{{18, 240 * time.Second}}, nil},
	{"RAS", 0, 17, []expectLimit{{32, 240 * time.Second}}, nil},
	{"amanda", 0, 17, []expectLimit{{4, 180 * time.Second}}, readAmanda},
	{"netbios-ns", 2, 17, []expectLimit{{1, 3 * time.Second}}, readNetBIOS},
	{"pptp", 2, 6, []expectLimit{{2, 300 * time.Second}}, readPPTP},
	{"sane", 0, 6, []expectLimit{{1, 300 * time.Second}}, readSANE},
	{"snmp", 2, 17, []expectLimit{{1, 30 * time.Second}}, readSNMP},
	{"snmp_trap", 2, 17, []expectLimit{{0, 180 * time.Second}}, nil},
}

// sipLimits are the limits for signalling, audio, video and image.
var sipLimits = []expectLimit{
	{1, 180 * time.Second}, {4, 180 * time.Second}, {4, 180 * time.Second}, {2, 180 * time.Second},
}

// findHelper returns the helper with a name for entries of a family and a
// protocol, nil if there is none.
func findHelper(name string, family ctnetlink.Family, proto ctnetlink.Protocol) *helper {
	for i := range helpers {
		h := &helpers[i]
		if h.name == name && h.proto == proto && (h.family == 0 || h.family == family) {
			return h
		}
	}
	return nil
}

// restoredHelper returns the helper of a restored entry. One that is not part of
// Linux, as a program can be one, gets no limits.
func (t *Table) restoredHelper(name string, family ctnetlink.Family, proto ctnetlink.Protocol) *helper {
	if h := findHelper(name, family, proto); h != nil {
		return h
	}
	key := helperKey{name, family, proto}
	h := t.foreign[key]
	if h == nil {
		h = &helper{name: name, family: family, proto: proto}
		if t.foreign == nil {
			t.foreign = map[helperKey]*helper{}
		}
		t.foreign[key] = h
	}
	return h
}

// helperKey identifies a helper.
type helperKey struct {
	name   string
	family ctnetlink.Family
	proto  ctnetlink.Protocol
}

// expectFns are the names that CTA_EXPECT_FN may have. The kernel calls the
// function when the expected packet arrives.
var expectFns = []string{"nat-follow-master", "Q.931", "callforwarding", "sip"}
