package cmd

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// Command is what is to be done; its value is the classic letter.
type Command byte

const (
	cmdNone    Command = 0
	cmdList    Command = 'L'
	cmdCreate  Command = 'I'
	cmdAdd     Command = 'A'
	cmdUpdate  Command = 'U'
	cmdDelete  Command = 'D'
	cmdGet     Command = 'G'
	cmdFlush   Command = 'F'
	cmdEvents  Command = 'E'
	cmdCount   Command = 'C'
	cmdStats   Command = 'S'
	cmdVersion Command = 'V'
	cmdHelp    Command = 'h'
)

// Table is what it is done to. The names may be cut to any beginning.
type Table uint8

const (
	tableConntrack Table = iota
	tableExpect
	tableDying
	tableUnconfirmed
)

// Request is one command line, understood: both grammars fill it, and the
// actions read nothing else.
type Request struct {
	Command Command
	Table   Table
	// given are the options that were there, protoGiven the protocol's own.
	given      optionSet
	protoGiven protoOptionSet
	// proto is the protocol in force, nil without -p.
	proto *protocol

	// Family is that of the addresses, FamilyAny while nothing fixed it.
	Family uint8
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
	timeoutText            string // as it was typed
	ID, SecMark            uint32
	Zone                   uint16
	Zero                   bool
	BufferSize             int
	Groups                 eventMask
	Queue                  int // MiB, 0: the default
	Resync                 bool
	// NetNS is the network namespace that is meant, by name, path or process.
	NetNS string
	// TableFile is the file whose table is meant, "" for the kernel's.
	TableFile string

	// Helper is the name of the helper that a new entry gets.
	Helper string

	// replySrcMask and replyDstMask are the /len of -r and -q, where they have
	// one.
	replySrcMask, replyDstMask netip.Addr
	// more is what lists and this program's own options choose; nil: nothing.
	more *filter.Filter
	// ownSet and ownClear are status bits of this program's own options.
	ownSet, ownClear ctnetlink.Status

	labelMapPath string
	labelMap     *labelMap
	// Labels, LabelAdd and LabelDel are the names' bits.
	Labels, LabelAdd, LabelDel ctnetlink.Labels

	Output format.Options
	view   *view // nil: everything as it comes

	// byName: the command stands in the second grammar.
	byName bool

	// line and text tell where in a file the command stands.
	line int
	text string
}

// has tells whether an option was given.
func (r *Request) has(o option) bool { return r.given.has(o) }

// filter returns the criteria that the command line's options make.
func (r *Request) filter() *filter.Filter {
	m := new(filter.Filter)
	if r.more != nil {
		*m = *r.more // a list replaces a single value
	}
	m.Family, m.Labels, m.SrcNAT, m.DstNAT, m.AnyNAT = r.Family, r.Labels, r.SrcNAT, r.DstNAT, r.AnyNAT
	m.StatusSet, m.StatusClear = r.ownSet, r.ownClear
	m.Orig.Add(&r.Orig)
	m.Reply.Add(&r.Reply)
	one := func(set *filter.Set, n uint32, given bool) {
		if given && *set == nil {
			*set = filter.Values(n)
		}
	}
	one(&m.ID, r.ID, r.has(optID))
	one(&m.Zone, uint32(r.Zone), r.has(optZone))
	one(&m.SecMark, r.SecMark, r.has(optSecMark))
	mask := func(w *filter.Tuple, field ctnetlink.Fields, mask netip.Addr, given bool) {
		if a := w.Addr(field); given && mask.IsValid() {
			a.Mask = mask
			w.SetAddr(field, a)
		}
	}
	mask(&m.Reply, ctnetlink.FieldSrc, r.replySrcMask, true)
	mask(&m.Reply, ctnetlink.FieldDst, r.replyDstMask, true)
	mask(&m.Orig, ctnetlink.FieldSrc, r.Mask.Src, r.has(optMaskSrc))
	mask(&m.Orig, ctnetlink.FieldDst, r.Mask.Dst, r.has(optMaskDst))
	if r.Command == cmdUpdate {
		// -t, -u, -m, --state and the vtags are the new values there.
		return m
	}
	if r.has(optMark) && m.Marks == nil {
		m.Marks = []filter.MarkRange{{Min: r.Mark, Max: r.Mark, Mask: r.MarkMask}}
	}
	m.StatusSet |= r.StatusSet
	m.StatusClear |= r.StatusClear
	if r.statusUnset && r.StatusSet|r.StatusClear == 0 {
		m.StatusClear |= ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
	}
	one(&m.OrigVTag, r.Info.VTag[0], r.protoGiven.has(poOrigVTag))
	one(&m.ReplyVTag, r.Info.VTag[1], r.protoGiven.has(poReplyVTag))
	one(&m.Role, uint32(r.Info.Role), r.protoGiven.has(poRole))
	if r.Info.Has&ctnetlink.InfoState != 0 {
		m.States = []filter.StateSet{{Proto: r.Info.Proto, States: 1 << r.Info.State}}
	}
	return m
}

// chooses tells whether the options choose entries, or all are meant.
func (r *Request) chooses() bool {
	const classic = (1<<numClassic - 1) &^ (1<<optTimeout | 1<<optOutput | 1<<optLabelMap)
	const own = 1<<(optOffloaded+1) - 1<<optHost
	return r.given&(classic|own) != 0
}

// fixFamily makes the family that of an address, or fails on another one.
func (r *Request) fixFamily(family uint8) error {
	if r.Family != ctnetlink.FamilyAny && r.Family != family {
		return usagef("mismatched address family")
	}
	r.Family = family
	return nil
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return ctnetlink.FamilyIPv4
	}
	return ctnetlink.FamilyIPv6
}
