package cmdline

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// namedAddress reads an address of a command that was given by name, and returns it
// as the classic command reads it. The port of one that was pasted with its port
// becomes the option for that port.
func (p *parser) namedAddress(o Option, value string, lists bool) (string, error) {
	text, negated := strings.CutPrefix(value, "!")
	if o == OptHost {
		return value, checkHost(text)
	}
	if addr, port, ok := splitPasted(text); ok && !negated {
		if err := p.pastedPort(o, port, lists); err != nil {
			return "", err
		}
		text = addr
	} else if ok {
		return "", listErrorf(value, "excludes an address with a port: exclude only the address or only the port")
	}
	host, _, network := strings.Cut(text, "/")
	a, ok := strictAddr(host)
	switch {
	case negated || isAddrList(text): // below
	case ok && !network:
		return a.String(), nil
	case ok:
		_, err := parseAddrRange(text)
		if err == nil && !lists && p.req.Table != TableExpect {
			err = listError("this command takes one address, no network")
		}
		return strings.Trim(host, "[]") + text[len(host):], err
	}
	_, _, err := parseAddrs(value)
	if err == nil && !lists {
		err = errOne
	}
	return value, err
}

// checkHost checks the value of --host, which may have a port.
func checkHost(text string) error {
	if addr, _, ok := splitPasted(text); ok {
		text = addr
	}
	_, _, err := parseAddrs(text)
	return err
}

// pastedPort takes the port of an address that was pasted with it.
func (p *parser) pastedPort(o Option, port string, lists bool) error {
	option := map[Option]ProtoOption{
		OptSrc: ProtoOptSrcPort, OptDst: ProtoOptDstPort,
		OptReplySrc: ProtoOptReplySrcPort, OptReplyDst: ProtoOptReplyDstPort,
		OptTupleSrc: ProtoOptTupleSrcPort, OptTupleDst: ProtoOptTupleDstPort,
	}[o]
	port, err := p.namedPorts(port, false)
	same := Occurrence{
		Word:  &Word{Long: ProtoOptionNames[option][0], Argument: NeedArgument, Protocol: option},
		Value: port, HasValue: true,
	}
	switch {
	case err != nil:
		return err
	case knows(p.protocols, option):
		return p.namedOption(same)
	case p.req.proto != nil:
		return listError("a port needs -p with a protocol that has ports")
	case !lists:
		return listError("a port needs -p")
	}
	if err := p.once(same, same); err != nil {
		return err
	}
	// Without -p the entries of every protocol with ports are meant.
	n, _ := strconv.ParseUint(port, 10, 16)
	c := p.req.criteria()
	w := &c.Orig
	if o == OptReplySrc || o == OptReplyDst {
		w = &c.Reply
	}
	w.SetNumber(tupleNumbers[option].field, filter.Values(uint32(n)))
	c.Orig.SetNumber(ctnetlink.FieldProto, withPorts())
	return nil
}

// withPorts returns the protocols that have ports.
func withPorts() filter.Set {
	var numbers []uint32
	for _, proto := range Protocols {
		if slices.Contains(proto.Options, ProtoOptSrcPort) {
			numbers = append(numbers, uint32(proto.Number))
		}
	}
	return filter.Values(numbers...)
}

// namedNAT reads the value of -n, -g or -j.
func (p *parser) namedNAT(value string, lists bool) (string, error) {
	text, negated := strings.CutPrefix(value, "!")
	prefix := value[:len(value)-len(text)]
	addr, port, pasted := splitPasted(text)
	if !pasted {
		_, _, err := parseAddrs(value)
		single := !negated && !isAddrList(text) && !strings.Contains(text, "/")
		if err == nil && !lists && !single {
			err = errOne
		}
		return prefix + strings.Trim(text, "[]"), err
	}
	r, err := parseAddrRange(addr)
	if err != nil {
		return "", err
	}
	if port, err = p.namedPorts(port, false); err != nil {
		return "", err
	}
	if !lists && (negated || r.Min != r.Max) {
		return "", errOne
	}
	if r.Min.Is6() {
		addr = "[" + addr + "]"
	}
	return prefix + addr + ":" + port, nil
}
