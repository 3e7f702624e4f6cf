package config

import (
	"bufio"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The section Filter.

var filterClauses = clauses{
	"Protocol": (*parser).filterProtocol,
	"Address":  (*parser).filterAddress,
	"State":    (*parser).filterState,
}

// filter reads Filter [From Userspace|Kernelspace] { … }.
func (p *parser) filter(token) bool {
	kernel := false
	if p.accept("From") {
		switch {
		case p.accept("Userspace"):
		case p.accept("Kernelspace"):
			kernel = true
		default:
			return p.syntax()
		}
	}
	if !p.block(filterClauses) {
		return false
	}
	p.config.KernelFilter = kernel
	return true
}

// list takes Accept or Ignore and reads the list in braces, each item by read.
func list[T any](p *parser, l **List[T], read func(*List[T]) bool) bool {
	ignore := p.accept("Ignore")
	if !ignore && !p.accept("Accept") {
		return p.syntax()
	}
	if !p.brace() {
		return false
	}
	if *l == nil {
		*l = &List[T]{}
	}
	for !p.accept("}") {
		if !read(*l) {
			return false
		}
	}
	(*l).Ignore = ignore
	return true
}

// filterProtocol reads names of protocols.
func (p *parser) filterProtocol(token) bool {
	return list(p, &p.config.Filter.Protocols, func(l *List[ctnetlink.Protocol]) bool {
		t := p.peek()
		if t.kind != word && !t.is("TCP") && !t.is("UDP") {
			return p.syntax()
		}
		p.take()
		n, ok := protocol(t.text)
		if !ok {
			p.warn(t.line, "getprotobyname() cannot find protocol `%s' in /etc/protocols", t.text)
		} else if !slices.Contains(l.Items, n) {
			l.Items = append(l.Items, n)
		}
		return true
	})
}

// protocol looks a name or alias up in /etc/protocols (protocols(5)).
func protocol(name string) (ctnetlink.Protocol, bool) {
	f, err := os.Open("/etc/protocols")
	if err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			line, _, _ := strings.Cut(s.Text(), "#")
			fields := strings.Fields(line)
			if len(fields) > 1 && (fields[0] == name || slices.Contains(fields[2:], name)) {
				n, err := strconv.ParseUint(fields[1], 10, 8)
				return ctnetlink.Protocol(n), err == nil
			}
		}
		return 0, false
	}
	// A system without the file: what has a tracker.
	n, ok := trackers[strings.ToLower(name)]
	return n, ok
}

// trackers are the protocols that connection tracking has a tracker for.
var trackers = map[string]ctnetlink.Protocol{
	"icmp": ctnetlink.ProtoICMP, "tcp": ctnetlink.ProtoTCP, "udp": ctnetlink.ProtoUDP,
	"dccp": ctnetlink.ProtoDCCP, "gre": ctnetlink.ProtoGRE, "ipv6-icmp": ctnetlink.ProtoICMPv6,
	"sctp": ctnetlink.ProtoSCTP, "udplite": ctnetlink.ProtoUDPLite,
}

// filterAddress reads addresses and networks.
func (p *parser) filterAddress(token) bool {
	return list(p, &p.config.Filter.Addresses, func(l *List[netip.Prefix]) bool {
		family := 4
		switch {
		case p.accept("IPv4_address"):
		case p.accept("IPv6_address"):
			family = 6
		default:
			return p.syntax()
		}
		t, ok := p.expect(address)
		if ok {
			p.network(l, t, family)
		}
		return ok
	})
}

// network adds an address or network to l.
func (p *parser) network(l *List[netip.Prefix], t token, family int) {
	text, bits, masked := strings.Cut(t.text, "/")
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is4() != (family == 4) {
		p.warn(t.line, "%s is not a valid IPv%d, ignoring", text, family)
		return
	}
	n := a.BitLen()
	if masked {
		if n, err = strconv.Atoi(bits); err != nil || n > a.BitLen() {
			p.warn(t.line, "%s is not a valid network, ignoring", t.text)
			return
		}
	}
	// Not masked: the message names what was written.
	prefix := netip.PrefixFrom(a, n)
	switch {
	case !slices.Contains(l.Items, prefix):
		l.Items = append(l.Items, prefix)
	case family == 4 && n < a.BitLen():
		p.warn(t.line, "netmask %s is repeated in the ignore pool", text)
	}
}

// tcpStates are the states of TCP by name. LISTEN has the number of what the kernel calls
// SYN_SENT2 today.
var tcpStates = map[string]ctnetlink.State{
	"SYN_SENT": ctnetlink.TCPSynSent, "SYN_RECV": ctnetlink.TCPSynRecv, "ESTABLISHED": ctnetlink.TCPEstablished,
	"FIN_WAIT": ctnetlink.TCPFinWait, "CLOSE_WAIT": ctnetlink.TCPCloseWait, "LAST_ACK": ctnetlink.TCPLastAck,
	"TIME_WAIT": ctnetlink.TCPTimeWait, "CLOSE": ctnetlink.TCPClose, "CLOSED": ctnetlink.TCPClose,
	"LISTEN": ctnetlink.TCPSynSent2,
}

// filterState reads lists of states, each ended by `for TCP'.
func (p *parser) filterState(token) bool {
	return list(p, &p.config.Filter.States, func(l *List[ctnetlink.State]) bool {
		for {
			t := p.peek()
			s, ok := tcpStates[t.text]
			if !ok || t.kind != keyword {
				break
			}
			p.take()
			if !slices.Contains(l.Items, s) {
				l.Items = append(l.Items, s)
			}
		}
		return (p.accept("for") || p.syntax()) && (p.accept("TCP") || p.syntax())
	})
}
