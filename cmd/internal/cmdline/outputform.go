package cmdline

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/format"
)

// OutputForm is an element of -o. Help, completion and validation read from here
// which commands take it.
type OutputForm struct {
	// Flows and Expect are the letters of the commands that take it, on the tables
	// of entries and on that of expectations; see Shows.
	Flows, Expect string
	// Alone: other elements beside it are refused or have no effect.
	Alone bool
	Help  string
}

// CmdGroups stands for -L --by where forms of output are concerned. It is no
// command.
const CmdGroups Command = 'B'

// OutputForms are the elements of -o in the order of OutputNames and of their
// bits.
var OutputForms = [...]OutputForm{
	{"LUDEG", "LE", false, "one <flow> element per line"},
	{"LUDEG", "LE", false, "the network protocol in front"},
	{"LUDEG", "LE", false, "time of events"},
	{"LUDEG", "LE", false, "id of the entry"},
	{"LUDEG", "LE", false, "when the entry was created and destroyed"},
	{"LUDEG", "LE", false, "names of its labels"},
	{"LUDEG", "LE", false, "no effect"},
	{"LUDEG", "LE", true, "the command that creates the entry again"},
	{"LUDEGCSB", "LECS", true, "one JSON document"},
	{"LUDEGCSB", "LECS", true, "one JSON object per line"},
	{"LUDEGCSB", "LECS", true, "comma-separated values"},
	{"LGSB", "LS", true, "a table for people"},
	{"LG", "", true, "a table file"},
	{"SB", "S", true, "OpenMetrics text"},
}

// Shows returns the command by which OutputForms decides about a request:
// --count-only shows what -C does, and --by has forms of its own.
func (r *Request) Shows() Command {
	switch {
	case r.Has(OptCountOnly):
		return CmdCount
	case r.View().By != nil:
		return CmdGroups
	}
	return r.Command
}

// takenBy reports whether a command takes the form on a table.
func (f *OutputForm) takenBy(c Command, t Table) bool {
	letters := f.Flows
	if t == TableExpect {
		letters = f.Expect
	}
	return strings.IndexByte(letters, byte(c)) >= 0
}

// outputNames returns the elements of -o that a command takes on one of the
// tables: those that can be combined, and those that are alone.
func outputNames(c Command, tables ...Table) (combined, alone []string) {
	for i := range OutputForms {
		f := &OutputForms[i]
		if !slices.ContainsFunc(tables, func(t Table) bool { return f.takenBy(c, t) }) {
			continue
		}
		if name := OutputNames[i].Text; f.Alone {
			alone = append(alone, name)
		} else {
			combined = append(combined, name)
		}
	}
	return combined, alone
}

// validateOutput refuses elements of -o that the command does not take.
func validateOutput(p *parser) error {
	r := p.req
	shows := r.Shows()
	given := p.output
	if !r.ByName && shows == r.Command {
		given &= outExtensions // the legality table is about the others
	}
	for ; given != 0; given &= given - 1 {
		i := bits.TrailingZeros32(given)
		f, name := &OutputForms[i], OutputNames[i].Text
		_, forms := outputNames(shows, r.Table)
		switch {
		case f.takenBy(shows, r.Table):
		case name == "netlink" && r.Table == TableExpect:
			return Usagef("-o netlink cannot be used with expectations alone: %s -o netlink writes them with "+
				"their connections", r.commandName(CmdList))
		case name == "netlink" && r.Command == CmdEvents:
			return Usagef("-o netlink cannot be used with %s: events lack attributes", r.commandName(CmdEvents))
		case shows == CmdGroups && r.Table == TableConntrack:
			return Usagef("%s can only be used with -o %s", r.commandName(shows), enumerate(forms))
		case shows == CmdCount && r.Command == CmdList:
			return Usagef("a count can only be written with -o %s", enumerate(forms))
		default:
			return Usagef("-o %s can only be used with %s", name, enumerate(f.commands(r)))
		}
	}
	return nil
}

// commands returns the names of the commands that take the form.
func (f *OutputForm) commands(r *Request) (list []string) {
	for _, letter := range f.Flows {
		c := Command(letter)
		if c == CmdGroups && !r.ByName && f.takenBy(CmdList, TableConntrack) {
			continue // --by is an option of -L
		}
		list = append(list, r.commandName(c))
	}
	return list
}

// commandName returns what a command is called in the grammar of the request.
func (r *Request) commandName(c Command) string {
	switch name := c.Name(); {
	case r.ByName && name != "":
		return name
	case c == CmdGroups:
		return "--by"
	}
	return "-" + string(rune(c))
}

// enumerate returns "a, b and c".
func enumerate(list []string) string {
	n := len(list) - 1
	if n < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:n], ", ") + " and " + list[n]
}

// outputHelp returns the help of -o with a command.
func outputHelp(c Command) string {
	combined, alone := outputNames(c, TableConntrack, TableExpect)
	switch {
	case len(combined) == 0:
		return "output: " + strings.Join(alone, " ")
	case len(alone) == 0:
		return "output: " + strings.Join(combined, " ")
	}
	return "output: " + strings.Join(combined, " ") + ", or alone " + strings.Join(alone, " ")
}

// TakesOutput reports whether a command has forms of output.
func TakesOutput(c Command) bool {
	combined, alone := outputNames(c, TableConntrack, TableExpect)
	return len(combined)+len(alone) > 0
}

// extensionStyle returns the form of output of a bit of outExtensions.
func extensionStyle(bit uint32) format.Style {
	switch bit {
	case outJSON:
		return format.StyleJSON
	case outJSONL:
		return format.StyleJSONL
	case outCSV:
		return format.StyleCSV
	case outTable:
		return format.StyleTable
	case outNetlink:
		return format.StyleNetlink
	}
	return format.StyleProm
}
