package cmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

func TestCompleteClassic(t *testing.T) {
	tcpStates := ctnetlink.ProtoTCP.StateNames()
	for _, c := range []struct {
		line string // the words before a `|' and what is typed
		want []string
	}{
		{"-L |", []string{"conntrack", "expect", "dying", "unconfirmed"}},
		{"-L e|", []string{"expect"}},
		{"-U |", []string{"conntrack"}},
		{"-L -p |", []string{"tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "gre"}},
		{"-L -p sct|", []string{"sctp"}},
		{"-L -p tcp,ud|", []string{"tcp,udp", "tcp,udplite"}},
		{"-L -p !icmpv|", []string{"!icmpv6"}},
		{"-L -p tcp --state |", tcpStates},
		{"-L -ptcp --state=EST|", []string{"ESTABLISHED"}},
		{"-L -p tcp --state EST|", []string{"ESTABLISHED"}},
		{"-L --state OP|", nil}, // unknown without -p
		{"-L -p dccp --state OP|", []string{"OPEN"}},
		{"-E -p tcp --sport 5 --state TIME_WAIT,e|", []string{"TIME_WAIT,ESTABLISHED"}},
		{"-D -p icmp --icmp-type 13|", []string{"13"}},
		{"-L -p icmp --role |", nil},
		{"-I -p dccp --role |", []string{"client", "server"}},
		{"-L -u |", []string{"ASSURED", "SEEN_REPLY", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD", "HW_OFFLOAD", "UNREPLIED"}},
		{"-D -u SEEN_REPLY,!a|", []string{"SEEN_REPLY,!ASSURED"}},
		{"-D -u SEEN_REPLY,s|", nil},
		{"-E -e N|", []string{"NEW"}},
		{"-L -o xml,k|", []string{"xml,ktimestamp"}},
		{"-L -zo k|", []string{"ktimestamp"}},
		{"-f |", []string{"ipv4", "ipv6"}},
		{"-I --helper s|", []string{"sane", "sip", "snmp"}},
		{"-L --sort reply_sr|", []string{"reply_src", "reply_srckey"}},
		{"-L exp --columns mask_s|", []string{"mask_src", "mask_sport"}},
		{"-L --columns mask_s|", nil},
		{"-L -s |", nil}, // an address: nothing is known
		{"-R file --k|", []string{"--keep-going"}},

		// Options: those that go with the command, and were not given yet.
		{"--fl|", []string{"--flush"}},
		{"-F --f|", []string{"--family"}},
		{"-L -m 5 --mar|", nil},
		{"-L --mar|", []string{"--mark"}},
		{"-L --spo|", nil},
		{"-L -p udp --spo|", []string{"--sport"}},
		{"-L -p udp --sta|", []string{"--status"}},
		{"-L -p tcp --sta|", []string{"--status", "--state"}},
		{"-L -p tcp --state CLOSE --sta|", []string{"--status"}},
		{"-L --tuple|", nil},
		{"-I exp -p udp --tuple-p|", []string{"--tuple-port-src", "--tuple-port-dst"}},
		{"-G --exp|", []string{"--explain"}},
		{"-L --src-nat --orig-z|", []string{"--orig-zone"}},
	} {
		before, typed, _ := strings.Cut(c.line, "|")
		words := strings.Fields(before)
		if !strings.HasSuffix(before, " ") && len(words) > 0 {
			typed, words = words[len(words)-1], words[:len(words)-1]
		}
		got := names(completeLine(words, typed))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
	for _, line := range [][]string{{"-R"}, {"--load-file"}, {"-L", "--labelmap"}, {"-L", "--table"}, {"-L", "--netns"}} {
		typed := "/tm"
		if c := completeLine(line, typed); !c.Files {
			t.Errorf("%q: the shell is not asked for files", line)
		}
	}
}

// Whatever stands before, nothing breaks, and what is offered begins with what
// was typed.
func TestCompleteAny(t *testing.T) {
	var all []string
	for i := range cmdline.Words {
		all = append(all, "--"+cmdline.Words[i].Long, "-"+string(rune(cmdline.Words[i].Short)))
	}
	all = append(all, "tcp", "sctp", "expect", "-", "--", "", "-Lz", "-ptcp", "--src=", "!", ",", "-L-")
	for _, a := range all {
		for _, b := range all {
			for _, typed := range []string{"", "-", "--", "--s", "e", "!", ","} {
				for _, w := range names(completeLine([]string{a, b}, typed)) {
					if !cmdline.HasPrefixFold(w, typed) {
						t.Fatalf("%q %q %q: %q", a, b, typed, w)
					}
				}
			}
		}
	}
}

// names are the words without their descriptions.
func names(c cmdline.Candidates) []string {
	var names []string
	for _, w := range c.Words {
		name, _, _ := strings.Cut(w, "\t")
		names = append(names, name)
	}
	return names
}
