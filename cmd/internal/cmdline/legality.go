package cmdline

import "slices"

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
const withoutCommand = optionSet(1<<OptSrc | 1<<OptDst | 1<<OptReplySrc | 1<<OptReplyDst |
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
