package cmdline

import (
	"math"
	"math/bits"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// validate ends the reading of a command line: it looks up label names, then
// checks which options exclude each other, then which go with the command. The
// order is that of the classic command's messages.
func validate(p *parser) error {
	r := p.req
	if needsLabelMap(r) {
		if err := p.resolveLabels(); err != nil {
			return err
		}
	}
	if r.Has(OptAnyNAT) && (r.Has(OptSrcNAT) || r.Has(OptDstNAT)) {
		return Usagef("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'")
	}
	if r.Command == CmdNone {
		return validateWithoutCommand(r)
	}
	if r.ByName {
		if err := validateOutput(p); err != nil {
			return err
		}
	}
	if err := validateOptions(r); err != nil {
		return err
	}
	if err := validateExtensions(r); err != nil {
		return err
	}
	if err := validateOutput(p); err != nil {
		return err
	}
	if err := validateView(r); err != nil {
		return err
	}
	if err := validateNetNS(r); err != nil {
		return err
	}
	if err := validateExplain(r); err != nil {
		return err
	}
	if err := validateCountOnly(r); err != nil {
		return err
	}
	if r.Has(OptGrowing) && r.Has(OptIdle) {
		return Usagef("--growing cannot be used with --idle: no entry is both")
	}
	if err := validateWatch(r); err != nil {
		return err
	}
	if err := validateProtocol(r); err != nil {
		return err
	}
	return validateTimeout(r)
}

// namesLabels reports whether the line has names of labels.
func namesLabels(r *Request) bool {
	return r.Has(OptLabel) || r.Has(OptLabelAdd) || r.Has(OptLabelDel)
}

// needsLabelMap reports whether the line has names of labels, or the output may
// have.
func needsLabelMap(r *Request) bool {
	return namesLabels(r) || r.Output.Labels || r.Output.Style == format.StyleSave || r.Has(OptExplain) ||
		format.IsRecordStyle(r.Output.Style)
}

func validateWithoutCommand(r *Request) error {
	for o := range NumClassic {
		if r.Has(o) && withoutCommand>>o&1 != 0 {
			return illegal(OptionNames[o])
		}
	}
	return validateExtensions(r)
}

func illegal(name string) error { return Usagef("Illegal option `--%s' with this command", name) }

func validateOptions(r *Request) error {
	table := r.Table
	if table == TableDying || table == TableUnconfirmed {
		table = TableConntrack
	}
	v := checkRow(legalityRow(r.Command, table), int(NumClassic), func(c int) bool {
		return r.Has(Option(c)) && !(Option(c) == OptOutput && (r.WritesRecords() || r.WritesReport()))
	})
	return v.err(func(c int) string { return OptionNames[c] },
		"you have to specify `--src' and `--dst'", "you have to specify `--reply-src' and `--reply-dst'")
}

// validateProtocol checks the protocol's options against its own table. Those of
// an earlier -p that the last one does not have are refused.
func validateProtocol(r *Request) error {
	proto := r.proto
	if proto == nil || r.Command == CmdHelp {
		return nil
	}
	foreign := r.protoGiven
	if r.Info.Has&ctnetlink.InfoState != 0 && r.Info.Proto != proto.Number {
		return illegal(ProtoOptionNames[ProtoOptState][0]) // it was another protocol's
	}
	for _, o := range proto.Options {
		foreign &^= 1 << o
	}
	if proto.legal != nil {
		given := func(c int) bool { return r.HasProto(proto.Options[c]) }
		v := checkRow(proto.legal.row(r.Command, r.Table), len(proto.Options), given)
		name := func(c int) string { return ProtoOptionNames[proto.Options[c]][0] }
		if err := v.err(name, proto.origPair, proto.replyPair); err != nil {
			return err
		}
	}
	if foreign != 0 {
		return illegal(ProtoOptionNames[bits.TrailingZeros32(uint32(foreign))][0])
	}
	return nil
}

// validateTimeout refuses a -t that would end or select every entry: with -D it
// selects nothing, with -U a word that is not a number would be a timeout of 0.
func validateTimeout(r *Request) error {
	switch {
	case !r.Has(OptTimeout):
	case r.Command == CmdDelete && !r.Selects():
		return Usagef("-t does not select entries: -D needs another criterion beside it")
	case r.Command == CmdDelete:
		// The timeout is not compared. Reject a non-number: `-t --dry-run' swallowed
		// an option.
		if _, rest := strtol(r.timeoutText); rest == r.timeoutText {
			return Usagef("unexpected value '%s' with --timeout: a number of seconds is required", r.timeoutText)
		}
	case r.Command == CmdUpdate:
		return r.ValidateTimeout()
	}
	return nil
}

// ValidateTimeout refuses a timeout that is not a number, or 0.
func (r *Request) ValidateTimeout() error {
	if err := numericTimeout(r); err != nil {
		return err
	}
	if r.Timeout == 0 {
		return Usagef("--timeout 0 would end the entry: use -D to delete it")
	}
	return nil
}

// numericTimeout refuses a timeout that is not a number. In the classic grammar
// anything may follow it, as with -I.
func numericTimeout(r *Request) error {
	n, rest := strtol(r.timeoutText)
	if rest == r.timeoutText || r.ByName && (rest != "" || n < 0 || n > math.MaxUint32) {
		return Usagef("unexpected value '%s' with --timeout: a number of seconds is required", r.timeoutText)
	}
	return nil
}

// validateExtensions refuses extensions with commands that do not take them.
func validateExtensions(r *Request) error {
	if !r.given.extended() {
		return nil
	}
	for i := range Extensions {
		if o := &Extensions[i]; r.Has(o.Option) && !o.TakenBy(r.Command, r.Table) {
			return illegal(o.Long)
		}
	}
	return nil
}

// validateView reads the names of the view, and checks the view against the
// command and the form of output.
func validateView(r *Request) error {
	v, out := r.View(), &r.Output
	if r.Live && !r.Has(OptOutput) {
		out.Style = format.StyleTable
	}
	if r.Has(OptColumns) {
		if !r.Has(OptOutput) {
			out.Style = format.StyleTable
		}
		if out.Style != format.StyleTable && out.Style != format.StyleCSV {
			return Usagef("--columns can only be used with -o table and -o csv")
		}
		if v.By != nil {
			return Usagef("--columns cannot be used with --by: the keys are the columns")
		}
		var err error
		if out.Columns, err = parseFields("columns", v.columns, r.Table == TableExpect); err != nil {
			return err
		}
		if err := validateRates(r, "columns", out.Columns...); err != nil {
			return err
		}
	}
	if err := validateGroupKeys(v.By); err != nil {
		return err
	}
	if err := validateProcesses(r); err != nil {
		return err
	}
	if err := validateNames(r); err != nil {
		return err
	}
	if v.Limit > 0 && r.Zero && v.By == nil {
		return Usagef("Can't use -z with --limit: counters that are not shown would be lost")
	}
	return validateSort(r)
}

// validateSort reads the order of entries or of groups.
func validateSort(r *Request) error {
	v := r.View()
	if v.sort == "" {
		if r.Has(OptSort) {
			return Usagef("--sort needs a key")
		}
		if v.By != nil {
			v.Order = []stats.Order{{Name: "entries", Descending: true}}
		}
		return nil
	}
	for _, o := range parseOrder(r, v.sort) {
		if v.By != nil && (slices.Contains(stats.Sums, o.Name) || r.Live && slices.Contains(GroupRates, o.Name)) {
			v.Order = append(v.Order, o)
			continue
		}
		name := o.Name
		if v.By == nil {
			name = sortAliases(name)
		}
		keys, err := parseKeys("sort", name)
		switch {
		case err != nil && v.By != nil:
			return noGroupKey(r, o.Name)
		case err != nil:
			return err
		}
		for _, k := range keys {
			if v.By != nil && !slices.ContainsFunc(v.By, func(b Key) bool { return b.Name == k.Name }) {
				return noGroupKey(r, o.Name)
			}
			if err := validateRates(r, "sort", k.Field); err != nil {
				return err
			}
			o.Name = k.Name
			v.Order = append(v.Order, o)
			v.SortBy = append(v.SortBy, k)
		}
	}
	return nil
}

func oneOfStyles(s format.Style, list ...format.Style) bool { return slices.Contains(list, s) }

// validateNetNS refuses network namespaces beside what has no place for their
// names.
func validateNetNS(r *Request) error {
	switch all := r.Has(OptAllNetNS); {
	case !all && !r.Has(OptNetNS):
	case all && r.Has(OptNetNS):
		return Usagef("--netns cannot be used with --all-netns")
	case r.Has(OptTable):
		return Usagef("--table cannot be used with --netns: a file holds one table")
	case all && oneOfStyles(r.Output.Style, format.StyleSave, format.StyleNetlink):
		return Usagef("-o save and -o netlink cannot be used with --all-netns: use --netns for each namespace")
	}
	return nil
}

// maxExplained is how many entries are explained unless --limit says otherwise.
const maxExplained = 10

// validateExplain refuses forms of output beside --explain. A list is limited: an
// explanation has some twenty lines.
func validateExplain(r *Request) error {
	switch {
	case !r.Has(OptExplain):
		return nil
	case r.Output.Style != format.StyleClassic:
		return Usagef("--explain cannot be combined with another output form")
	case r.View().By != nil:
		return Usagef("--by cannot be used with --explain")
	case r.Zero:
		return Usagef("Can't use -z with --explain: counters that are not shown would be lost")
	}
	if r.Command == CmdList && !r.Has(OptLimit) {
		r.SetLimit(maxExplained)
	}
	return nil
}

// validateCountOnly refuses what concerns how entries are shown beside
// --count-only.
func validateCountOnly(r *Request) error {
	if !r.Has(OptCountOnly) {
		return nil
	}
	for _, o := range []Option{OptBy, OptColumns, OptSort, OptLimit, OptExplain, OptNames, OptServices, OptProcesses} {
		if r.Has(o) {
			return Usagef("--%s cannot be used with a count: no entries are shown", o.Extension().Long)
		}
	}
	if r.Zero {
		return Usagef("Can't use -z with a count: counters that are not shown would be lost")
	}
	return nil
}

// validateInFile refuses options that a line of a file cannot have: its table is
// that of the file. A -t of -A that is not a number would end the load at the
// first entry that exists, so it is refused before.
func validateInFile(r *Request) error {
	for _, o := range []Option{OptTable, OptNetNS, OptAllNetNS, OptNow} {
		if r.Has(o) {
			return Usagef("--%s cannot be used in a line of a file: give it with --load-file", o.Extension().Long)
		}
	}
	if r.Has(OptMatch) {
		return Usagef("--match cannot be used in a line of a file")
	}
	if r.Compare != 0 {
		return Usagef("--growing and --idle cannot be used in a line of a file")
	}
	if r.Command == CmdAdd && r.Has(OptTimeout) {
		return numericTimeout(r)
	}
	return nil
}

// filters are the options that select entries, in the first word of a set.
const filters = uint64(1<<OptID | 1<<OptSrc | 1<<OptDst | 1<<OptReplySrc | 1<<OptReplyDst |
	1<<OptProtoNum | 1<<OptMark | 1<<OptStatus | 1<<OptSecMark | 1<<OptZone | 1<<OptLabel |
	1<<OptOrigZone | 1<<OptReplyZone | 1<<OptSrcNAT | 1<<OptDstNAT | 1<<OptAnyNAT |
	(1<<(OptMatch+1) - 1<<OptHost))

// ValidateFilter checks what the classic command checks only when the command
// runs. The error of an empty status list is that of the kernel.
func (r *Request) ValidateFilter() error {
	plain := r.Table == TableConntrack || r.Table == TableExpect
	switch {
	case !plain:
		return nil
	case r.Zero && r.given[0]&filters != 0:
		return Usagef("Can't use -z with filtering parameters")
	case r.Has(OptMaskSrc) && !r.Has(OptSrc):
		return Usagef("Can't use --mask-src without --src")
	case r.Has(OptMaskDst) && !r.Has(OptDst):
		return Usagef("Can't use --mask-dst without --dst")
	case r.Has(OptStatus) && r.Command.Is(CmdList, CmdDelete, CmdEvents) &&
		r.StatusSet|r.StatusClear == 0 && !r.statusUnset:
		// Nothing of the list is left: it must not select everything.
		return ctnetlink.EINVAL
	}
	return nil
}
