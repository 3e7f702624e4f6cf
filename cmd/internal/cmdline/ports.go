package cmdline

import (
	"math"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/filter"
)

// Ports as the commands with names read them: numbers, services of /etc/services, and
// ranges as 80-90 or 80:90.

// parsePorts reads a port, a service, or a range of ports. protocols are those whose
// services count first.
func parsePorts(element string, protocols []*Protocol) ([]filter.Range, error) {
	if n, ok := decimal(element); ok {
		if n > math.MaxUint16 {
			return nil, listErrorf(element, "is more than 65535")
		}
		return []filter.Range{{Min: uint32(n), Max: uint32(n)}}, nil
	}
	if ports := servicePorts(element, protocols); ports != nil {
		ranges := make([]filter.Range, len(ports))
		for i, n := range ports {
			ranges[i] = filter.Range{Min: uint32(n), Max: uint32(n)}
		}
		return ranges, nil
	}
	from, to, ranged := strings.Cut(element, ":")
	if !ranged { // names of services have hyphens too
		from, to, ranged = strings.Cut(element, "-")
		if _, ok := decimal(from); !ok && ranged {
			ranged = false
		}
	}
	if !ranged {
		return nil, listErrorf(element, "is neither a port number nor a service of /etc/services")
	}
	lo, err := parsePorts(from, protocols)
	if err != nil {
		return nil, err
	}
	hi, err := parsePorts(to, protocols)
	switch {
	case err != nil:
		return nil, err
	case len(lo) != 1 || len(hi) != 1 || lo[0].Min != lo[0].Max || hi[0].Min != hi[0].Max:
		return nil, listErrorf(element, "is not a range of two ports")
	case lo[0].Min > hi[0].Min:
		return nil, listErrorf(element, "is a reversed range")
	}
	return []filter.Range{{Min: lo[0].Min, Max: hi[0].Min}}, nil
}

// portSet reads a list of ports.
func portSet(list string, protocols []*Protocol) (filter.Set, error) {
	var ranges []filter.Range
	if _, err := elements(list, func(element string) error {
		r, err := parsePorts(element, protocols)
		ranges = append(ranges, r...)
		return err
	}); err != nil {
		return nil, err
	}
	return filter.NewSet(ranges...), nil
}

// portList returns ranges as a list of numbers.
func portList(ranges []filter.Range) string {
	var list []byte
	for i, r := range ranges {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendUint(list, uint64(r.Min), 10)
		if r.Max != r.Min {
			list = strconv.AppendUint(append(list, '-'), uint64(r.Max), 10)
		}
	}
	return string(list)
}

// splitPasted splits an address with a port, as other programs print it: IP:PORT of
// IPv4, or [IP]:PORT. ok is false for everything else. An address of IPv6 in brackets
// alone has no port.
func splitPasted(s string) (addr, port string, ok bool) {
	if inside, bracketed := strings.CutPrefix(s, "["); bracketed {
		addr, rest, closed := strings.Cut(inside, "]")
		if !closed || !strings.HasPrefix(rest, ":") {
			return "", "", false
		}
		return addr, rest[1:], true
	}
	addr, port, ok = strings.Cut(s, ":")
	if !ok || strings.ContainsAny(port, ":,") || strings.ContainsAny(addr, ",-") {
		return "", "", false
	}
	return addr, port, true
}
