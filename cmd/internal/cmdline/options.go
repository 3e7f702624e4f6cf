package cmdline

import "slices"

// Option is a generic option. The options are in the order of the columns of the
// legality table.
type Option uint8

const (
	OptSrc Option = iota
	OptDst
	OptReplySrc
	OptReplyDst
	OptProtoNum
	OptTimeout
	OptStatus
	OptZero
	OptEventMask
	OptTupleSrc
	OptTupleDst
	OptMaskSrc
	OptMaskDst
	OptNATRange
	OptMark
	OptID
	OptFamily
	OptSrcNAT
	OptDstNAT
	OptOutput
	OptSecMark
	OptBufferSize
	OptAnyNAT
	OptZone
	OptLabel
	OptLabelAdd
	OptLabelDel
	OptOrigZone
	OptReplyZone
	OptLabelMap
	// The extensions (extension.go).
	OptQueue
	OptResync
	OptTable
	OptNetNS
	OptAllNetNS
	OptHost
	OptPort
	OptMinBytes
	OptMinPackets
	OptOlder
	OptYounger
	OptExpiresWithin
	OptRelated
	OptAssured
	OptUnreplied
	OptGrowing
	OptIdle
	OptOffloaded
	OptMatch
	OptBy
	OptColumns
	OptProcesses
	OptNames
	OptServices
	OptSort
	OptLimit
	OptExplain
	OptDryRun
	OptYes
	OptHelper
	OptLabelBits
	OptKeepGoing
	OptIgnoreMissing
	OptCountOnly
	OptWatch
	OptNow

	numOptions

	NumClassic = OptQueue
)

// OptionNames are the long names that messages use.
var OptionNames = [NumClassic]string{
	"src", "dst", "reply-src", "reply-dst", "protonum", "timeout", "status",
	"zero", "event-mask", "tuple-src", "tuple-dst", "mask-src", "mask-dst",
	"nat-range", "mark", "id", "family", "src-nat", "dst-nat", "output",
	"secmark", "buffer-size", "any-nat", "zone", "label", "label-add",
	"label-del", "orig-zone", "reply-zone", "labelmap",
}

// optionSet is a set of options: a bit for each. The classic options and those that
// select entries are in the first word.
type optionSet [2]uint64

// An option beyond its word would be dropped silently.
const (
	_ = uint(63 - OptMatch)
	_ = uint(128 - numOptions)
)

func (s *optionSet) has(o Option) bool { return s[o/64]>>(o%64)&1 != 0 }

func (s *optionSet) add(o Option) { s[o/64] |= 1 << (o % 64) }

func (s *optionSet) remove(o Option) { s[o/64] &^= 1 << (o % 64) }

// extended reports whether the set has an option that is not classic.
func (s *optionSet) extended() bool { return s[0]>>NumClassic != 0 || s[1] != 0 }

// Argument is whether an option takes a value.
type Argument uint8

const (
	NoArgument   Argument = iota
	NeedArgument          // the rest of the word, or the next one
	WordArgument          // the next word, where it does not begin with - or !
)

// Word is what an option's word stands for: a command, a generic option, or
// one of the protocol's.
type Word struct {
	Long     string // "": none
	Short    byte   // 0: none
	Argument Argument
	Command  Command
	Option   Option
	Protocol ProtoOption // 0: none
	// clusters: what follows the letter in its word are further letters. The
	// rest of the word is dropped otherwise.
	clusters bool
}

// same reports whether two words mean the same.
func (w *Word) same(v *Word) bool {
	return w.Command == v.Command && w.Option == v.Option && w.Protocol == v.Protocol
}

// isNAT reports whether the word is -n, -g or -j.
func (w *Word) isNAT() bool {
	return w.Command == CmdNone && w.Protocol == 0 &&
		(w.Option == OptSrcNAT || w.Option == OptDstNAT || w.Option == OptAnyNAT)
}

// Words are the options of every command line. (nat-range is an option that
// lost its meaning.)
var Words = []Word{
	{Long: "dump", Short: 'L', Argument: WordArgument, Command: CmdList, clusters: true},
	{Long: "create", Short: 'I', Argument: WordArgument, Command: CmdCreate, clusters: true},
	{Long: "add", Short: 'A', Argument: WordArgument, Command: CmdAdd, clusters: true},
	{Long: "delete", Short: 'D', Argument: WordArgument, Command: CmdDelete, clusters: true},
	{Long: "update", Short: 'U', Argument: WordArgument, Command: CmdUpdate, clusters: true},
	{Long: "get", Short: 'G', Argument: WordArgument, Command: CmdGet, clusters: true},
	{Long: "flush", Short: 'F', Argument: WordArgument, Command: CmdFlush, clusters: true},
	{Long: "event", Short: 'E', Argument: WordArgument, Command: CmdEvents, clusters: true},
	{Long: "counter", Short: 'C', Argument: WordArgument, Command: CmdCount},
	{Long: "stats", Short: 'S', Command: CmdStats},
	{Long: "version", Short: 'V', Command: CmdVersion},
	{Long: "help", Short: 'h', Command: CmdHelp},
	{Long: "src", Short: 's', Argument: NeedArgument, Option: OptSrc},
	{Long: "orig-src", Argument: NeedArgument, Option: OptSrc},
	{Long: "dst", Short: 'd', Argument: NeedArgument, Option: OptDst},
	{Long: "orig-dst", Argument: NeedArgument, Option: OptDst},
	{Long: "reply-src", Short: 'r', Argument: NeedArgument, Option: OptReplySrc},
	{Long: "reply-dst", Short: 'q', Argument: NeedArgument, Option: OptReplyDst},
	{Long: "protonum", Short: 'p', Argument: NeedArgument, Option: OptProtoNum},
	{Long: "timeout", Short: 't', Argument: NeedArgument, Option: OptTimeout},
	{Long: "status", Short: 'u', Argument: NeedArgument, Option: OptStatus},
	{Long: "zero", Short: 'z', Option: OptZero},
	{Long: "event-mask", Short: 'e', Argument: NeedArgument, Option: OptEventMask},
	{Long: "tuple-src", Short: '[', Argument: NeedArgument, Option: OptTupleSrc},
	{Long: "tuple-dst", Short: ']', Argument: NeedArgument, Option: OptTupleDst},
	{Long: "mask-src", Short: '{', Argument: NeedArgument, Option: OptMaskSrc},
	{Long: "mask-dst", Short: '}', Argument: NeedArgument, Option: OptMaskDst},
	{Long: "nat-range", Short: 'a', Argument: NeedArgument, Option: OptNATRange},
	{Long: "mark", Short: 'm', Argument: NeedArgument, Option: OptMark},
	{Long: "secmark", Short: 'c', Argument: NeedArgument, Option: OptSecMark},
	{Long: "id", Short: 'i', Argument: NeedArgument, Option: OptID},
	{Long: "family", Short: 'f', Argument: NeedArgument, Option: OptFamily},
	{Long: "src-nat", Short: 'n', Argument: WordArgument, Option: OptSrcNAT},
	{Long: "dst-nat", Short: 'g', Argument: WordArgument, Option: OptDstNAT},
	{Long: "any-nat", Short: 'j', Argument: WordArgument, Option: OptAnyNAT},
	{Long: "output", Short: 'o', Argument: NeedArgument, Option: OptOutput},
	{Long: "buffer-size", Short: 'b', Argument: NeedArgument, Option: OptBufferSize},
	{Long: "zone", Short: 'w', Argument: NeedArgument, Option: OptZone},
	{Long: "label", Short: 'l', Argument: NeedArgument, Option: OptLabel},
	{Long: "label-add", Short: '<', Argument: NeedArgument, Option: OptLabelAdd},
	{Long: "label-del", Short: '>', Argument: WordArgument, Option: OptLabelDel},
	{Long: "orig-zone", Short: '(', Argument: NeedArgument, Option: OptOrigZone},
	{Long: "reply-zone", Short: ')', Argument: NeedArgument, Option: OptReplyZone},
	{Long: "labelmap", Short: 'M', Argument: NeedArgument, Option: OptLabelMap},
}

// FamilyWords are the options for a family that the commands with names have beside
// -f.
var FamilyWords = []Word{
	{Long: "ipv4", Short: '4', Option: OptFamily},
	{Long: "ipv6", Short: '6', Option: OptFamily},
}

// legality is which option each command takes on a table, in the order of the
// options: + needed, o allowed, . refused, p part of a pair (the addresses of the
// original or of the reply direction; one pair must be complete). Options beyond
// a row are refused.
//
// Against the classic table -G and -U also take the zones (w and the two
// directions'): without them entries in a zone cannot be reached, and saved
// lines not be loaded. And whatever chooses entries for one of -L, -D, -U and -E
// does so for all four (u, i, c, j).
var legality = [...]struct {
	signs   string
	command Command
	table   Table
}{
	// s d r q p t u z e T U M N a m i f n g o c b j w l < > ( ) K
	{"o o o o o . o o . . . o o . o o o o o o o . o o o . . o o o", CmdList, TableConntrack},
	{"................o..o..........", CmdList, TableExpect},
	{"p p p p + + o . . . . . . o o . . o o . . . . o . o . o o .", CmdCreate, TableConntrack},
	{"+ + o o + + o . . + + + + . . . . . . . . . . . . . . . . .", CmdCreate, TableExpect},
	{"p p p p + + o . . . . . . o o . . o o . . . . o . o . o o .", CmdAdd, TableConntrack},
	{"o o o o o o o . . . . o o . o o o o o o o . o o o o o o o o", CmdUpdate, TableConntrack},
	{"o o o o o o o . . . . o o . o o o o o o o . o o o . . o o o", CmdDelete, TableConntrack},
	{"+ + o o + .........................", CmdDelete, TableExpect},
	{"p p p p + . . . . . . . . . . o . . . o . . . o o . . o o .", CmdGet, TableConntrack},
	{"+ + o o + .........................", CmdGet, TableExpect},
	{"................o.............", CmdFlush, TableConntrack},
	{"..............................", CmdFlush, TableExpect},
	{"o o o o o . o . o . . o o . o o o o o o o o o o o . . o o o", CmdEvents, TableConntrack},
	{"...................o..........", CmdEvents, TableExpect},
	{"....o.........................", CmdHelp, TableConntrack},
	{"....o.........................", CmdHelp, TableExpect},
	{"..............................", CmdCount, TableConntrack},
	{"..............................", CmdCount, TableExpect},
	{"..............................", CmdStats, TableConntrack},
	{"..............................", CmdStats, TableExpect},
	{"..............................", CmdVersion, TableConntrack},
	{"..............................", CmdVersion, TableExpect},
}

// legalityRow returns the signs of a command's options on a table, "" where all
// are refused.
func legalityRow(c Command, t Table) string {
	for i := range legality {
		if row := &legality[i]; row.command == c && row.table == t {
			return row.signs
		}
	}
	return ""
}

// withoutCommand are the options that are refused where there is no command.
// With others the help is shown.
const withoutCommand = uint64(1<<OptSrc | 1<<OptDst | 1<<OptReplySrc | 1<<OptReplyDst |
	1<<OptProtoNum | 1<<OptTimeout | 1<<OptStatus | 1<<OptZero | 1<<OptMark | 1<<OptID |
	1<<OptSrcNAT | 1<<OptDstNAT | 1<<OptOutput | 1<<OptBufferSize | 1<<OptAnyNAT |
	1<<OptZone | 1<<OptLabel | 1<<OptOrigZone | 1<<OptReplyZone)

// Takes reports whether a command takes a classic option on a table.
func Takes(c Command, t Table, o Option) bool {
	if t == TableDying || t == TableUnconfirmed {
		t = TableConntrack
	}
	return allowed(legalityRow(c, t), int(o))
}

// Takes reports whether a command takes an option of the protocol on a table.
func (p *Protocol) Takes(c Command, t Table, o ProtoOption) bool {
	column := slices.Index(p.Options, o)
	return p.legal != nil && column >= 0 && allowed(p.legal.row(c, t), column)
}

// allowed reports whether a row of signs has a sign other than a dot in a column.
func allowed(row string, column int) bool {
	for _, sign := range row {
		switch {
		case sign == ' ':
			continue
		case column == 0:
			return sign != '.'
		}
		column--
	}
	return false
}

// verdict is what a row of signs says about the options given.
type verdict struct {
	column  int  // the first that is wrong, or -1
	missing bool // it is needed; else it is refused
	paired  bool // the row has pairs
	pairs   [2]int
}

// checkRow checks what was given against a row of signs, up to the first column
// that is wrong. Columns beyond the row are refused. The columns of pairs are the
// first four: two of each pair.
func checkRow(row string, columns int, given func(column int) bool) verdict {
	v := verdict{column: -1}
	column := 0
	for _, sign := range row {
		if sign == ' ' {
			continue
		}
		g := given(column)
		if sign == '+' && !g || sign == '.' && g {
			v.column, v.missing = column, sign == '+'
			return v
		}
		if sign == 'p' {
			v.paired = true
			if g {
				v.pairs[column/2]++
			}
		}
		column++
	}
	for ; column < columns; column++ {
		if given(column) {
			v.column = column
			return v
		}
	}
	return v
}

// err returns the error for the column that is wrong, or for pairs of which
// neither is complete: second is that of the second pair, where only that was
// begun.
func (v *verdict) err(name func(column int) string, first, second string) error {
	switch {
	case v.column >= 0 && v.missing:
		return Usagef("You need to supply the `--%s' option for this command", name(v.column))
	case v.column >= 0:
		return illegal(name(v.column))
	case !v.paired || v.pairs[0] == 2 || v.pairs[1] == 2:
		return nil
	case v.pairs[0] == 0 && v.pairs[1] > 0:
		return Usagef("%s", second)
	}
	return Usagef("%s", first)
}
