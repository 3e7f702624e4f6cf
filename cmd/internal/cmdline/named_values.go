package cmdline

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// The classic command reads the beginning of a number and drops what follows. In the
// grammar with names every value is checked: it is read here and handed on in a form
// that the classic command reads in full. So the two grammars differ in what they
// accept, not in what they do.

// namedOption takes an option of a command that was given by name. Its error names
// the option and the value.
func (p *parser) namedOption(o Occurrence) error {
	if o.ignored { // a negation, which only the classic command passes over
		o.ignored, o.HasValue = false, true
	}
	typed := o
	if o.Word.Argument == NoArgument && o.Word.isFamily() {
		o.Value, o.HasValue = o.Word.Long, true // -4, -6
	}
	var err error
	if o.HasValue {
		o.Value, err = p.namedValue(o.Word, o.Value)
	}
	if err == nil {
		err = p.once(o, typed)
	}
	if err == nil {
		err = p.take(o)
	}
	return namingOption(typed, err)
}

// namingOption returns an error of an option's value as a UsageError that names both.
func namingOption(o Occurrence, err error) error {
	if err == nil {
		return nil
	}
	if text := err.Error(); !strings.Contains(text, "--"+o.Word.Long) && o.HasValue {
		return wrongList(o.Word.Long, o.Value, err)
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		return err
	}
	return Usagef("%s", err)
}

// isFamily reports whether the word is -f, -4 or -6.
func (w *Word) isFamily() bool {
	return w.Protocol == 0 && w.Command == CmdNone && w.Option == OptFamily
}

// namedValue checks a value and returns it as the classic command reads it. An error
// does not name the option.
func (p *parser) namedValue(w *Word, value string) (string, error) {
	if w.Protocol != 0 {
		return p.namedProtoValue(w, value)
	}
	lists := takesLists(p.req, w.Option, 0)
	switch o := w.Option; o {
	case OptSrc, OptDst, OptReplySrc, OptReplyDst, OptTupleSrc, OptTupleDst, OptHost:
		return p.namedAddress(o, value, lists || o == OptHost)
	case OptMaskSrc, OptMaskDst:
		a, ok := strictAddr(value)
		if !ok {
			return "", listError("an address is required, as in 255.255.255.0")
		}
		return a.String(), nil
	case OptSrcNAT, OptDstNAT, OptAnyNAT:
		return p.namedNAT(value, lists)
	case OptProtoNum:
		return p.namedProtocols(value, lists)
	case OptFamily:
		return namedFamily(value)
	case OptTimeout:
		return namedTimeout(value)
	case OptMark:
		value = strings.ReplaceAll(value, ":", "-")
		if lists {
			_, _, err := parseMarks(value)
			return value, err
		}
		number, mask, masked := strings.Cut(value, "/")
		if !isNumber(number, math.MaxUint32) || masked && !isNumber(mask, math.MaxUint32) {
			return "", listError("a number up to 0xffffffff is required, with an optional mask as in 0x1/0xff")
		}
		return value, nil
	case OptID, OptSecMark, OptZone, OptOrigZone, OptReplyZone:
		i := slices.IndexFunc(plainNumbers[:], func(n plainNumber) bool { return n.option == o })
		return namedNumbers(value, prefixed, plainNumbers[i].maximum, lists)
	case OptStatus:
		return namedNames(value, statusNames(), true)
	case OptEventMask:
		return namedNames(value, namesOf(EventNames), false)
	case OptOutput:
		return namedOutput(value)
	case OptBufferSize:
		n, ok := parseSize(value)
		if !ok || n > math.MaxInt32 {
			return "", listError("a number of bytes is required, with an optional suffix K, M or G (powers of 1024)")
		}
		return strconv.FormatUint(n, 10), nil
	}
	return value, nil
}

// namedProtoValue is namedValue for an option of a protocol.
func (p *parser) namedProtoValue(w *Word, value string) (string, error) {
	lists := takesLists(p.req, 0, w.Protocol)
	switch o := w.Protocol; o {
	case ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort,
		ProtoOptTupleSrcPort, ProtoOptTupleDstPort:
		return p.namedPorts(value, lists && int(o) < len(tupleNumbers) && tupleNumbers[o].read != nil)
	case ProtoOptSrcKey, ProtoOptDstKey, ProtoOptReplySrcKey, ProtoOptReplyDstKey:
		return namedNumbers(value, prefixed, math.MaxUint16, lists)
	case ProtoOptTupleSrcKey, ProtoOptTupleDstKey, ProtoOptMaskSrcKey, ProtoOptMaskDstKey:
		return namedNumbers(value, prefixed, math.MaxUint16, false)
	case ProtoOptMaskSrcPort, ProtoOptMaskDstPort:
		n, ok := prefixed(value)
		if !ok || n > math.MaxUint16 {
			return "", listError("a mask from 0 to 0xffff is required")
		}
		return strconv.FormatUint(n, 10), nil
	case ProtoOptOrigVTag, ProtoOptReplyVTag:
		n, ok := prefixed(value)
		if !ok || n > math.MaxUint32 {
			return "", listError("a number up to 0xffffffff is required")
		}
		return strconv.FormatUint(n, 10), nil
	case ProtoOptICMPType:
		return namedICMPTypes(ctnetlink.ProtoICMP, value, lists)
	case ProtoOptICMPv6Type:
		return namedICMPTypes(ctnetlink.ProtoICMPv6, value, lists)
	case ProtoOptICMPCode, ProtoOptICMPv6Code:
		return namedNumbers(value, decimal, math.MaxUint8, lists)
	case ProtoOptICMPID, ProtoOptICMPv6ID:
		return namedNumbers(value, prefixed, math.MaxUint16, lists)
	case ProtoOptState:
		return namedStates(p.stateProtocol(), value, lists)
	}
	return value, nil
}

// namedStates reads a state, or a list of states, in any case.
func namedStates(proto *Protocol, value string, lists bool) (string, error) {
	negated, err := elements(value, func(name string) error {
		var known []string
		for _, member := range proto.each() {
			if _, ok := stateByName(member.Number, strings.ToUpper(name)); ok {
				return nil
			}
			known = append(known, member.Number.StateNames()...)
		}
		return listErrorf(name, "is no state: one of "+strings.Join(known, ", ")+" is required")
	})
	if err == nil && !lists && (negated || strings.Contains(value, ",")) {
		err = errOne
	}
	return strings.ToUpper(value), err
}

// isNumber reports whether a whole word is a number up to maximum, base by prefix.
func isNumber(s string, maximum uint64) bool {
	n, ok := prefixed(s)
	return ok && n <= maximum
}

// errOne refuses a list where one value is meant.
const errOne = listError("this command takes one value, no list")

// namedNumbers reads a number, or a list of numbers and ranges.
func namedNumbers(value string, read readNumber, maximum uint64, lists bool) (string, error) {
	n, ok := read(value)
	switch {
	case ok && n <= maximum:
		return strconv.FormatUint(n, 10), nil
	case ok:
		return "", listErrorf(value, "is more than "+strconv.FormatUint(maximum, 10))
	case !lists && isList(value):
		return "", errOne
	}
	value = strings.ReplaceAll(value, ":", "-")
	set, err := parseSet(value, read, maximum)
	if err != nil {
		return "", err
	}
	return portList(set), nil
}

// namedPorts reads a port, or a list of ports.
func (p *parser) namedPorts(value string, lists bool) (string, error) {
	var protocols []*Protocol
	if p.req.proto != nil {
		protocols = p.req.proto.each()
	}
	var ranges []filter.Range
	negated, err := elements(value, func(element string) error {
		r, err := parsePorts(element, protocols)
		ranges = append(ranges, r...)
		return err
	})
	one := len(ranges) == 1 && ranges[0].Min == ranges[0].Max && !negated
	switch {
	case err != nil:
		return "", err
	case one:
		return portList(ranges), nil
	case !lists && !isList(value) && !strings.Contains(value, ":"):
		return "", listError("the service has several ports: " + portList(ranges))
	case !lists:
		return "", errOne
	}
	set := filter.NewSet(ranges...)
	if negated {
		set = set.Complement(math.MaxUint16)
	}
	if len(set) == 0 {
		return "", errNothing
	}
	return portList(set), nil
}

// namedProtocols reads the value of -p.
func (p *parser) namedProtocols(value string, lists bool) (string, error) {
	negated, err := elements(value, func(element string) error {
		if digit(element[0]) <= 9 {
			_, err := parseRange(element, prefixed, math.MaxUint8)
			return err
		}
		if _, ok := ProtocolByName(element); !ok || digit(element[0]) > 35 {
			what := "is neither the name of a protocol nor a number"
			if meant := Nearest(element, protocolNames()); meant != "" {
				what += "; did you mean `" + meant + "'?"
			}
			return listErrorf(element, what)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case !lists && (negated || strings.Contains(value, ",") || value[0] <= '9' && isList(value)):
		return "", errOne
	}
	return value, nil
}

// namedFamily reads the value of -f.
func namedFamily(value string) (string, error) {
	switch strings.ToLower(value) {
	case "ipv4", "inet", "4":
		return "ipv4", nil
	case "ipv6", "inet6", "6":
		return "ipv6", nil
	}
	return "", listError("ipv4 or ipv6 is required")
}

// namedTimeout reads the value of -t: seconds, or a duration as of --older.
func namedTimeout(value string) (string, error) {
	const required = listError("a duration of less than 2^32 seconds is required: seconds, or a form such as 90s, 5m, 1h30m, 2d")
	if value == "0" {
		return value, nil
	}
	d, ok := parseDuration(value)
	if !ok || d.Seconds() > math.MaxUint32 {
		return "", required
	}
	return strconv.FormatInt(int64(d.Seconds()), 10), nil
}

// namedICMPTypes reads types by number or by name.
func namedICMPTypes(proto ctnetlink.Protocol, value string, lists bool) (string, error) {
	names := map[string]string{}
	var known []string
	for _, line := range format.ICMPTypes(proto) {
		number, name, _ := strings.Cut(line, "\t")
		name, _, _ = strings.Cut(name, " (")
		name = strings.ReplaceAll(name, " ", "-")
		names[name] = number
		known = append(known, name)
	}
	var list []string
	negated, err := elements(value, func(element string) error {
		if number, ok := names[strings.ToLower(element)]; ok {
			element = number
		} else if digit(element[0]) > 9 {
			return listErrorf(element, "is no type: a number is required, or one of "+strings.Join(known, ", "))
		}
		list = append(list, element)
		return nil
	})
	if err != nil {
		return "", err
	}
	numbers := strings.Join(list, ",")
	if negated {
		numbers = "!" + numbers
	}
	return namedNumbers(numbers, decimal, math.MaxUint8, lists)
}
