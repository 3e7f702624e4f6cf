package format

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// HostNames finds the names of addresses for tables. A table asks for names while it
// takes rows, and waits for them before it draws these.
type HostNames interface {
	// Want asks for the name of an address. It does not block.
	Want(netip.Addr)
	// Wait waits for the names that were asked for, within limits of its own.
	Wait()
	// Name returns the name of an address, "" if it is not known. It comes from
	// outside: it may have any bytes.
	Name(netip.Addr) string
}

// wantNames asks for the names of the addresses that a field shows.
func (p *Printer) wantNames(d *Field, f *ctnetlink.Flow) {
	switch names := p.o.HostNames; {
	case names == nil:
	case d.member == memberSource && d.side == sideOrig:
		names.Want(f.Orig().Src)
	case d.member == memberDestination && d.side == sideOrig:
		names.Want(f.Orig().Dst)
	case d.Kind == KindAddr:
		if a, ok := d.Addr(f); ok {
			names.Want(a)
		}
	}
}

// hasHosts reports whether names take the place of addresses in the field's cells.
func (d *Field) hasHosts() bool {
	return d.Kind == KindAddr || d.member == memberSource || d.member == memberDestination
}

// hostCell returns a cell with the name in place of the address, if the name is
// known. What follows the address, its port, stays.
func hostCell(names HostNames, cell string) string {
	host, rest := cell, ""
	if inner, after, ok := strings.Cut(cell, "]"); ok && strings.HasPrefix(cell, "[") {
		host, rest = inner[1:], after
	} else if strings.Count(cell, ":") == 1 {
		i := strings.IndexByte(cell, ':')
		host, rest = cell[:i], cell[i:]
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return cell
	}
	name := names.Name(a)
	if name == "" {
		return cell
	}
	return string(printable.Append(nil, name)) + rest
}

// serviceCell appends what a field shows with the name of the service in place of the
// port. ok is false if that has no name, or the field shows no port.
func (p *Printer) serviceCell(cell []byte, d *Field, f *ctnetlink.Flow) (_ []byte, ok bool) {
	if p.o.ServiceName == nil || d.side != sideOrig && d.side != sideReply {
		return cell, false
	}
	t := f.Orig()
	if d.side == sideReply {
		t = f.Reply()
	}
	member, addr := d.member, netip.Addr{}
	switch d.member {
	case memberSource:
		member, addr = memberSPort, t.Src
	case memberDestination:
		member, addr = memberDPort, t.Dst
	case memberSPort, memberDPort:
	default:
		return cell, false
	}
	port, ok := member.number(t)
	if !ok {
		return cell, false
	}
	name := p.o.ServiceName(t.Proto, uint16(port))
	if name == "" {
		return cell, false
	}
	if addr.IsValid() {
		if addr.Is4() {
			cell = appendAddr(cell, addr, 0)
		} else {
			cell = append(appendAddr(append(cell, '['), addr, 0), ']')
		}
		cell = append(cell, ':')
	}
	return printable.Append(cell, name), true
}

// findNames asks for the names of the addresses of groups, and waits for them.
func (w *Summary) findNames(groups iter.Seq[*stats.Group]) {
	if w.o.HostNames == nil {
		return
	}
	for g := range groups {
		for i := range g.Values {
			if v := &g.Values[i]; v.Kind == stats.Addr {
				w.o.HostNames.Want(v.Addr)
			}
		}
	}
	w.o.HostNames.Wait()
}

// named returns the name that a summary's table shows in place of a value, "" if
// there is none.
func (w *Summary) named(i int, g *stats.Group) string {
	v := &g.Values[i]
	switch {
	case v.Kind == stats.Addr && w.o.HostNames != nil:
		return string(printable.Append(nil, w.o.HostNames.Name(v.Addr)))
	case v.Kind == stats.Number && w.o.ServiceName != nil && strings.HasSuffix(w.names[i], "port"):
		return string(printable.Append(nil, w.o.ServiceName(w.protocol(g), uint16(v.Number))))
	}
	return ""
}

// protocol returns the protocol of a group's ports, 0 if it is not among the keys.
func (w *Summary) protocol(g *stats.Group) ctnetlink.Protocol {
	for i, name := range w.names[:len(w.keys)] {
		switch v := &g.Values[i]; {
		case name == "protonum" && v.Kind == stats.Number:
			return ctnetlink.Protocol(v.Number)
		case name == "proto" && v.Kind == stats.Text:
			for _, proto := range []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoSCTP,
				ctnetlink.ProtoDCCP, ctnetlink.ProtoUDPLite} {
				if proto.Name() == string(v.Text) {
					return proto
				}
			}
		}
	}
	return 0
}
