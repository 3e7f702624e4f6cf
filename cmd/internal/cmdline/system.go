package cmdline

import (
	"bufio"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The names of protocols and services that the system knows.

// systemProtocol looks a name or alias up in /etc/protocols (protocols(5)).
func systemProtocol(name string) (ctnetlink.Protocol, bool) {
	for fields := range SystemProtocols() {
		for i, f := range fields {
			if i != 1 && f == name {
				n, ok := parseUint(fields[1], 255)
				return ctnetlink.Protocol(n), ok
			}
		}
	}
	return 0, false
}

// SystemProtocols returns an iterator over the lines of /etc/protocols
// (protocols(5)), each as its fields: the name, the number, and aliases.
func SystemProtocols() iter.Seq[[]string] { return systemTable("/etc/protocols") }

// Service is a line of /etc/services (services(5)).
type Service struct {
	Name     string
	Port     uint16
	Protocol string // its name: tcp, udp
	Aliases  []string
}

// Services returns an iterator over the lines of /etc/services. Lines without a
// port are left out.
func Services() iter.Seq[Service] {
	return func(yield func(Service) bool) {
		for fields := range systemTable("/etc/services") {
			number, proto, _ := strings.Cut(fields[1], "/")
			port, ok := decimal(number)
			if !ok || port > math.MaxUint16 {
				continue
			}
			if !yield(Service{fields[0], uint16(port), proto, fields[2:]}) {
				return
			}
		}
	}
}

// systemTable returns an iterator over the lines of a file, each as its fields.
// Comments and lines of less than two fields are left out.
func systemTable(path string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		file, err := console.Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			line, _, _ := strings.Cut(lines.Text(), "#")
			if fields := strings.Fields(line); len(fields) > 1 && !yield(fields) {
				return
			}
		}
	}
}

// servicePorts returns the ports of a service by its name or alias, in any case: with
// one of the protocols if it has one there, otherwise with any.
func servicePorts(name string, protocols []*Protocol) (ports []uint16) {
	var others []uint16
	for s := range Services() {
		if !strings.EqualFold(s.Name, name) &&
			!slices.ContainsFunc(s.Aliases, func(alias string) bool { return strings.EqualFold(alias, name) }) {
			continue
		}
		others = append(others, s.Port)
		if slices.ContainsFunc(protocols, func(p *Protocol) bool { return p.Name == s.Protocol }) {
			ports = append(ports, s.Port)
		}
	}
	if ports == nil {
		ports = others
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
