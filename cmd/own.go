package cmd

import "strings"

// ownOption is an option that the classic command does not have. Its name is
// long, and cut to a beginning only where no classic name begins so: what the
// classic grammar understands keeps its meaning.
type ownOption struct {
	word
	// flows and expect are the letters of the commands that take it, on the
	// tables of entries and on that of expectations.
	flows, expect string
	help          optionText
}

// every and chosen are the commands that many of these options go with: all of
// them, and those that choose entries by criteria.
const (
	everyCommand = "LIAUDGFECS"
	choosing     = "LDUE"
)

func own(o option, long string, a argument, flows, expect, value, text string) ownOption {
	return ownOption{word{long: long, argument: a, option: o}, flows, expect, optionText{value, text}}
}

var ownOptions = []ownOption{
	own(optQueue, "queue", needArgument, "E", "E", "MiB", "events that may wait for the output (default 128)"),
	own(optResync, "resync", noArgument, "E", "E", "", "after a loss show the whole table, marked [RESYNC]"),

	// Which table.
	own(optTable, "table", needArgument, everyCommand, everyCommand, "file", "use the table in that file, not the kernel's"),
	own(optNetNS, "netns", needArgument, everyCommand, everyCommand, "name|path|pid", "use the table of another network namespace"),
	own(optAllNetNS, "all-netns", noArgument, "LGDUFECS", "LGDFECS", "", "use the tables of all network namespaces, one after the other"),

	// Which entries.
	own(optHost, "host", needArgument, choosing, "", "ip[/len]", "address of either end in either direction"),
	own(optPort, "port", needArgument, choosing, "", "list", "port of either end in either direction"),
	own(optMinBytes, "min-bytes", needArgument, choosing, "", "size", "bytes of both directions, at least (K, M, G: powers of 1024)"),
	own(optMinPackets, "min-packets", needArgument, choosing, "", "number", "packets of both directions, at least"),
	own(optOlder, "older", needArgument, choosing, "", "duration", "began longer ago than that (90s, 5m, 1h, 2d)"),
	own(optYounger, "younger", needArgument, choosing, "", "duration", "began less long ago than that"),
	own(optExpiresWithin, "expires-within", needArgument, choosing, "", "duration", "ends within that time, without further packets"),
	own(optRelated, "related", noArgument, choosing, "", "", "was expected by another connection"),
	own(optAssured, "assured", noArgument, choosing, "", "", "is assured"),
	own(optUnreplied, "unreplied", noArgument, choosing, "", "", "has seen no reply"),
	own(optOffloaded, "offloaded", noArgument, choosing, "", "", "is handled by a flow table or by hardware"),

	// What is shown.
	own(optBy, "by", needArgument, "L", "", "keys", "sum up by these keys instead of listing (conntrack help summary)"),
	own(optColumns, "columns", needArgument, "L", "L", "list", "columns of -o table and csv"),
	own(optSort, "sort", needArgument, "L", "", "key", "order by this key"),
	own(optLimit, "limit", needArgument, "L", "", "number", "show the first so many only"),
	own(optExplain, "explain", noArgument, "G", "", "", "tell the entry in words"),

	// What is made.
	own(optHelper, "helper", needArgument, "IA", "", "name", "helper that reads the packets: ftp, sip, tftp …"),
	own(optLabelBits, "label-bits", needArgument, "IA", "", "list", "labels to set, by their bits"),

	// What is changed.
	own(optDryRun, "dry-run", noArgument, "DUF", "DF", "", "show what would change, and change nothing"),
	own(optYes, "yes", noArgument, "F", "F", "", "do not ask"),
}

// own returns the row of an option that is not classic, else nil.
func (o option) own() *ownOption {
	for i := range ownOptions {
		if ownOptions[i].option == o {
			return &ownOptions[i]
		}
	}
	return nil
}

// takes tells whether a command takes the option on a table.
func (o *ownOption) takes(c Command, t Table) bool {
	letters := o.flows
	if t == tableExpect {
		letters = o.expect
	}
	return c != cmdNone && strings.IndexByte(letters, byte(c)) >= 0
}

// judgeOwn refuses the program's own options where they mean nothing.
func (r *Request) judgeOwn() error {
	if r.given>>numClassic == 0 {
		return nil
	}
	for i := range ownOptions {
		if o := &ownOptions[i]; r.has(o.option) && !o.takes(r.Command, r.Table) {
			return illegal(o.long)
		}
	}
	return nil
}

// ownOption takes one of the program's own options.
func (p *parser) ownOption(o option, value string) error {
	r := p.req
	switch o {
	case optQueue:
		n, ok := parseUint(value, 1<<20)
		if !ok || n == 0 {
			return failuref("unexpected value '%s' with --queue option: a number of MiB is required", value)
		}
		r.Queue = int(n)
	case optResync:
		r.Resync = true
	case optTable:
		r.TableFile = value
		return judgeTableName(value)
	case optNetNS:
		r.NetNS = value
	case optHost, optPort, optMinBytes, optMinPackets, optOlder, optYounger, optExpiresWithin,
		optRelated, optAssured, optUnreplied, optOffloaded:
		return p.filterOption(o, value)
	case optBy, optColumns, optSort, optLimit:
		return r.viewOption(o, value)
	case optHelper:
		return r.helperOption(value)
	case optLabelBits:
		return r.labelBitsOption(value)
	}
	return nil
}
