package cmdline

import (
	"math"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// Command is what to do; its value is the classic letter.
type Command byte

const (
	CmdNone    Command = 0
	CmdList    Command = 'L'
	CmdCreate  Command = 'I'
	CmdAdd     Command = 'A'
	CmdUpdate  Command = 'U'
	CmdDelete  Command = 'D'
	CmdGet     Command = 'G'
	CmdFlush   Command = 'F'
	CmdEvents  Command = 'E'
	CmdCount   Command = 'C'
	CmdStats   Command = 'S'
	CmdVersion Command = 'V'
	CmdHelp    Command = 'h'
	CmdLoad    Command = 'R'
)

// commandNames are the names of the commands in the grammar with names.
var commandNames = []struct {
	command Command
	name    string
}{
	{CmdList, "list"}, {CmdGet, "get"}, {CmdCreate, "create"}, {CmdAdd, "add"}, {CmdUpdate, "update"},
	{CmdDelete, "delete"}, {CmdFlush, "flush"}, {CmdEvents, "events"}, {CmdCount, "count"}, {CmdStats, "stats"},
	{CmdLoad, "load"}, {CmdGroups, "summary"}, {CmdVersion, "version"}, {CmdHelp, "help"},
}

// Name returns the name of the command in the grammar with names.
func (c Command) Name() string {
	for i := range commandNames {
		if commandNames[i].command == c {
			return commandNames[i].name
		}
	}
	return ""
}

// Table is what to do it to. Any beginning of a name stands for it.
type Table uint8

const (
	TableConntrack Table = iota
	TableExpect
	TableDying
	TableUnconfirmed
)

// Request is one command line after parsing. Both grammars fill it, and the
// actions read nothing else.
type Request struct {
	Command Command
	Table   Table
	// given are the options that were given, protoGiven those of protocols.
	given      optionSet
	protoGiven protoOptionSet
	// proto is the protocol in force, nil without -p.
	proto *Protocol

	// Family is that of the addresses, FamilyAny where nothing fixes it.
	Family ctnetlink.Family
	// Orig and Reply are -s -d -r -q, -p, ports, ids and direction zones: of
	// an entry, or of an expectation's master.
	Orig, Reply ctnetlink.Tuple
	// Expected and Mask are --tuple-* and --mask-*; the addresses of Mask
	// also hold the /len of -s and -d.
	Expected, Mask ctnetlink.Tuple
	// SrcNAT, DstNAT and AnyNAT are -n, -g and -j.
	SrcNAT, DstNAT, AnyNAT filter.NAT
	// Info is --state, the vtags and --role.
	Info ctnetlink.ProtoInfo
	// StatusSet and StatusClear are -u, without and with `!'.
	StatusSet, StatusClear ctnetlink.Status
	statusUnset            bool // UNSET was in the list
	Mark, MarkMask         uint32
	Timeout                uint32
	timeoutText            string // as typed
	ID, SecMark            uint32
	Zone                   uint16
	Zero                   bool
	BufferSize             int
	Groups                 EventMask
	Queue                  int // MiB, 0: the default
	Resync                 bool
	// NetNS is the network namespace that is meant, by name, path or process.
	NetNS string
	// TableFile is the file whose table is meant, "" for the kernel's.
	TableFile string

	// Compare is the time between the two looks at the table that --growing and
	// --idle compare, 0 for neither.
	Compare time.Duration
	// Watch is the time from one look at the table to the next, 0 for a single look.
	Watch time.Duration

	// MatchFrom are the files of filters, "-" for standard input, and match what
	// SetMatch read from them.
	MatchFrom []string
	match     *filter.Any

	// Helper is the name of the helper that a new entry gets.
	Helper string

	// replySrcMask and replyDstMask are the /len of -r and -q, where they have
	// one.
	replySrcMask, replyDstMask netip.Addr
	// misread are values that were read as another number than the one they say.
	misread []misread
	// more is what lists and the extensions select by; nil: nothing.
	more *filter.Filter
	// extSet and extClear are status bits of the extensions.
	extSet, extClear ctnetlink.Status

	labelMapPath string
	// Labels, LabelAdd and LabelDel are the names' bits.
	Labels, LabelAdd, LabelDel ctnetlink.Labels

	Output format.Options
	view   *View // nil: everything as it comes

	// ByName reports whether the command was given by name.
	ByName bool

	// LoadFrom is the file of -R, "-" for standard input. LoadTable: it is a table
	// file, whose entries are loaded.
	LoadFrom  string
	LoadTable bool
	// SaveTo is the file that the entries of a list are written to as commands,
	// "-" for standard output; "" if they are shown.
	SaveTo string

	// Live: the request is that of a live view. Rates are fields to sort by and to
	// show, counters and rates are sorted with the largest first unless :asc follows
	// the key, and entries are shown as a table unless -o says otherwise.
	Live bool

	// Line is the number of the command's line in the file that is loaded, and
	// Text the line itself.
	Line int
	Text string
}

// Has reports whether an option was given.
func (r *Request) Has(o Option) bool { return r.given.has(o) }

// HasProto reports whether an option of a protocol was given.
func (r *Request) HasProto(o ProtoOption) bool { return r.protoGiven.has(o) }

// Filter returns the filter for the entries that the options select.
func (r *Request) Filter() *filter.Filter {
	m := new(filter.Filter)
	if r.more != nil {
		*m = *r.more // a list replaces a single value
	}
	m.Family, m.Labels, m.SrcNAT, m.DstNAT, m.AnyNAT = r.Family, r.Labels, r.SrcNAT, r.DstNAT, r.AnyNAT
	m.StatusSet, m.StatusClear = r.extSet, r.extClear
	if m.Any = r.match; r.MatchFrom != nil && m.Any == nil {
		m.Any = new(filter.Any) // not read yet: nothing matches, rather than everything
	}
	m.Orig.Add(&r.Orig)
	m.Reply.Add(&r.Reply)
	one := func(set *filter.Set, n uint32, given bool) {
		if given && *set == nil {
			*set = filter.Values(n)
		}
	}
	one(&m.ID, r.ID, r.Has(OptID))
	one(&m.Zone, uint32(r.Zone), r.Has(OptZone))
	one(&m.SecMark, r.SecMark, r.Has(OptSecMark))
	mask := func(w *filter.Tuple, field ctnetlink.Fields, mask netip.Addr, given bool) {
		if a := w.Addr(field); given && mask.IsValid() {
			a.Mask = mask
			w.SetAddr(field, a)
		}
	}
	mask(&m.Reply, ctnetlink.FieldSrc, r.replySrcMask, true)
	mask(&m.Reply, ctnetlink.FieldDst, r.replyDstMask, true)
	mask(&m.Orig, ctnetlink.FieldSrc, r.Mask.Src, r.Has(OptMaskSrc))
	mask(&m.Orig, ctnetlink.FieldDst, r.Mask.Dst, r.Has(OptMaskDst))
	if r.Command == CmdUpdate {
		// -t, -u, -m, --state and the vtags are the new values there.
		return m
	}
	if r.Has(OptMark) && m.Marks == nil {
		m.Marks = []filter.MarkRange{{Min: r.Mark, Max: r.Mark, Mask: r.MarkMask}}
	}
	m.StatusSet |= r.StatusSet
	m.StatusClear |= r.StatusClear
	if r.statusUnset && r.StatusSet|r.StatusClear == 0 {
		m.StatusClear |= ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
	}
	one(&m.OrigVTag, r.Info.VTag[0], r.HasProto(ProtoOptOrigVTag))
	one(&m.ReplyVTag, r.Info.VTag[1], r.HasProto(ProtoOptReplyVTag))
	one(&m.Role, uint32(r.Info.Role), r.HasProto(ProtoOptRole))
	if r.Info.Has&ctnetlink.InfoState != 0 {
		m.States = []filter.StateSet{{Proto: r.Info.Proto, States: 1 << r.Info.State.Number()}}
	}
	return m
}

// selectingOptions are the options that select entries.
const selectingOptions = (1<<NumClassic-1)&^(1<<OptTimeout|1<<OptOutput|1<<OptLabelMap) |
	1<<(OptMatch+1) - 1<<OptHost

// Selects reports whether the options select entries; else all are meant.
func (r *Request) Selects() bool { return r.given[0]&selectingOptions != 0 }

// SelectsAll reports whether every entry is meant, or every entry of a family. With
// -U, the options that give new values select nothing.
func (r *Request) SelectsAll() bool {
	rest := r.given[0] & selectingOptions &^ (1 << OptFamily)
	if r.Command == CmdUpdate {
		rest &^= 1<<OptMark | 1<<OptStatus | 1<<OptLabelAdd | 1<<OptLabelDel
	}
	return rest == 0
}

// fixFamily sets the family, or fails if another one was set.
func (r *Request) fixFamily(family ctnetlink.Family) error {
	if r.Family != ctnetlink.FamilyAny && r.Family != family {
		return Usagef("mismatched address family")
	}
	r.Family = family
	return nil
}

func familyOf(a netip.Addr) ctnetlink.Family {
	if a.Is4() {
		return ctnetlink.FamilyIPv4
	}
	return ctnetlink.FamilyIPv6
}

// WritesRecords reports whether a count, or -S, is written as records, which is an
// extension: the classic command has one form of output for them.
func (r *Request) WritesRecords() bool {
	return (r.Command.Is(CmdCount, CmdStats) || r.Has(OptCountOnly)) && format.IsRecordStyle(r.Output.Style)
}

// ShowsEntries reports whether -L prints entries, as they are or in words, and
// not their number or sums.
func (r *Request) ShowsEntries() bool {
	return r.Command == CmdList && !r.Has(OptCountOnly) && r.View().By == nil
}

// WritesReport reports whether -S describes the table as a whole.
func (r *Request) WritesReport() bool {
	return r.Command == CmdStats && (r.Output.Style == format.StyleTable || r.Output.Style == format.StyleProm)
}

// View is which entries are shown, and in which order: --by, --sort, --limit.
// --columns is part of format.Options.
type View struct {
	columns string // as typed
	// By are the keys to group entries by; nil: entries are listed.
	By   []Key
	sort string // as typed
	// Order is how to sort entries or groups; nil: as they come.
	Order []stats.Order
	// SortBy are the keys that Order names, of entries. Groups have their own names.
	SortBy []Key
	// Limit is how many are shown, 0 for all.
	Limit int
}

// View returns the view that was asked for, or one of everything as it comes.
func (r *Request) View() *View {
	if r.view == nil {
		return &everything
	}
	return r.view
}

var everything View // never changed: it has no sort and no keys

// SetLimit limits how many entries or groups are shown.
func (r *Request) SetLimit(n int) {
	if r.view == nil {
		r.view = new(View)
	}
	r.view.Limit = n
}

// viewOption takes an option of the view. Which names there are depends on other
// options: validateView reads them.
func viewOption(r *Request, o Option, value string) (err error) {
	if r.view == nil {
		r.view = new(View)
	}
	switch o {
	case OptBy:
		r.view.By, err = parseKeys("by", value)
	case OptColumns:
		r.view.columns = value
	case OptSort:
		r.view.sort = value
	case OptLimit:
		n, ok := parseUint(value, math.MaxInt32)
		if !ok || n == 0 {
			return Usagef("unexpected value '%s' with --limit: a number of at least 1 is required", value)
		}
		r.view.Limit = int(n)
	}
	return err
}
