package cmdline

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Extension is an option that the classic command does not have. It has a long
// name only. A beginning of the name stands for it where no classic name begins
// so: existing abbreviations keep their meaning.
type Extension struct {
	Word
	// Flows and Expect are the letters of the commands that take it, on the tables
	// of entries and on that of expectations.
	Flows, Expect string
	Help          OptionText
}

// The commands that many extensions go with: all, and those that select entries.
const (
	EveryCommand = "LIAUDGFECS"
	selecting    = "LDUE"
)

// Extensions are the options that the classic command does not have.
var Extensions = []Extension{
	{Word{Long: "queue", Argument: NeedArgument, Option: OptQueue}, "E", "E",
		OptionText{"MiB", "size of the queue for the output (default 128)"}},
	{Word{Long: "resync", Argument: NoArgument, Option: OptResync}, "E", "E",
		OptionText{"", "after a loss list the whole table, marked [RESYNC]"}},

	// Which table.
	{Word{Long: "table", Argument: NeedArgument, Option: OptTable}, EveryCommand, EveryCommand,
		OptionText{"file", "use the table in this file, not the kernel's"}},
	{Word{Long: "now", Argument: NoArgument, Option: OptNow}, "LIAUDGFCS", "LIAUDGFCS",
		OptionText{"", "let the timeouts in a table file run until now, also if it is a dump"}},
	{Word{Long: "netns", Argument: NeedArgument, Option: OptNetNS}, EveryCommand, EveryCommand,
		OptionText{"name|path|pid", "use the table of another network namespace"}},
	{Word{Long: "all-netns", Argument: NoArgument, Option: OptAllNetNS}, "LGDUFECS", "LGDFECS",
		OptionText{"", "use the tables of all network namespaces, one after the other"}},

	// Which entries.
	{Word{Long: "host", Argument: NeedArgument, Option: OptHost}, selecting, "",
		OptionText{"ip[/len]", "address of either end in either direction"}},
	{Word{Long: "port", Argument: NeedArgument, Option: OptPort}, selecting, "",
		OptionText{"list", "port of either end in either direction"}},
	{Word{Long: "min-bytes", Argument: NeedArgument, Option: OptMinBytes}, selecting, "",
		OptionText{"size", "at least this many bytes in both directions together (K, M, G: powers of 1024)"}},
	{Word{Long: "min-packets", Argument: NeedArgument, Option: OptMinPackets}, selecting, "",
		OptionText{"number", "at least this many packets in both directions together"}},
	{Word{Long: "older", Argument: NeedArgument, Option: OptOlder}, selecting, "",
		OptionText{"duration", "created longer ago than this (90s, 5m, 1h, 2d)"}},
	{Word{Long: "younger", Argument: NeedArgument, Option: OptYounger}, selecting, "",
		OptionText{"duration", "created less long ago than this"}},
	{Word{Long: "expires-within", Argument: NeedArgument, Option: OptExpiresWithin}, selecting, "",
		OptionText{"duration", "times out within this time unless another packet arrives"}},
	{Word{Long: "related", Argument: NoArgument, Option: OptRelated}, selecting, "",
		OptionText{"", "expected by another connection"}},
	{Word{Long: "assured", Argument: NoArgument, Option: OptAssured}, selecting, "", OptionText{"", "assured"}},
	{Word{Long: "unreplied", Argument: NoArgument, Option: OptUnreplied}, selecting, "",
		OptionText{"", "no reply seen"}},
	{Word{Long: "offloaded", Argument: NoArgument, Option: OptOffloaded}, selecting, "",
		OptionText{"", "handled by a flow table or by hardware"}},
	{Word{Long: "match", Argument: NeedArgument, Option: OptMatch}, selecting, "",
		OptionText{"file", "matching one of the filters in this file, one a line; - is standard input"}},

	{Word{Long: "growing", Argument: NeedArgument, Option: OptGrowing}, "LDU", "",
		OptionText{"seconds", "packets arrived during this time, which the command waits for"}},
	{Word{Long: "idle", Argument: NeedArgument, Option: OptIdle}, "LDU", "",
		OptionText{"seconds", "no packet arrived during this time, which the command waits for"}},

	// What is shown.
	{Word{Long: "by", Argument: NeedArgument, Option: OptBy}, "L", "",
		OptionText{"keys", "print sums by these keys in place of entries (see `conntrack help summary')"}},
	{Word{Long: "columns", Argument: NeedArgument, Option: OptColumns}, "L", "L",
		OptionText{"list", "columns of -o table and csv"}},
	{Word{Long: "processes", Argument: NoArgument, Option: OptProcesses}, "LG", "",
		OptionText{"", "show the local processes of the connections (-o table, json, jsonl, csv)"}},
	{Word{Long: "names", Argument: NoArgument, Option: OptNames}, "LG", "",
		OptionText{"", "show the names of hosts in a table, as far as they are known within 2 s"}},
	{Word{Long: "services", Argument: NoArgument, Option: OptServices}, "LG", "",
		OptionText{"", "show the names of ports in a table (/etc/services)"}},
	{Word{Long: "sort", Argument: NeedArgument, Option: OptSort}, "L", "", OptionText{"key", "sort by this key"}},
	{Word{Long: "limit", Argument: NeedArgument, Option: OptLimit}, "L", "",
		OptionText{"number", "show only the first entries, this many"}},
	{Word{Long: "count-only", Argument: NoArgument, Option: OptCountOnly}, "L", "L",
		OptionText{"", "print only the number of entries"}},
	{Word{Long: "watch", Argument: WordArgument, Option: OptWatch}, "LCS", "LCS",
		OptionText{"seconds", "repeat until interrupted, every 2 seconds or as often as this says"}},
	{Word{Long: "explain", Argument: NoArgument, Option: OptExplain}, "LG", "",
		OptionText{"", "explain the entry in words"}},

	// What is made.
	{Word{Long: "helper", Argument: NeedArgument, Option: OptHelper}, "IA", "",
		OptionText{"name", "helper for the connection: ftp, sip, tftp …"}},
	{Word{Long: "label-bits", Argument: NeedArgument, Option: OptLabelBits}, "IA", "",
		OptionText{"list", "labels to set, by bit number"}},

	// How a file is loaded.
	{Word{Long: "keep-going", Argument: NoArgument, Option: OptKeepGoing}, "R", "",
		OptionText{"", "report refused lines and continue"}},

	// What is changed.
	{Word{Long: "dry-run", Argument: NoArgument, Option: OptDryRun}, "DUF", "DF",
		OptionText{"", "show what would change, and change nothing"}},
	{Word{Long: "ignore-missing", Argument: NoArgument, Option: OptIgnoreMissing}, "DU", "D",
		OptionText{"", "succeed also if no entry was found"}},
	{Word{Long: "yes", Argument: NoArgument, Option: OptYes}, "DUF", "F",
		OptionText{"", "do not ask for confirmation"}},
}

// Extension returns the row of an option that is not classic, else nil.
func (o Option) Extension() *Extension {
	for i := range Extensions {
		if Extensions[i].Option == o {
			return &Extensions[i]
		}
	}
	return nil
}

// Name returns the option's long name.
func (o Option) Name() string {
	if x := o.Extension(); x != nil {
		return x.Long
	}
	return OptionNames[o]
}

// Word returns the word of an extension.
func (o Option) Word() *Word { return &o.Extension().Word }

// TakenBy reports whether a command takes the option on a table.
func (o *Extension) TakenBy(c Command, t Table) bool {
	letters := o.Flows
	if t == TableExpect {
		letters = o.Expect
	}
	return c != CmdNone && strings.IndexByte(letters, byte(c)) >= 0
}

// extension takes an option that the classic command does not have.
func (p *parser) extension(o Option, value string) error {
	r := p.req
	switch o {
	case OptQueue:
		n, ok := parseUint(value, 1<<20)
		if !ok || n == 0 {
			return Failuref("unexpected value '%s' with --queue option: a number of MiB is required", value)
		}
		r.Queue = int(n)
	case OptResync:
		r.Resync = true
	case OptTable:
		r.TableFile = value
		if value == "" { // --table "$FILE" with a variable that is not set
			return Usagef("--table requires a file name")
		}
	case OptNetNS:
		r.NetNS = value
	case OptMatch:
		if value == "" {
			return Usagef("--match requires a file name")
		}
		if !slices.Contains(r.MatchFrom, value) {
			r.MatchFrom = append(r.MatchFrom, value)
		}
	case OptHost, OptPort, OptMinBytes, OptMinPackets, OptOlder, OptYounger, OptExpiresWithin,
		OptRelated, OptAssured, OptUnreplied, OptOffloaded, OptGrowing, OptIdle:
		return p.filterOption(o, value)
	case OptBy, OptColumns, OptSort, OptLimit:
		return viewOption(r, o, value)
	case OptWatch:
		return watchOption(r, value)
	case OptHelper:
		return helperOption(r, value)
	case OptLabelBits:
		return labelBitsOption(r, value)
	}
	return nil
}

// maxHelperName is the longest name of a helper (NF_CT_HELPER_NAME_LEN with
// its NUL, nf_conntrack_helper.h).
const maxHelperName = 15

// helperOption reads --helper.
func helperOption(r *Request, name string) error {
	if name == "" || len(name) > maxHelperName || strings.IndexByte(name, 0) >= 0 {
		return Failuref("unexpected value '%s' with --helper option: a name of 1 to %d characters is required",
			name, maxHelperName)
	}
	r.Helper = name
	return nil
}

// labelBitsOption reads --label-bits, which adds to what --label-add names.
func labelBitsOption(r *Request, list string) error {
	for element := range strings.SplitSeq(list, ",") {
		bit, ok := parseUint(element, ctnetlink.MaxLabels-1)
		if !ok {
			return Failuref("unexpected value '%s' with --label-bits option: "+
				"numbers from 0 to %d are required, separated by commas",
				list, ctnetlink.MaxLabels-1)
		}
		if r.LabelAdd == nil {
			r.LabelAdd = ctnetlink.NewLabels()
		}
		r.LabelAdd.Set(int(bit))
	}
	return nil
}
