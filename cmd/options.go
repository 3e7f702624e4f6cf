package cmd

// option is a generic option, in the order of the columns in which the
// legality of a command line is judged.
type option uint8

const (
	optSrc option = iota
	optDst
	optReplySrc
	optReplyDst
	optProtoNum
	optTimeout
	optStatus
	optZero
	optEventMask
	optTupleSrc
	optTupleDst
	optMaskSrc
	optMaskDst
	optNATRange
	optMark
	optID
	optFamily
	optSrcNAT
	optDstNAT
	optOutput
	optSecMark
	optBufferSize
	optAnyNAT
	optZone
	optLabel
	optLabelAdd
	optLabelDel
	optOrigZone
	optReplyZone
	optLabelMap
	// What follows is this program's own (own.go).
	optQueue
	optResync
	optTable
	optNetNS
	optAllNetNS
	optHost
	optPort
	optMinBytes
	optMinPackets
	optOlder
	optYounger
	optExpiresWithin
	optRelated
	optAssured
	optUnreplied
	optOffloaded
	optBy
	optColumns
	optSort
	optLimit
	optExplain
	optDryRun
	optYes
	optHelper
	optLabelBits
	numOptions

	numClassic = optQueue
)

// optionNames are the long names that messages use.
var optionNames = [numClassic]string{
	"src", "dst", "reply-src", "reply-dst", "protonum", "timeout", "status",
	"zero", "event-mask", "tuple-src", "tuple-dst", "mask-src", "mask-dst",
	"nat-range", "mark", "id", "family", "src-nat", "dst-nat", "output",
	"secmark", "buffer-size", "any-nat", "zone", "label", "label-add",
	"label-del", "orig-zone", "reply-zone", "labelmap",
}

// optionSet is a set of options.
type optionSet uint64

func (s optionSet) has(o option) bool { return s>>o&1 != 0 }

// legality says which option goes with which command and table, in the order
// of the options above: + needed, o allowed, . refused, p part of a pair (at
// least one whole pair of the original's or the reply's addresses). What a row
// does not reach is refused.
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
	{"o o o o o . o o . . . o o . o o o o o o o . o o o . . o o o", cmdList, tableConntrack},
	{"................o..o..........", cmdList, tableExpect},
	{"p p p p + + o . . . . . . o o . . o o . . . . o . o . o o .", cmdCreate, tableConntrack},
	{"+ + o o + + o . . + + + + . . . . . . . . . . . . . . . . .", cmdCreate, tableExpect},
	{"p p p p + + o . . . . . . o o . . o o . . . . o . o . o o .", cmdAdd, tableConntrack},
	{"o o o o o o o . . . . o o . o o o o o o o . o o o o o o o o", cmdUpdate, tableConntrack},
	{"o o o o o o o . . . . o o . o o o o o o o . o o o . . o o o", cmdDelete, tableConntrack},
	{"+ + o o + .........................", cmdDelete, tableExpect},
	{"p p p p + . . . . . . . . . . o . . . o . . . o o . . o o .", cmdGet, tableConntrack},
	{"+ + o o + .........................", cmdGet, tableExpect},
	{"................o.............", cmdFlush, tableConntrack},
	{"..............................", cmdFlush, tableExpect},
	{"o o o o o . o . o . . o o . o o o o o o o o o o o . . o o o", cmdEvents, tableConntrack},
	{"...................o..........", cmdEvents, tableExpect},
	{"....o.........................", cmdHelp, tableConntrack},
	{"....o.........................", cmdHelp, tableExpect},
	{"..............................", cmdCount, tableConntrack},
	{"..............................", cmdCount, tableExpect},
	{"..............................", cmdStats, tableConntrack},
	{"..............................", cmdStats, tableExpect},
	{"..............................", cmdVersion, tableConntrack},
	{"..............................", cmdVersion, tableExpect},
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

// withoutCommand are the options that are refused where there is no command;
// beside others the help is shown.
const withoutCommand = optionSet(1<<optSrc | 1<<optDst | 1<<optReplySrc | 1<<optReplyDst |
	1<<optProtoNum | 1<<optTimeout | 1<<optStatus | 1<<optZero | 1<<optMark | 1<<optID |
	1<<optSrcNAT | 1<<optDstNAT | 1<<optOutput | 1<<optBufferSize | 1<<optAnyNAT |
	1<<optZone | 1<<optLabel | 1<<optOrigZone | 1<<optReplyZone)

// argument says whether an option takes a value.
type argument uint8

const (
	noArgument   argument = iota
	needArgument          // the rest of the word, or the next one
	wordArgument          // the next word, where it does not begin with - or !
)

// word is what an option's word stands for: a command, a generic option, or
// one of the protocol's.
type word struct {
	long     string // "": none
	short    byte   // 0: none
	argument argument
	command  Command
	option   option
	protocol protoOption // 0: none
	// clusters: what follows the letter in its word are further letters. The
	// rest of the word is dropped otherwise.
	clusters bool
}

// same tells whether two words mean the same.
func (w *word) same(v *word) bool {
	return w.command == v.command && w.option == v.option && w.protocol == v.protocol
}

// isNAT tells whether the word is -n, -g or -j.
func (w *word) isNAT() bool {
	return w.command == cmdNone && w.protocol == 0 && (w.option == optSrcNAT || w.option == optDstNAT || w.option == optAnyNAT)
}

// words are the options of every command line. (nat-range is an option that
// lost its meaning.)
var words = []word{
	{long: "dump", short: 'L', argument: wordArgument, command: cmdList, clusters: true},
	{long: "create", short: 'I', argument: wordArgument, command: cmdCreate, clusters: true},
	{long: "add", short: 'A', argument: wordArgument, command: cmdAdd, clusters: true},
	{long: "delete", short: 'D', argument: wordArgument, command: cmdDelete, clusters: true},
	{long: "update", short: 'U', argument: wordArgument, command: cmdUpdate, clusters: true},
	{long: "get", short: 'G', argument: wordArgument, command: cmdGet, clusters: true},
	{long: "flush", short: 'F', argument: wordArgument, command: cmdFlush, clusters: true},
	{long: "event", short: 'E', argument: wordArgument, command: cmdEvents, clusters: true},
	{long: "counter", short: 'C', argument: wordArgument, command: cmdCount},
	{long: "stats", short: 'S', command: cmdStats},
	{long: "version", short: 'V', command: cmdVersion},
	{long: "help", short: 'h', command: cmdHelp},
	{long: "src", short: 's', argument: needArgument, option: optSrc},
	{long: "orig-src", argument: needArgument, option: optSrc},
	{long: "dst", short: 'd', argument: needArgument, option: optDst},
	{long: "orig-dst", argument: needArgument, option: optDst},
	{long: "reply-src", short: 'r', argument: needArgument, option: optReplySrc},
	{long: "reply-dst", short: 'q', argument: needArgument, option: optReplyDst},
	{long: "protonum", short: 'p', argument: needArgument, option: optProtoNum},
	{long: "timeout", short: 't', argument: needArgument, option: optTimeout},
	{long: "status", short: 'u', argument: needArgument, option: optStatus},
	{long: "zero", short: 'z', option: optZero},
	{long: "event-mask", short: 'e', argument: needArgument, option: optEventMask},
	{long: "tuple-src", short: '[', argument: needArgument, option: optTupleSrc},
	{long: "tuple-dst", short: ']', argument: needArgument, option: optTupleDst},
	{long: "mask-src", short: '{', argument: needArgument, option: optMaskSrc},
	{long: "mask-dst", short: '}', argument: needArgument, option: optMaskDst},
	{long: "nat-range", short: 'a', argument: needArgument, option: optNATRange},
	{long: "mark", short: 'm', argument: needArgument, option: optMark},
	{long: "secmark", short: 'c', argument: needArgument, option: optSecMark},
	{long: "id", short: 'i', argument: needArgument, option: optID},
	{long: "family", short: 'f', argument: needArgument, option: optFamily},
	{long: "src-nat", short: 'n', argument: wordArgument, option: optSrcNAT},
	{long: "dst-nat", short: 'g', argument: wordArgument, option: optDstNAT},
	{long: "any-nat", short: 'j', argument: wordArgument, option: optAnyNAT},
	{long: "output", short: 'o', argument: needArgument, option: optOutput},
	{long: "buffer-size", short: 'b', argument: needArgument, option: optBufferSize},
	{long: "zone", short: 'w', argument: needArgument, option: optZone},
	{long: "label", short: 'l', argument: needArgument, option: optLabel},
	{long: "label-add", short: '<', argument: needArgument, option: optLabelAdd},
	{long: "label-del", short: '>', argument: wordArgument, option: optLabelDel},
	{long: "orig-zone", short: '(', argument: needArgument, option: optOrigZone},
	{long: "reply-zone", short: ')', argument: needArgument, option: optReplyZone},
	{long: "labelmap", short: 'M', argument: needArgument, option: optLabelMap},
}
