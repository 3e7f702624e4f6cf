package cmdline

import (
	"fmt"
	"math"
)

// misread is a value of which the classic command reads another number, as 80 from
// 80x, 4464 from 70000 and 0 from http.
type misread struct {
	option ProtoOption
	value  string
}

// isKey reports whether an option is a GRE key, or the mask of one.
func isKey(o ProtoOption) bool {
	switch o {
	case ProtoOptSrcKey, ProtoOptDstKey, ProtoOptReplySrcKey, ProtoOptReplyDstKey,
		ProtoOptMaskSrcKey, ProtoOptMaskDstKey, ProtoOptTupleSrcKey, ProtoOptTupleDstKey:
		return true
	}
	return false
}

// misreadMaximum returns the greatest number that an option can have, 0 for an option
// that is not a number.
func misreadMaximum(o ProtoOption) uint64 {
	switch o {
	case ProtoOptICMPType, ProtoOptICMPCode, ProtoOptICMPv6Type, ProtoOptICMPv6Code:
		return math.MaxUint8
	case ProtoOptOrigVTag, ProtoOptReplyVTag:
		return math.MaxUint32
	case ProtoOptState, ProtoOptRole:
		return 0
	}
	return math.MaxUint16
}

// noteMisread keeps a value that is read as another number.
func (p *parser) noteMisread(o ProtoOption, value string) {
	maximum := misreadMaximum(o)
	if p.req.ByName || maximum == 0 {
		return
	}
	read := decimal
	if isKey(o) {
		read = prefixed
	}
	if n, ok := read(value); !ok || n > maximum {
		p.req.misread = append(p.req.misread, misread{o, value})
	}
}

// Misread returns a line for each value that was read as another number than the one
// that it says. Where lists are read, a value with a comma or a range is one.
func (r *Request) Misread() (lines []string) {
	for _, m := range r.misread {
		if isList(m.value) && takesLists(r, 0, m.option) {
			continue
		}
		n := uint64(atol(m.value))
		if isKey(m.option) {
			n, _ = strtoul(m.value, 0)
		}
		lines = append(lines, fmt.Sprintf("--%s `%s' is read as %d",
			ProtoOptionNames[m.option][0], m.value, n&misreadMaximum(m.option)))
	}
	if _, rest := strtol(r.timeoutText); r.Has(OptTimeout) && (rest != "" || r.timeoutText == "") {
		lines = append(lines, fmt.Sprintf("--timeout `%s' is read as %d", r.timeoutText, r.Timeout))
	}
	return lines
}
