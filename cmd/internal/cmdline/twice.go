package cmdline

import (
	"slices"
	"strings"
)

// givenValue is an option with its value, as typed.
type givenValue struct {
	option       Option
	protocol     ProtoOption
	value, typed string
	hasValue     bool
}

// once refuses an option that comes again with another value, unless the values
// add up. Of a classic option in the classic grammar the last value counts. typed is
// its word on the command line.
func (p *parser) once(o, typed Occurrence) error {
	w := o.Word
	extension := w.Protocol == 0 && w.Option >= NumClassic
	if w.Argument == NoArgument || !p.req.ByName && !extension {
		return nil
	}
	i := slices.IndexFunc(p.values, func(v givenValue) bool { return v.option == w.Option && v.protocol == w.Protocol })
	if i < 0 {
		p.values = append(p.values, givenValue{w.Option, w.Protocol, o.Value, typed.Value, o.HasValue})
		return nil
	}
	switch v := &p.values[i]; {
	case v.value == o.Value && v.hasValue == o.HasValue, addsUp(w) && v.hasValue == o.HasValue:
		return nil
	case !v.hasValue || !o.HasValue:
		return Usagef("--%s is given twice, with and without a value", w.Long)
	case takesLists(p.req, w.Option, w.Protocol) && isListed(w) && !strings.Contains(v.value+o.Value, "!"):
		return Usagef("--%s is given twice, with `%s' and `%s': a list is %s,%s",
			w.Long, v.typed, typed.Value, v.typed, typed.Value)
	default:
		return Usagef("--%s is given twice, with `%s' and `%s'", w.Long, v.typed, typed.Value)
	}
}

// addsUp reports whether several values of an option count together.
func addsUp(w *Word) bool {
	if w.Protocol != 0 {
		return false
	}
	switch w.Option {
	case OptStatus, OptEventMask, OptOutput, OptLabel, OptLabelAdd, OptLabelDel, OptLabelBits, OptMatch:
		return true
	}
	return false
}

// isListed reports whether the value of an option can be a list.
func isListed(w *Word) bool {
	if w.Protocol != 0 {
		return w.Protocol == ProtoOptState || int(w.Protocol) < len(tupleNumbers) && tupleNumbers[w.Protocol].read != nil
	}
	switch w.Option {
	case OptSrc, OptDst, OptReplySrc, OptReplyDst, OptSrcNAT, OptDstNAT, OptAnyNAT, OptHost, OptPort, OptProtoNum,
		OptMark, OptID, OptSecMark, OptZone, OptOrigZone, OptReplyZone:
		return true
	}
	return false
}
