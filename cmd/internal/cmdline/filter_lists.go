package cmdline

import (
	"cmp"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// criteria returns the request's criteria, to be changed.
func (r *Request) criteria() *filter.Filter {
	if r.more == nil {
		r.more = new(filter.Filter)
	}
	return r.more
}

// wrongList is the refusal of a list where the classic command accepts
// anything.
func wrongList(name, value string, err error) error {
	return Usagef("Invalid value `%s' of --%s: %s", value, name, err)
}

// markList reads a list of -m.
func (p *parser) markList(value string) error {
	refused := unexpected(value, 'm')
	marks, negated, err := parseMarks(value)
	if err != nil {
		return refused
	}
	p.lists.set(deferredValue{option: OptMark, refused: refused, apply: func(r *Request) error {
		c := r.criteria()
		c.Marks, c.NotMarks = marks, negated
		return nil
	}})
	return nil
}

// plainNumber is an option whose value is one number.
type plainNumber struct {
	option  Option
	letter  byte // by which the classic command refuses it
	maximum uint64
	set     func(r *Request, n uint32)
	apply   func(r *Request, s filter.Set)
}

var plainNumbers = [...]plainNumber{
	{OptID, 'i', math.MaxUint32, func(r *Request, n uint32) { r.ID = n },
		func(r *Request, s filter.Set) { r.criteria().ID = s }},
	{OptSecMark, 'c', math.MaxUint32, func(r *Request, n uint32) { r.SecMark = n },
		func(r *Request, s filter.Set) { r.criteria().SecMark = s }},
	{OptZone, 'w', math.MaxUint16, func(r *Request, n uint32) { r.Zone = uint16(n) },
		func(r *Request, s filter.Set) { r.criteria().Zone = s }},
	{OptOrigZone, '(', math.MaxUint16,
		func(r *Request, n uint32) { r.Orig.Zone, r.Orig.Has = uint16(n), r.Orig.Has|ctnetlink.FieldZone },
		func(r *Request, s filter.Set) { inSet(r, false, ctnetlink.FieldZone, s) }},
	{OptReplyZone, ')', math.MaxUint16,
		func(r *Request, n uint32) { r.Reply.Zone, r.Reply.Has = uint16(n), r.Reply.Has|ctnetlink.FieldZone },
		func(r *Request, s filter.Set) { inSet(r, true, ctnetlink.FieldZone, s) }},
}

// number reads a number, or for commands that choose entries a list of them.
func (p *parser) number(o Option, value string) error {
	i := slices.IndexFunc(plainNumbers[:], func(n plainNumber) bool { return n.option == o })
	how := &plainNumbers[i]
	if n, ok := parseUint(value, how.maximum); ok {
		p.lists.unset(o, 0)
		how.set(p.req, uint32(n))
		return nil
	}
	refused := unexpected(value, how.letter)
	set, err := parseSet(value, prefixed, how.maximum)
	if err != nil {
		return refused
	}
	p.lists.set(deferredValue{option: o, refused: refused, apply: func(r *Request) error {
		how.apply(r, set)
		return nil
	}})
	return nil
}

// replyAddress reads an address of the reply direction, which may have a
// length where entries are chosen.
func (p *parser) replyAddress(o Option, value string, field ctnetlink.Fields, mask *netip.Addr) error {
	if strings.HasPrefix(value, "!") {
		return p.addressList(o, value)
	}
	a, length, hasLength, err := parsePrefix(value)
	if isAddrList(value) {
		if err == nil && hasLength {
			if _, err = parseLength(length, a.BitLen()); err != nil {
				err = noCIDR(o)
			}
		}
		if err != nil {
			return p.addressSet(o, value, err)
		}
	}
	p.lists.unset(o, 0)
	*mask = netip.Addr{}
	if err != nil {
		return err
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return err
	}
	setAddr(&p.req.Reply, field, a)
	if !hasLength {
		return nil
	}
	bits, err := parseLength(length, a.BitLen())
	if err != nil {
		return noCIDR(o)
	}
	p.lists.set(deferredValue{option: o, refused: noCIDR(o), apply: func(*Request) error {
		if bits < a.BitLen() {
			*mask = maskOf(a, bits)
		}
		return nil
	}})
	return nil
}

// tupleNumbers are the protocols' options that are numbers of a tuple.
var tupleNumbers = [...]struct {
	reply   bool
	field   ctnetlink.Fields
	read    readNumber
	maximum uint64
}{
	ProtoOptSrcPort:      {false, ctnetlink.FieldSrcPort, decimal, math.MaxUint16},
	ProtoOptDstPort:      {false, ctnetlink.FieldDstPort, decimal, math.MaxUint16},
	ProtoOptReplySrcPort: {true, ctnetlink.FieldSrcPort, decimal, math.MaxUint16},
	ProtoOptReplyDstPort: {true, ctnetlink.FieldDstPort, decimal, math.MaxUint16},
	ProtoOptSrcKey:       {false, ctnetlink.FieldSrcPort, prefixed, math.MaxUint16},
	ProtoOptDstKey:       {false, ctnetlink.FieldDstPort, prefixed, math.MaxUint16},
	ProtoOptReplySrcKey:  {true, ctnetlink.FieldSrcPort, prefixed, math.MaxUint16},
	ProtoOptReplyDstKey:  {true, ctnetlink.FieldDstPort, prefixed, math.MaxUint16},
	ProtoOptICMPType:     {false, ctnetlink.FieldICMPType, decimal, math.MaxUint8},
	ProtoOptICMPCode:     {false, ctnetlink.FieldICMPCode, decimal, math.MaxUint8},
	ProtoOptICMPID:       {false, ctnetlink.FieldICMPID, decimal, math.MaxUint16},
	ProtoOptICMPv6Type:   {false, ctnetlink.FieldICMPType, decimal, math.MaxUint8},
	ProtoOptICMPv6Code:   {false, ctnetlink.FieldICMPCode, decimal, math.MaxUint8},
	ProtoOptICMPv6ID:     {false, ctnetlink.FieldICMPID, decimal, math.MaxUint16},
}

// tupleList keeps the list that is the value of a port, a key, or a number of an
// ICMP query. The classic command reads the number in front of it.
func (p *parser) tupleList(o ProtoOption, value string) {
	if int(o) >= len(tupleNumbers) || tupleNumbers[o].read == nil {
		return
	}
	n := &tupleNumbers[o]
	set, err := parseSet(value, n.read, n.maximum)
	if err != nil {
		err = wrongList(ProtoOptionNames[o][0], value, err)
	}
	p.lists.set(deferredValue{protocol: o, wrong: err, apply: func(r *Request) error {
		inSet(r, n.reply, n.field, set)
		return nil
	}})
}

// inSet asks that a number of a tuple be in a set.
func inSet(r *Request, reply bool, field ctnetlink.Fields, set filter.Set) {
	w, t := &r.criteria().Orig, &r.Orig
	if reply {
		w, t = &r.criteria().Reply, &r.Reply
	}
	*t = t.Only(t.Has &^ field)
	w.SetNumber(field, set)
}

// addressList reads !IP[/LEN], or a list of addresses with a ! in front.
func (p *parser) addressList(o Option, value string) error {
	refused := Usagef("Invalid IP address `%s'", value)
	if isAddrList(value) {
		return p.addressSet(o, value, refused)
	}
	a, length, hasLength, err := parsePrefix(value[1:])
	if err != nil {
		return refused
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return err
	}
	not := filter.Address{Addr: a, Not: true}
	field := addressField(o)
	if hasLength {
		bits, err := parseLength(length, a.BitLen())
		if err != nil || bits == 0 { // nothing is outside the network of all
			return refused
		}
		not.Mask = maskOf(a, bits)
	}
	p.dropLength(o)
	p.lists.set(deferredValue{option: o, refused: refused, apply: func(r *Request) error {
		w, t := &r.criteria().Orig, &r.Orig
		if o == OptReplySrc || o == OptReplyDst {
			w, t = &r.criteria().Reply, &r.Reply
		}
		*t = t.Only(t.Has &^ field)
		// --mask-src and --mask-dst, which say more, stand beside it.
		switch {
		case o == OptSrc && r.Has(OptMaskSrc):
			not.Mask = r.Mask.Src
		case o == OptDst && r.Has(OptMaskDst):
			not.Mask = r.Mask.Dst
		}
		w.SetAddr(field, not)
		return nil
	}})
	return nil
}

// protocolList reads a list of protocols: names, numbers, ranges of numbers.
func (p *parser) protocolList(value string) error {
	refused := Usagef("`%s' unsupported protocol", value)
	var ranges []filter.Range
	var named []*Protocol
	negated, err := elements(value, func(element string) error {
		if proto, ok := ProtocolByName(element); ok {
			named = append(named, proto)
			ranges = append(ranges, filter.Range{Min: uint32(proto.Number), Max: uint32(proto.Number)})
			return nil
		}
		r, err := parseRange(element, decimal, math.MaxUint8)
		named = append(named, &Protocol{}) // of a range: has no options
		ranges = append(ranges, r)
		return err
	})
	set := filter.NewSet(ranges...)
	if negated {
		set, named = set.Complement(math.MaxUint8), nil
	}
	if err != nil || len(set) == 0 {
		return refused
	}
	proto := &Protocol{Name: value, Options: sharedOptions(named), members: named}
	p.protocols = append(p.protocols, proto)
	p.req.proto = proto
	p.lists.set(deferredValue{option: OptProtoNum, refused: refused, apply: func(r *Request) error {
		inSet(r, false, ctnetlink.FieldProto, set)
		return nil
	}})
	return nil
}

// sharedOptions returns the options that choose entries of each protocol.
func sharedOptions(protocols []*Protocol) (shared []ProtoOption) {
	for _, o := range []ProtoOption{
		ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptState,
	} {
		lacks := func(q *Protocol) bool { return !slices.Contains(q.Options, o) }
		if len(protocols) > 0 && !slices.ContainsFunc(protocols, lacks) {
			shared = append(shared, o)
		}
	}
	return shared
}

// each returns the protocols that -p named: itself, or those of a list.
func (p *Protocol) each() []*Protocol {
	if p.members == nil {
		return []*Protocol{p}
	}
	return p.members
}

// stateList reads a list of states, by the names of a protocol or of several:
// each name must be one of them at least.
func (p *parser) stateList(proto *Protocol, value string, refused error) error {
	sets := make([]filter.StateSet, len(proto.each()))
	for i, q := range proto.each() {
		sets[i].Proto = q.Number
	}
	errUnknown := errors.New("unknown")
	negated, err := elements(value, func(name string) error {
		known := false
		for i := range sets {
			if state, ok := stateByName(sets[i].Proto, name); ok {
				sets[i].States |= 1 << state.Number()
				known = true
			}
		}
		if !known {
			return errUnknown
		}
		return nil
	})
	if err != nil {
		return refused
	}
	for i := range sets {
		if negated {
			sets[i].States = ^sets[i].States
		}
	}
	slices.SortFunc(sets, func(a, b filter.StateSet) int { return cmp.Compare(a.Proto, b.Proto) })
	p.lists.set(deferredValue{protocol: ProtoOptState, refused: refused, apply: func(r *Request) error {
		if r.proto != proto {
			return illegal(ProtoOptionNames[ProtoOptState][0]) // it was another protocol's
		}
		r.Info.State, r.Info.Has = 0, r.Info.Has&^ctnetlink.InfoState
		r.criteria().States = sets
		return nil
	}})
	return nil
}
