package cmdline

import (
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

func ext(o Option, long string, a Argument, flows, expect, value, text string) Extension {
	return Extension{Word{Long: long, Argument: a, Option: o}, flows, expect, OptionText{value, text}}
}

// Extensions are the options that the classic command does not have.
var Extensions = []Extension{
	ext(OptQueue, "queue", NeedArgument, "E", "E", "MiB", "size of the queue for the output (default 128)"),
	ext(OptResync, "resync", NoArgument, "E", "E", "", "after a loss list the whole table, marked [RESYNC]"),

	// Which table.
	ext(OptTable, "table", NeedArgument, EveryCommand, EveryCommand, "file", "use the table in this file, not the kernel's"),
	ext(OptNetNS, "netns", NeedArgument, EveryCommand, EveryCommand, "name|path|pid", "use the table of another network namespace"),
	ext(OptAllNetNS, "all-netns", NoArgument, "LGDUFECS", "LGDFECS", "", "use the tables of all network namespaces, one after the other"),

	// Which entries.
	ext(OptHost, "host", NeedArgument, selecting, "", "ip[/len]", "address of either end in either direction"),
	ext(OptPort, "port", NeedArgument, selecting, "", "list", "port of either end in either direction"),
	ext(OptMinBytes, "min-bytes", NeedArgument, selecting, "", "size", "at least this many bytes in both directions together (K, M, G: powers of 1024)"),
	ext(OptMinPackets, "min-packets", NeedArgument, selecting, "", "number", "at least this many packets in both directions together"),
	ext(OptOlder, "older", NeedArgument, selecting, "", "duration", "created longer ago than this (90s, 5m, 1h, 2d)"),
	ext(OptYounger, "younger", NeedArgument, selecting, "", "duration", "created less long ago than this"),
	ext(OptExpiresWithin, "expires-within", NeedArgument, selecting, "", "duration", "times out within this time unless another packet arrives"),
	ext(OptRelated, "related", NoArgument, selecting, "", "", "expected by another connection"),
	ext(OptAssured, "assured", NoArgument, selecting, "", "", "assured"),
	ext(OptUnreplied, "unreplied", NoArgument, selecting, "", "", "no reply seen"),
	ext(OptOffloaded, "offloaded", NoArgument, selecting, "", "", "handled by a flow table or by hardware"),

	// What is shown.
	ext(OptBy, "by", NeedArgument, "L", "", "keys", "print sums by these keys in place of entries (see `conntrack help summary')"),
	ext(OptColumns, "columns", NeedArgument, "L", "L", "list", "columns of -o table and csv"),
	ext(OptSort, "sort", NeedArgument, "L", "", "key", "sort by this key"),
	ext(OptLimit, "limit", NeedArgument, "L", "", "number", "show only the first entries, this many"),
	ext(OptExplain, "explain", NoArgument, "G", "", "", "explain the entry in words"),

	// What is made.
	ext(OptHelper, "helper", NeedArgument, "IA", "", "name", "helper for the connection: ftp, sip, tftp …"),
	ext(OptLabelBits, "label-bits", NeedArgument, "IA", "", "list", "labels to set, by bit number"),

	// How a file is loaded.
	ext(OptKeepGoing, "keep-going", NoArgument, "R", "", "", "report refused lines and continue"),

	// What is changed.
	ext(OptDryRun, "dry-run", NoArgument, "DUF", "DF", "", "show what would change, and change nothing"),
	ext(OptYes, "yes", NoArgument, "F", "F", "", "do not ask for confirmation"),
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
	case OptHost, OptPort, OptMinBytes, OptMinPackets, OptOlder, OptYounger, OptExpiresWithin,
		OptRelated, OptAssured, OptUnreplied, OptOffloaded:
		return p.filterOption(o, value)
	case OptBy, OptColumns, OptSort, OptLimit:
		return r.viewOption(o, value)
	case OptHelper:
		return r.helperOption(value)
	case OptLabelBits:
		return r.labelBitsOption(value)
	}
	return nil
}

// maxHelperName is the longest name of a helper (NF_CT_HELPER_NAME_LEN with
// its NUL, nf_conntrack_helper.h).
const maxHelperName = 15

// helperOption reads --helper.
func (r *Request) helperOption(name string) error {
	if name == "" || len(name) > maxHelperName || strings.IndexByte(name, 0) >= 0 {
		return Failuref("unexpected value '%s' with --helper option: a name of 1 to %d characters is required", name, maxHelperName)
	}
	r.Helper = name
	return nil
}

// labelBitsOption reads --label-bits, which adds to what --label-add names.
func (r *Request) labelBitsOption(list string) error {
	for element := range strings.SplitSeq(list, ",") {
		bit, ok := parseUint(element, ctnetlink.MaxLabels-1)
		if !ok {
			return Failuref("unexpected value '%s' with --label-bits option: numbers from 0 to %d are required, separated by commas",
				list, ctnetlink.MaxLabels-1)
		}
		if r.LabelAdd == nil {
			r.LabelAdd = ctnetlink.NewLabels()
		}
		r.LabelAdd.Set(int(bit))
	}
	return nil
}
