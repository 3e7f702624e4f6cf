package cmdline

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
	OptOffloaded
	OptBy
	OptColumns
	OptSort
	OptLimit
	OptExplain
	OptDryRun
	OptYes
	OptHelper
	OptLabelBits
	OptKeepGoing

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

// optionSet is a set of options.
type optionSet uint64

func (s optionSet) has(o Option) bool { return s>>o&1 != 0 }

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
	return w.Command == CmdNone && w.Protocol == 0 && (w.Option == OptSrcNAT || w.Option == OptDstNAT || w.Option == OptAnyNAT)
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
