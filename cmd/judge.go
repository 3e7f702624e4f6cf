package cmd

import (
	"math"
	"math/bits"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// judge ends the reading of a command line: label names, then what excludes
// each other, then which option goes with which command.
func (p *parser) judge() error {
	r := p.req
	if err := p.resolveLabels(); err != nil {
		return err
	}
	if r.has(optAnyNAT) && (r.has(optSrcNAT) || r.has(optDstNAT)) {
		return usagef("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'")
	}
	if r.Command == cmdNone {
		return r.judgeWithoutCommand()
	}
	if err := r.judgeOptions(); err != nil {
		return err
	}
	if err := r.judgeOwn(); err != nil {
		return err
	}
	if err := r.judgeView(); err != nil {
		return err
	}
	if err := r.judgeTable(); err != nil {
		return err
	}
	if err := r.judgeNetNS(); err != nil {
		return err
	}
	if err := r.judgeExplain(); err != nil {
		return err
	}
	if err := r.judgeProtocol(); err != nil {
		return err
	}
	return r.judgeTimeout()
}

func (r *Request) judgeWithoutCommand() error {
	for o := range numClassic {
		if r.has(o) && withoutCommand.has(o) {
			return illegal(optionNames[o])
		}
	}
	return r.judgeOwn()
}

func illegal(name string) error { return usagef("Illegal option `--%s' with this command", name) }

// verdict is what a row of signs says about the options given.
type verdict struct {
	column  int  // the first that offends, or -1
	missing bool // it is needed; else it is refused
	paired  bool // the row has pairs
	pairs   [2]int
}

// judgeRow holds what was given against a row of signs; the first column that
// offends speaks, and what the row does not reach is refused. The columns of
// pairs are the first four: two of each pair.
func judgeRow(row string, columns int, given func(column int) bool) verdict {
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

// offence is the message for the column that offends, or for pairs of which
// neither is whole: the second speaks only when it alone was begun.
func (v *verdict) offence(name func(column int) string, first, second string) error {
	switch {
	case v.column >= 0 && v.missing:
		return usagef("You need to supply the `--%s' option for this command", name(v.column))
	case v.column >= 0:
		return illegal(name(v.column))
	case !v.paired || v.pairs[0] == 2 || v.pairs[1] == 2:
		return nil
	case v.pairs[0] == 0 && v.pairs[1] > 0:
		return usagef("%s", second)
	}
	return usagef("%s", first)
}

func (r *Request) judgeOptions() error {
	table := r.Table
	if table == tableDying || table == tableUnconfirmed {
		table = tableConntrack
	}
	v := judgeRow(legalityRow(r.Command, table), int(numClassic), func(c int) bool {
		return r.has(option(c)) && !(option(c) == optOutput && (r.writesRecords() || r.writesReport()))
	})
	return v.offence(func(c int) string { return optionNames[c] },
		"you have to specify `--src' and `--dst'", "you have to specify `--reply-src' and `--reply-dst'")
}

// judgeProtocol holds the protocol's options against its own table; those of
// an earlier -p that the last one does not have are refused.
func (r *Request) judgeProtocol() error {
	proto := r.proto
	if proto == nil || r.Command == cmdHelp {
		return nil
	}
	foreign := r.protoGiven
	if r.Info.Has&ctnetlink.InfoState != 0 && r.Info.Proto != proto.number {
		return illegal(protoOptionNames[poState][0]) // it was another protocol's
	}
	for _, o := range proto.options {
		foreign &^= 1 << o
	}
	if proto.legal != nil {
		v := judgeRow(proto.legal.row(r.Command, r.Table), len(proto.options), func(c int) bool { return r.protoGiven.has(proto.options[c]) })
		name := func(c int) string { return protoOptionNames[proto.options[c]][0] }
		if err := v.offence(name, proto.origPair, proto.replyPair); err != nil {
			return err
		}
	}
	if foreign != 0 {
		return illegal(protoOptionNames[bits.TrailingZeros32(uint32(foreign))][0])
	}
	return nil
}

// judgeTimeout refuses a -t that would end or choose every entry: with -D it
// chooses nothing, with -U no number would be a timeout of 0.
func (r *Request) judgeTimeout() error {
	switch {
	case !r.has(optTimeout):
	case r.Command == cmdDelete && !r.chooses():
		return usagef("-t does not select entries: -D needs another criterion beside it")
	case r.Command == cmdDelete:
		// It is not compared; but a word that is no number, as in `-t --dry-run',
		// was not meant as its value.
		if _, rest := strtol(r.timeoutText); rest == r.timeoutText {
			return usagef("unexpected value '%s' with --timeout: a number of seconds is required", r.timeoutText)
		}
	case r.Command == cmdUpdate:
		return r.wholeTimeout()
	}
	return nil
}

// wholeTimeout refuses a timeout that is no number, too big, or 0.
func (r *Request) wholeTimeout() error {
	if err := r.numericTimeout(); err != nil {
		return err
	}
	if r.Timeout == 0 {
		return usagef("--timeout 0 would end the entry: use -D to delete it")
	}
	return nil
}

// numericTimeout refuses a timeout that is no number, or too big.
func (r *Request) numericTimeout() error {
	n, rest := strtol(r.timeoutText)
	if rest != "" || r.timeoutText == "" || n < 0 || n > math.MaxUint32 {
		return usagef("unexpected value '%s' with --timeout: a number of seconds is required", r.timeoutText)
	}
	return nil
}

// judgeFilter is what is judged only when the command runs.
func (r *Request) judgeFilter() error {
	const filters = optionSet(1<<optID | 1<<optSrc | 1<<optDst | 1<<optReplySrc | 1<<optReplyDst |
		1<<optProtoNum | 1<<optMark | 1<<optStatus | 1<<optSecMark | 1<<optZone | 1<<optLabel |
		1<<optOrigZone | 1<<optReplyZone | 1<<optSrcNAT | 1<<optDstNAT | 1<<optAnyNAT |
		(1<<(optOffloaded+1) - 1<<optHost))
	plain := r.Table == tableConntrack || r.Table == tableExpect
	switch {
	case !plain:
		return nil
	case r.Zero && r.given&filters != 0:
		return usagef("Can't use -z with filtering parameters")
	case r.has(optStatus) && oneOf(r.Command, cmdList, cmdDelete, cmdEvents) &&
		r.StatusSet|r.StatusClear == 0 && !r.statusUnset:
		// Nothing of the list is left: it must not choose everything.
		return &refusal{r.Command, r.Table, ctnetlink.EINVAL}
	case r.has(optMaskSrc) && !r.has(optSrc):
		return usagef("Can't use --mask-src without --src")
	case r.has(optMaskDst) && !r.has(optDst):
		return usagef("Can't use --mask-dst without --dst")
	}
	return nil
}
