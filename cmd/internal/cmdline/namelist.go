package cmdline

import (
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// EventMask is a set of kinds of events, by -e.
type EventMask uint8

const (
	EventNew EventMask = 1 << iota
	EventUpdate
	EventDestroy
	EventAll = EventNew | EventUpdate | EventDestroy
)

// Name is an element of a comma-separated list: any beginning of it stands for
// it, in any case, and the first in the list's order wins.
type Name struct {
	Text string
	bits uint32
}

var StatusNames = []Name{
	{"ASSURED", uint32(ctnetlink.StatusAssured)},
	{"SEEN_REPLY", uint32(ctnetlink.StatusSeenReply)},
	{"UNSET", 0},
	{"FIXED_TIMEOUT", uint32(ctnetlink.StatusFixedTimeout)},
	{"EXPECTED", uint32(ctnetlink.StatusExpected)},
	{"OFFLOAD", uint32(ctnetlink.StatusOffload)},
	{"HW_OFFLOAD", uint32(ctnetlink.StatusHWOffload)},
}

var EventNames = []Name{
	{"ALL", uint32(EventAll)}, {"NEW", uint32(EventNew)},
	{"UPDATES", uint32(EventUpdate)}, {"DESTROY", uint32(EventDestroy)},
}

// Bits of the elements of -o.
const (
	outXML = 1 << iota
	outExtended
	outTimestamp
	outID
	outKTimestamp
	outLabels
	outUserspace
	outSave
	// The extensions, tried after the classic names.
	outJSON
	outJSONL
	outCSV
	outTable
	outNetlink
	outProm

	outExtensions = outJSON | outJSONL | outCSV | outTable | outNetlink | outProm
)

// OutputNames are in the order of their bits; OutputForms has their commands.
var OutputNames = []Name{
	{"xml", outXML}, {"extended", outExtended}, {"timestamp", outTimestamp}, {"id", outID},
	{"ktimestamp", outKTimestamp}, {"labels", outLabels}, {"userspace", outUserspace}, {"save", outSave},
	{"json", outJSON}, {"jsonl", outJSONL}, {"csv", outCSV}, {"table", outTable}, {"netlink", outNetlink},
	{"prom", outProm},
}

// ignoredNames are looked up before the names of every list.
var ignoredNames = []struct{ text, option string }{{"SRC_NAT", "src-nat"}, {"DST_NAT", "dst-nat"}}

// parseList reads a comma-separated list and calls add with each element's
// bits. negated elements (!NAME) and UNREPLIED exist in a status list only.
func parseList(stderr *console.Messages, list string, names []Name, status bool, add func(n Name, negated bool)) error {
	for rest, more := list, true; more; {
		at := rest
		var element string
		element, rest, more = strings.Cut(rest, ",")
		negated := status && strings.HasPrefix(element, "!")
		if negated {
			element, at = element[1:], at[1:]
		}
		switch {
		case element == "":
			return badParameter(at)
		case ignored(stderr, element):
		case status && !negated && element == "UNREPLIED":
			add(Name{"SEEN_REPLY", uint32(ctnetlink.StatusSeenReply)}, true)
		default:
			n, ok := findName(names, element)
			if !ok {
				return badParameter(at)
			}
			add(n, negated)
		}
	}
	return nil
}

// badParameter names the list from the bad element on, without its `!'.
func badParameter(at string) error { return Usagef("Bad parameter `%s'", at) }

func ignored(stderr *console.Messages, element string) bool {
	for _, n := range ignoredNames {
		if HasPrefixFold(n.text, element) {
			stderr.Printf("WARNING: ignoring %s, use --%s instead\n", n.text, n.option)
			return true
		}
	}
	return false
}

func findName(names []Name, element string) (Name, bool) {
	for _, n := range names {
		if HasPrefixFold(n.Text, element) {
			return n, true
		}
	}
	return Name{}, false
}

// HasPrefixFold reports whether s begins with prefix, whatever the case.
func HasPrefixFold(s, prefix string) bool {
	return len(prefix) <= len(s) && strings.EqualFold(s[:len(prefix)], prefix)
}
