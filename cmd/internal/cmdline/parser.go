package cmdline

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// parser turns the options of one command line, in the order they come, into
// a Request. Both grammars use it.
type parser struct {
	req    *Request
	stderr *console.Messages // for warnings
	// protocols are those that -p has named so far: their options are known.
	protocols []*Protocol
	output    uint32 // elements of -o
	lists     deferredValues
	values    []givenValue // which must not come again with another value
	// Names of labels as typed: -l without and with `!', --label-add and
	// --label-del.
	labels, notLabels, labelAdd, labelDel []string
	// lengths are the fields of the mask that came as the length of an address.
	lengths ctnetlink.Fields
}

func newParser(stderr *console.Messages) *parser { return &parser{req: &Request{}, stderr: stderr} }

// ParseClassic reads a command line of the classic grammar. Warnings are written
// to stderr.
func ParseClassic(args []string, stderr *console.Messages) (*Request, error) {
	if at, ok := loadFile(args); ok {
		return parseLoad(args[at+1], slices.Concat(args[:at], args[at+2:]))
	}
	return ParseLine("", args, stderr)
}

// ParseLine reads a line of a file that is loaded into a network namespace, whose
// names of labels count; "" is the current one.
func ParseLine(netns string, args []string, stderr *console.Messages) (*Request, error) {
	p := newParser(stderr)
	p.req.NetNS = netns
	s := &scanner{args: args, handler: p}
	if err := p.lists.finish(p.req, s.scan()); err != nil {
		return nil, err
	}
	if err := validate(p); err != nil {
		return nil, err
	}
	return p.req, nil
}

// ParseNamed reads the options of a command that was given by name, with the name
// of its table, "" for the default. An option of a protocol may come before -p.
func ParseNamed(c Command, table string, given []Occurrence, stderr *console.Messages) (*Request, error) {
	return parseNamed(newParser(stderr), c, table, given)
}

func parseNamed(p *parser, c Command, table string, given []Occurrence) (*Request, error) {
	p.req.ByName = true
	err := p.command(c, table, table != "")
	var r *Request
	if err == nil {
		r, err = p.named(given)
	}
	var failure *Failure
	if errors.As(err, &failure) {
		err = &UsageError{Text: failure.Text}
	}
	return r, err
}

// named takes the options of a command that was taken before, and ends the
// reading.
func (p *parser) named(given []Occurrence) (*Request, error) {
	for _, first := range []bool{true, false} {
		for _, o := range given {
			if (o.Word.Protocol == 0 && o.Word.Option == OptProtoNum) != first {
				continue
			}
			if o.Word.Protocol != 0 && !knows(p.protocols, o.Word.Protocol) {
				return nil, Usagef("--%s needs -p with a protocol that has it", o.Word.Long)
			}
			if err := p.option(o); err != nil {
				return nil, err
			}
		}
	}
	if err := p.lists.finish(p.req, nil); err != nil {
		return nil, err
	}
	if err := validate(p); err != nil {
		return nil, err
	}
	return p.req, nil
}

// knows reports whether one of the protocols has the option.
func knows(protocols []*Protocol, o ProtoOption) bool {
	return slices.ContainsFunc(protocols, func(proto *Protocol) bool { return slices.Contains(proto.Options, o) })
}

func (p *parser) find(long string) *Word { return findLong(long, p.protocols) }

func (p *parser) letter(c byte) *Word { return findShort(c) }

func (p *parser) unknown(word string) error { return Usagef("unknown option `%s'", word) }

// option takes an option, in whatever grammar it came.
func (p *parser) option(o Occurrence) error {
	if p.req.ByName {
		return p.namedOption(o)
	}
	if err := p.once(o, o); err != nil {
		return err
	}
	return p.take(o)
}

// take takes an option whose value was checked as far as its grammar does.
func (p *parser) take(o Occurrence) error {
	switch w := o.Word; {
	case o.ignored:
		return p.natNegation(w.Option, o.Value)
	case w.Command != CmdNone:
		return p.command(w.Command, o.Value, o.HasValue)
	case w.Protocol != 0:
		return p.protoOption(w.Protocol, o.Value)
	default:
		return p.generic(w.Option, o.Value, o.HasValue)
	}
}

// command takes a command and the name of its table.
func (p *parser) command(c Command, table string, hasTable bool) error {
	t := TableConntrack
	if hasTable {
		var err error
		if t, err = TableByName(table); err != nil {
			return err
		}
	}
	switch {
	case (t == TableDying || t == TableUnconfirmed) && c != CmdList:
		return Usagef("Can't do that command with tables `dying' and `unconfirmed'")
	case t == TableExpect && c == CmdUpdate:
		return Usagef("Can't do --update on expectations")
	case t == TableExpect && c == CmdAdd:
		return Usagef("Can't do --add on expectations")
	case p.req.Command != CmdNone:
		return Usagef("Invalid commands combination")
	}
	p.req.Command, p.req.Table = c, t
	return nil
}

// TableByName returns the table that any beginning of its name stands for.
func TableByName(s string) (Table, error) {
	for _, t := range []struct {
		name  string
		table Table
	}{{"expect", TableExpect}, {"conntrack", TableConntrack}, {"dying", TableDying}, {"unconfirmed", TableUnconfirmed}} {
		if strings.HasPrefix(t.name, s) {
			return t.table, nil
		}
	}
	return 0, Usagef("unknown type `%s'", s)
}

// generic takes a generic option; hasValue is false for a flag, and where an
// optional value is missing.
func (p *parser) generic(o Option, value string, hasValue bool) error {
	r := p.req
	if o != OptNATRange {
		r.given.add(o)
	}
	switch o {
	case OptSrc:
		return p.address(o, value, &r.Orig, ctnetlink.FieldSrc, &r.Mask)
	case OptDst:
		return p.address(o, value, &r.Orig, ctnetlink.FieldDst, &r.Mask)
	case OptReplySrc:
		return p.replyAddress(o, value, ctnetlink.FieldSrc, &r.replySrcMask)
	case OptReplyDst:
		return p.replyAddress(o, value, ctnetlink.FieldDst, &r.replyDstMask)
	case OptTupleSrc:
		return p.address(o, value, &r.Expected, ctnetlink.FieldSrc, &r.Mask)
	case OptTupleDst:
		return p.address(o, value, &r.Expected, ctnetlink.FieldDst, &r.Mask)
	case OptMaskSrc:
		return p.address(o, value, &r.Mask, ctnetlink.FieldSrc, nil)
	case OptMaskDst:
		return p.address(o, value, &r.Mask, ctnetlink.FieldDst, nil)
	case OptProtoNum:
		return p.protocol(value)
	case OptFamily:
		return setFamily(r, value)
	case OptTimeout:
		r.Timeout, r.timeoutText = uint32(atol(value)), value
	case OptStatus:
		return parseList(p.stderr, value, StatusNames, true, func(n Name, negated bool) {
			switch {
			case negated:
				r.StatusClear |= ctnetlink.Status(n.bits)
			case n.bits == 0:
				r.statusUnset = true
			default:
				r.StatusSet |= ctnetlink.Status(n.bits)
			}
		})
	case OptEventMask:
		return parseList(p.stderr, value, EventNames, false, func(n Name, _ bool) { r.Groups |= EventMask(n.bits) })
	case OptOutput:
		if err := parseList(p.stderr, value, OutputNames, false, func(n Name, _ bool) { p.output |= n.bits }); err != nil {
			return err
		}
		return p.setOutput()
	case OptMark:
		mark, mask, err := parseMark(value)
		if err != nil {
			return p.markList(value)
		}
		p.lists.unset(o, 0)
		r.Mark, r.MarkMask = mark, mask
	case OptID, OptSecMark, OptZone, OptOrigZone, OptReplyZone:
		return p.number(o, value)
	case OptBufferSize:
		n, rest := strtol(value)
		if rest != "" || value == "" || n < 0 || n > math.MaxInt32 {
			return unexpected(value, 'b')
		}
		r.BufferSize = max(int(n), 1)
	case OptZero:
		r.Zero = true
	case OptSrcNAT, OptDstNAT, OptAnyNAT:
		n := nat(r, o)
		n.Given = true
		if hasValue {
			return p.natOption(o, value, n)
		}
		p.lists.unset(o, 0)
	case OptLabel:
		if names, negated := strings.CutPrefix(value, "!"); negated {
			p.notLabels = append(p.notLabels, strings.Split(names, ",")...)
			break
		}
		p.labels = append(p.labels, strings.Split(value, ",")...)
	case OptLabelAdd:
		p.labelAdd = append(p.labelAdd, strings.Split(value, ",")...)
		return labelConflict(r)
	case OptLabelDel:
		if hasValue {
			p.labelDel = append(p.labelDel, strings.Split(value, ",")...)
		}
		return labelConflict(r)
	case OptLabelMap:
		if r.labelMapPath != "" {
			return Usagef("option `--labelmap' can only be specified once")
		}
		r.labelMapPath = value
	case OptNATRange:
		p.stderr.Printf("WARNING: ignoring -a, deprecated option.\n")
	default:
		return p.extension(o, value)
	}
	return nil
}

func labelConflict(r *Request) error {
	if r.Has(OptLabelAdd) && r.Has(OptLabelDel) {
		return Failuref("cannot use --label-add and --label-del at the same time")
	}
	return nil
}

// address reads an address into one field of a tuple. With a mask tuple a
// length may follow, which counts as the mask option unless it is the whole
// address.
func (p *parser) address(o Option, value string, t *ctnetlink.Tuple, field ctnetlink.Fields,
	mask *ctnetlink.Tuple) error {
	if strings.HasPrefix(value, "!") && (o == OptSrc || o == OptDst) {
		return p.addressList(o, value)
	}
	a, length, hasLength, err := parsePrefix(value)
	bits := 0
	if err == nil && hasLength && mask != nil {
		bits, err = parseLength(length, a.BitLen())
	}
	if err != nil && isAddrList(value) && (o == OptSrc || o == OptDst) {
		return p.addressSet(o, value, err)
	}
	p.lists.unset(o, 0)
	if !a.IsValid() {
		return err
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if hasLength && mask == nil {
		return noCIDR(o)
	}
	setAddr(t, field, a)
	if t == &p.req.Mask {
		p.lengths &^= field
	}
	if !hasLength {
		return nil
	}
	if bits < a.BitLen() {
		setAddr(mask, field, maskOf(a, bits))
		p.lengths |= field
		if field == ctnetlink.FieldSrc {
			p.req.given.add(OptMaskSrc)
		} else {
			p.req.given.add(OptMaskDst)
		}
	}
	return nil
}

// setFamily reads -f, of which only the first four letters count.
func setFamily(r *Request, value string) error {
	switch {
	case strings.HasPrefix(value, "ipv4"):
		return r.fixFamily(ctnetlink.FamilyIPv4)
	case strings.HasPrefix(value, "ipv6"):
		return r.fixFamily(ctnetlink.FamilyIPv6)
	}
	return Usagef("`%s' unsupported protocol", value)
}

// setOutput turns the elements of -o into options of the printer.
func (p *parser) setOutput() error {
	if p.output&outSave != 0 && p.output&^(outSave|outUserspace) != 0 {
		return Failuref("cannot combine save output with any other output type, use -o save only")
	}
	out := &p.req.Output
	switch {
	case p.output&outSave != 0:
		out.Style = format.StyleSave
	case p.output&outXML != 0:
		out.Style = format.StyleXML
	}
	if ext := p.output & outExtensions; ext != 0 {
		if others := p.output & (outExtensions | outXML | outSave); others&(others-1) != 0 {
			return Failuref("cannot combine output forms: use only one of xml, save, json, jsonl, csv, table, netlink and prom")
		}
		out.Style = extensionStyle(ext)
	}
	out.Extended = p.output&outExtended != 0
	out.ID = p.output&outID != 0
	out.Timestamp = p.output&outTimestamp != 0
	out.KTimestamp = p.output&outKTimestamp != 0
	out.Labels = p.output&outLabels != 0
	return nil
}

// setAddr sets the source or the destination of a tuple.
func setAddr(t *ctnetlink.Tuple, field ctnetlink.Fields, a netip.Addr) {
	t.Has |= field
	if field == ctnetlink.FieldSrc {
		t.Src = a
	} else {
		t.Dst = a
	}
}
