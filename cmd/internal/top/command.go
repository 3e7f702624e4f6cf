package top

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Command lines that do what the screen does, for people to see and to copy.

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// appendEntry appends the options that name an entry: its original tuple, its zones
// and its id.
func appendEntry(words []string, f *ctnetlink.Flow) []string {
	o := f.Orig()
	add := func(option, value string) { words = append(words, option, value) }
	number := func(option string, has ctnetlink.Fields, v uint64) {
		if o.Has&has != 0 {
			add(option, decimal(v))
		}
	}
	if o.Has&ctnetlink.FieldProto != 0 {
		name := o.Proto.Name()
		if name == "" {
			name = decimal(uint64(o.Proto))
		}
		add("-p", name)
	}
	if o.Has&ctnetlink.FieldSrc != 0 {
		add("-s", o.Src.String())
	}
	if o.Has&ctnetlink.FieldDst != 0 {
		add("-d", o.Dst.String())
	}
	switch o.Proto {
	case ctnetlink.ProtoICMP:
		number("--icmp-type", ctnetlink.FieldICMPType, uint64(o.ICMPType))
		number("--icmp-code", ctnetlink.FieldICMPCode, uint64(o.ICMPCode))
		number("--icmp-id", ctnetlink.FieldICMPID, uint64(o.ICMPID))
	case ctnetlink.ProtoICMPv6:
		number("--icmpv6-type", ctnetlink.FieldICMPType, uint64(o.ICMPType))
		number("--icmpv6-code", ctnetlink.FieldICMPCode, uint64(o.ICMPCode))
		number("--icmpv6-id", ctnetlink.FieldICMPID, uint64(o.ICMPID))
	case ctnetlink.ProtoGRE:
		number("--srckey", ctnetlink.FieldSrcPort, uint64(o.SrcPort))
		number("--dstkey", ctnetlink.FieldDstPort, uint64(o.DstPort))
	default:
		if o.Proto.HasPorts() {
			number("--sport", ctnetlink.FieldSrcPort, uint64(o.SrcPort))
			number("--dport", ctnetlink.FieldDstPort, uint64(o.DstPort))
		}
	}
	if zone, ok := f.Zone(); ok {
		add("-w", decimal(uint64(zone)))
	}
	number("--orig-zone", ctnetlink.FieldZone, uint64(o.Zone))
	if r := f.Reply(); r.Has&ctnetlink.FieldZone != 0 {
		add("--reply-zone", decimal(uint64(r.Zone)))
	}
	if id, ok := f.ID(); ok {
		add("--id", decimal(uint64(id)))
	}
	return words
}

// expectedWords returns the command line that deletes an expectation, without the
// table's. ok is false if there is none: no option names the zone of an expectation.
func expectedWords(x *ctnetlink.Expect) (words []string, ok bool) {
	if zone, ok := x.Zone(); ok && zone != 0 {
		return nil, false
	}
	t := x.Tuple()
	name := t.Proto.Name()
	if name == "" {
		name = decimal(uint64(t.Proto))
	}
	words = []string{"-D", "expect", "-p", name, "-s", t.Src.String(), "-d", t.Dst.String()}
	if t.Has&ctnetlink.FieldPorts == ctnetlink.FieldPorts {
		// The classic grammar wants the ports of the reply too, and ignores them.
		words = append(words, "--sport", decimal(uint64(t.SrcPort)), "--dport", decimal(uint64(t.DstPort)),
			"--reply-port-src", "0", "--reply-port-dst", "0")
	}
	if _, err := cmdline.ParseClassic(words, nil); err != nil {
		return nil, false
	}
	return append([]string{"conntrack"}, words...), true
}

// change is what is done with entries: they are deleted, or get a mark.
type change struct {
	// mark is the value of --mark; "": they are deleted.
	mark string
	// value and mask are what mark says.
	value, mask uint32
}

// letter and name are the command in both grammars.
func (c *change) letter() string {
	if c.mark != "" {
		return "-U"
	}
	return "-D"
}

func (c *change) command() cmdline.Command {
	if c.mark != "" {
		return cmdline.CmdUpdate
	}
	return cmdline.CmdDelete
}

// options are the options that say what is changed.
func (c *change) options() []string {
	if c.mark != "" {
		return []string{"-m", c.mark}
	}
	return nil
}

// entryLine returns the line of a file for conntrack -R that changes an entry.
func (c *change) entryLine(f *ctnetlink.Flow) string {
	words := appendEntry([]string{c.letter()}, f)
	return strings.Join(append(words, c.options()...), " ")
}

// filterWords returns the command line that changes all entries that options select,
// without the table's. ok is false if there is none that selects the same: an option
// was given twice, or says what is new. list has the options that were given with the
// program and those that were typed, in any of the grammars.
func (c *change) filterWords(list ...[]string) (words []string, ok bool) {
	var all []string
	parts, files := 0, 0
	for _, part := range list {
		all = append(all, part...)
		if len(part) > 0 {
			parts++
		}
		if hasOption(part, "--match") {
			files++
		}
	}
	if files > 1 { // several say that one must match
		return nil, false
	}
	want, err := selects(cmdline.CmdList, all, nil)
	if err != nil {
		if parts > 1 { // in the classic grammar the last of two options counts
			return nil, false
		}
		if want, err = selectsClassic(append([]string{"-L"}, all...)); err != nil {
			return nil, false
		}
	}
	classic := append(append([]string{c.letter()}, all...), c.options()...)
	if got, err := selectsClassic(classic); err == nil && reflect.DeepEqual(got, want) {
		return append([]string{"conntrack"}, classic...), true
	}
	if got, err := selects(c.command(), all, c.options()); err == nil && reflect.DeepEqual(got, want) {
		return append(append([]string{"conntrack", c.command().Name()}, all...), c.options()...), true
	}
	return nil, false
}

// selectsClassic returns the filter of a command line of the classic grammar.
func selectsClassic(words []string) (*filter.Filter, error) {
	r, err := cmdline.ParseClassic(words, nil)
	if err != nil {
		return nil, err
	}
	return r.Filter(), nil
}

// selects returns the filter of a command by name with options that select entries.
func selects(c cmdline.Command, words, more []string) (*filter.Filter, error) {
	b := &cmdline.Beside{}
	if err := b.Scan(append(append([]string(nil), words...), more...)); err != nil {
		return nil, err
	}
	if len(b.Arguments) > 0 {
		return nil, cmdline.Usagef("unexpected argument `%s'", b.Arguments[0])
	}
	r, err := b.Request(c, nil)
	if err != nil {
		return nil, err
	}
	return r.Filter(), nil
}

// hasOption reports whether a long option is among words.
func hasOption(words []string, long string) bool {
	for _, w := range words {
		if w == long || strings.HasPrefix(w, long+"=") {
			return true
		}
	}
	return false
}

// tableWords returns the options that name the table of a source, whose name is that
// of its network namespace, as they were given. With the name "" it is that of all.
func tableWords(r *cmdline.Request, name string) []string {
	switch {
	case r == nil:
		return nil
	case r.Has(cmdline.OptTable):
		return []string{"--table", r.TableFile}
	case r.Has(cmdline.OptNetNS):
		return []string{"--netns", r.NetNS}
	case r.Has(cmdline.OptAllNetNS) && name == "":
		return []string{"--all-netns"}
	case r.Has(cmdline.OptAllNetNS):
		return []string{"--netns", name}
	}
	return nil
}

// shellLine returns words as one line of a shell (POSIX.1-2017, 2.2). Words with
// characters that a terminal does not show as they are get the quotes $'…' of bash,
// ksh and zsh.
func shellLine(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(shellWord(w))
	}
	return b.String()
}

func shellWord(w string) string {
	plain := w != ""
	for _, c := range []byte(w) {
		plain = plain && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ||
			strings.IndexByte("_./:,=@%+-", c) >= 0)
	}
	switch {
	case plain:
		return w
	case printable.Is(w):
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	w = strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(w)
	return "$'" + printable.String(w) + "'"
}
