package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A filterLine is a random filter: options, each with a simple function that says which entries match it.
type filterLine []filterOption

type filterOption struct {
	words []string
	meets func(e flowLine) bool
	// value: with -U the option is the new value, not a filter.
	value bool
}

func (f filterLine) String() string { return fmt.Sprintf("%q", f.words()) }

func (f filterLine) words() (words []string) {
	for _, o := range f {
		words = append(words, o.words...)
	}
	return words
}

// line returns a command line in one of the two grammars.
func (f filterLine) line(r *rand.Rand, classic, named string, more ...string) []string {
	command := classic
	if r.IntN(2) == 0 {
		command = named
	}
	return slices.Concat([]string{command}, f.words(), more)
}

// withoutValues returns the filter without the options that are new values with -U.
func (f filterLine) withoutValues() filterLine {
	return slices.DeleteFunc(slices.Clone(f), func(o filterOption) bool { return o.value })
}

// choose returns the ids of the entries that match every option.
func (f filterLine) choose(table []flowLine) (ids []string) {
	for _, e := range table {
		if !slices.ContainsFunc(f, func(o filterOption) bool { return !o.meets(e) }) {
			ids = append(ids, e.id())
		}
	}
	return ids
}

// filter returns a random filter of one to four parts, made from the values of an entry so that something matches.
func (k *filterBench) filter(table []flowLine) (f filterLine) {
	r := k.r
	e := oneOf(r, table)
	part := func(o filterOption) func() filterLine { return func() filterLine { return filterLine{o} } }
	address := func(reply bool, field string, options ...string) func() filterLine {
		return func() filterLine { return filterLine{k.address(oneOf(r, options), e, reply, field)} }
	}
	parts := []func() filterLine{
		func() filterLine { return k.protocol(e) },
		address(false, "src", "-s", "--src", "--orig-src"), address(false, "dst", "-d", "--dst"),
		address(true, "src", "-r", "--reply-src"), address(true, "dst", "-q", "--reply-dst"),
		func() filterLine { return filterLine{k.host(e)} },
		func() filterLine { return filterLine{k.hostPort(e)} },
		func() filterLine { return filterLine{k.anyPort()} },
		func() filterLine { return filterLine{k.mark()} },
		func() filterLine { return filterLine{k.mark()} },
		func() filterLine {
			list, in := k.numbers([]int64{0, 5, 6, 9}, 65535)
			return filterLine{{words: []string{"-w", list}, meets: func(e flowLine) bool { return in(atoi(e.rest["zone"])) }}}
		},
		func() filterLine {
			list, in := k.numbers([]int64{atoi(e.id()), atoi(oneOf(r, table).id())}, 1<<32-1)
			return filterLine{{words: []string{"-i", list}, meets: func(e flowLine) bool { return in(atoi(e.id())) }}}
		},
		func() filterLine { return filterLine{k.translation(e)} },
		func() filterLine { return filterLine{k.translation(e)} },
		part(filterOption{words: []string{"-f", e.words[0]}, meets: func(o flowLine) bool { return o.v6() == e.v6() }}),
		part(filterOption{words: []string{"--assured"}, meets: func(e flowLine) bool { return e.flag("ASSURED") }}),
		part(filterOption{words: []string{"--unreplied"}, meets: func(e flowLine) bool { return e.flag("UNREPLIED") }}),
		part(filterOption{words: []string{"-u", "SEEN_REPLY,!ASSURED"}, value: true,
			meets: func(e flowLine) bool { return !e.flag("ASSURED") && !e.flag("UNREPLIED") }}),
		part(filterOption{words: []string{"--expires-within", "2000"},
			meets: func(e flowLine) bool { return atoi(e.words[4]) <= 2000 }}),
		part(filterOption{words: []string{"--expires-within", "1d"},
			meets: func(e flowLine) bool { return atoi(e.words[4]) <= 86400 }}),
		part(filterOption{words: []string{"--younger", "1d"},
			meets: func(e flowLine) bool { return e.rest["delta-time"] != "" }}),
	}
	if r.IntN(10) == 0 { // nothing matches
		parts = []func() filterLine{
			part(filterOption{words: []string{"--offloaded"}, meets: func(e flowLine) bool { return e.flag("OFFLOAD") }}),
			part(filterOption{words: []string{"--older", "1d"},
				meets: func(e flowLine) bool { return atoi(e.rest["delta-time"]) > 86400 }}),
			part(filterOption{words: []string{"--min-packets", "1"},
				meets: func(e flowLine) bool { return atoi(e.orig["packets"]) > 0 }}),
		}
	}
	for _, i := range r.Perm(len(parts))[:min(len(parts), oneOf(r, []int{1, 1, 2, 2, 3, 4}))] {
		for _, o := range parts[i]() {
			if !clashes(f, o) {
				f = append(f, o)
			}
		}
	}
	return oneFamily(f, e)
}

// clashes reports whether the filter has the option already: only the last value would count, and two translations
// are refused.
func clashes(f filterLine, o filterOption) bool {
	name := func(o filterOption) string {
		name, _, _ := strings.Cut(o.words[0], "=")
		return name[max(0, len(name)-4):] // src-nat, dst-nat and any-nat are one
	}
	return slices.ContainsFunc(f, func(g filterOption) bool { return name(g) == name(o) })
}

// oneFamily adds the condition that comes with every address: the entry is of its family.
func oneFamily(f filterLine, e flowLine) filterLine {
	for _, o := range f {
		if _, value, ok := strings.Cut(strings.Join(o.words, "="), "="); ok && strings.ContainsAny(value, ".:") {
			return append(f, filterOption{meets: func(o flowLine) bool { return o.v6() == e.v6() }})
		}
	}
	return f
}

func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// numbers returns a list of numbers from a pool, perhaps with ranges, perhaps negated, and its membership function.
func (k *filterBench) numbers(pool []int64, most int64) (list string, in func(int64) bool) {
	r := k.r
	members := map[int64]bool{}
	var elements []string
	for range 1 + r.IntN(3) {
		n := oneOf(r, pool)
		if r.IntN(3) == 0 {
			to := min(n+r.Int64N(100), most)
			for i := n; i <= to; i++ {
				members[i] = true
			}
			elements = append(elements, fmt.Sprintf("%d-%d", n, to))
			continue
		}
		members[n] = true
		elements = append(elements, strconv.FormatInt(n, 10))
	}
	list = strings.Join(elements, ",")
	if r.IntN(4) == 0 {
		return "!" + list, func(n int64) bool { return !members[n] }
	}
	return list, func(n int64) bool { return members[n] }
}

// prefix returns a network around an address or a list of addresses with it, perhaps negated, and its membership
// function.
func (k *filterBench) prefix(address string) (value string, in func(string) bool) {
	value, in = k.network(address)
	for k.r.IntN(3) == 0 {
		more, also := k.network(k.addr(strings.Contains(address, ":")))
		value += "," + more
		before := in
		in = func(s string) bool { return before(s) || also(s) }
	}
	if found := in; k.r.IntN(4) == 0 {
		return "!" + value, func(s string) bool { return !found(s) }
	}
	return value, in
}

// network returns an address, a network around it, or a range that it begins, and its membership function.
func (k *filterBench) network(address string) (value string, in func(string) bool) {
	r := k.r
	a := netip.MustParseAddr(address)
	if r.IntN(4) == 0 {
		last := a
		for range r.IntN(4) {
			last = last.Next()
		}
		return address + "-" + last.String(), func(s string) bool {
			b := netip.MustParseAddr(s)
			return b.Is4() == a.Is4() && a.Compare(b) <= 0 && b.Compare(last) <= 0
		}
	}
	value, bits := address, a.BitLen()
	if r.IntN(2) == 0 {
		bits = 1 + r.IntN(a.BitLen())
		if r.IntN(2) == 0 {
			bits = a.BitLen() - r.IntN(4)
		}
		value += fmt.Sprintf("/%d", bits)
	}
	p := netip.PrefixFrom(a, bits).Masked()
	return value, func(s string) bool { return p.Contains(netip.MustParseAddr(s)) }
}

func (k *filterBench) address(option string, e flowLine, reply bool, field string) filterOption {
	value, in := k.prefix(e.direction(reply)[field])
	return filterOption{words: []string{option, value}, meets: func(o flowLine) bool {
		return o.v6() == e.v6() && in(o.direction(reply)[field])
	}}
}

func (k *filterBench) host(e flowLine) filterOption {
	value, in := k.prefix(e.direction(k.r.IntN(2) == 0)[oneOf(k.r, []string{"src", "dst"})])
	negated := strings.HasPrefix(value, "!")
	return filterOption{words: []string{"--host", value}, meets: func(o flowLine) bool {
		if o.v6() != e.v6() {
			return false
		}
		four := []string{o.orig["src"], o.orig["dst"], o.reply["src"], o.reply["dst"]}
		if negated {
			return !slices.ContainsFunc(four, func(s string) bool { return !in(s) })
		}
		return slices.ContainsFunc(four, in)
	}}
}

// hostPort returns --host with an address and its port.
func (k *filterBench) hostPort(e flowLine) filterOption {
	way, end, port := e.direction(k.r.IntN(2) == 0), "src", "sport"
	if k.r.IntN(2) == 0 {
		end, port = "dst", "dport"
	}
	host, number := way[end], way[port]
	if number == "" || k.r.IntN(6) == 0 {
		number = "443"
	}
	value := host + ":" + number
	if e.v6() {
		value = "[" + host + "]:" + number
	}
	negated := k.r.IntN(4) == 0
	if negated {
		value = "!" + value
	}
	return filterOption{words: []string{"--host", value}, meets: func(o flowLine) bool {
		found := false
		for _, way := range []map[string]string{o.orig, o.reply} {
			found = found || way["src"] == host && way["sport"] == number || way["dst"] == host && way["dport"] == number
		}
		return o.v6() == e.v6() && o.orig["sport"] != "" && found != negated
	}}
}

func (k *filterBench) anyPort() filterOption {
	value, in := k.numbers(filterPorts, 65535)
	negated := strings.HasPrefix(value, "!")
	return filterOption{words: []string{"--port", value}, meets: func(o flowLine) bool {
		if o.orig["sport"] == "" {
			return false
		}
		four := []string{o.orig["sport"], o.orig["dport"], o.reply["sport"], o.reply["dport"]}
		if negated {
			return !slices.ContainsFunc(four, func(s string) bool { return !in(atoi(s)) })
		}
		return slices.ContainsFunc(four, func(s string) bool { return in(atoi(s)) })
	}}
}

func (k *filterBench) mark() filterOption {
	r := k.r
	var elements []string
	var meets []func(uint32) bool
	for range 1 + r.IntN(3) {
		n, mask := oneOf(r, filterMarks), oneOf(r, []uint32{0xff, 0xfffffff0, 0xffffffff})
		n &= mask
		to := n
		element := fmt.Sprintf("%#x", n)
		if r.IntN(3) == 0 && n < 0xf0 {
			to = (n + r.Uint32N(15)) & mask
			to = max(to, n)
			element += fmt.Sprintf("-%d", to)
		}
		if mask != 0xffffffff || r.IntN(4) == 0 {
			element += fmt.Sprintf("/%#x", mask)
		}
		elements = append(elements, element)
		meets = append(meets, func(mark uint32) bool { return mark&mask >= n && mark&mask <= to })
	}
	value, negated := strings.Join(elements, ","), r.IntN(4) == 0
	if negated {
		value = "!" + value
	}
	return filterOption{words: []string{"-m", value}, value: true, meets: func(e flowLine) bool {
		mark, _ := strconv.ParseUint(e.rest["mark"], 10, 32)
		return slices.ContainsFunc(meets, func(m func(uint32) bool) bool { return m(uint32(mark)) }) != negated
	}}
}

// protocolNumbers are the numbers after a protocol's name in an extended line.
var protocolNumbers = map[string]string{
	"tcp": "6", "udp": "17", "udplite": "136", "sctp": "132", "icmp": "1", "icmpv6": "58", "gre": "47", "99": "99",
}

// protocol returns -p, perhaps with a list, and options that its protocols have.
func (k *filterBench) protocol(e flowLine) (f filterLine) {
	r := k.r
	var names []string
	for name, number := range protocolNumbers {
		if number == e.proto() {
			names = append(names, name)
		}
	}
	if r.IntN(2) == 0 {
		names = append(names, oneOf(r, []string{"tcp", "udp", "sctp", "udplite", "icmp", "17", "6", "99"}))
	}
	number := func(name string) string {
		if n := protocolNumbers[name]; n != "" {
			return n
		}
		return name
	}
	value, negated := strings.Join(names, ","), r.IntN(8) == 0
	if negated {
		value = "!" + value
	}
	f = append(f, filterOption{words: []string{"-p", value}, meets: func(o flowLine) bool {
		return slices.ContainsFunc(names, func(name string) bool { return number(name) == o.proto() }) != negated
	}})
	if negated {
		return f
	}
	all := func(numbers ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(numbers, number(name)) })
	}
	lists := func(reply bool, field string, pool []int64, most int64, options ...string) {
		if r.IntN(3) != 0 {
			return
		}
		value, in := k.numbers(pool, most)
		f = append(f, filterOption{words: []string{oneOf(r, options), value}, meets: func(o flowLine) bool {
			text := o.direction(reply)[field]
			n, err := strconv.ParseInt(text, 0, 64)
			return err == nil && in(n)
		}})
	}
	switch {
	case all("6", "17", "136", "132"):
		lists(false, "sport", filterPorts, 65535, "--sport", "--orig-port-src")
		lists(false, "dport", filterPorts, 65535, "--dport", "--orig-port-dst")
		lists(true, "sport", filterPorts, 65535, "--reply-port-src")
		lists(true, "dport", filterPorts, 65535, "--reply-port-dst")
		if all("6", "132") && r.IntN(2) == 0 {
			f = append(f, k.state(all("132")))
		}
	case len(names) > 1:
	case all("1"):
		lists(false, "type", []int64{8, 13}, 255, "--icmp-type")
		lists(false, "id", filterPorts, 65535, "--icmp-id")
	case all("58"):
		lists(false, "id", filterPorts, 65535, "--icmpv6-id")
	case all("47"):
		lists(false, "srckey", filterPorts, 65535, "--srckey")
		lists(true, "dstkey", filterPorts, 65535, "--reply-key-dst")
	}
	return f
}

func (k *filterBench) state(sctp bool) filterOption {
	pool := filterStates
	if sctp {
		pool = []string{"CLOSED", "ESTABLISHED", "COOKIE_WAIT"}
	}
	states := []string{oneOf(k.r, pool), oneOf(k.r, pool)}
	value, negated := strings.Join(states, ","), k.r.IntN(4) == 0
	if negated {
		value = "!" + value
	}
	return filterOption{words: []string{"--state", value}, value: true,
		meets: func(e flowLine) bool { return slices.Contains(states, e.words[5]) != negated }}
}

// translation returns -n, -g or -j, perhaps with an address.
func (k *filterBench) translation(e flowLine) filterOption {
	source := func(e flowLine) bool {
		return e.reply["dst"] != e.orig["src"] || e.orig["sport"] != e.reply["dport"] ||
			(e.proto() == "1" || e.proto() == "58") && e.orig["id"] != e.reply["id"]
	}
	destination := func(e flowLine) bool { return e.reply["src"] != e.orig["dst"] || e.orig["dport"] != e.reply["sport"] }
	value, in := "", func(string) bool { return true }
	negated := false
	if k.r.IntN(2) == 0 {
		value, in = k.prefix(e.reply[oneOf(k.r, []string{"src", "dst"})])
		if negated = strings.HasPrefix(value, "!"); negated {
			not := in
			in = func(s string) bool { return !not(s) }
		}
	}
	option, which := "--src-nat", k.r.IntN(3)
	switch which {
	case 1:
		option = "--dst-nat"
	case 2:
		option = "--any-nat"
	}
	if value != "" {
		option += "=" + value
	}
	return filterOption{words: []string{option}, meets: func(o flowLine) bool {
		if value != "" && o.v6() != e.v6() {
			return false
		}
		s, d := source(o) && which != 1, destination(o) && which != 0
		to := s && in(o.reply["dst"]) || d && in(o.reply["src"])
		return (s || d) && to != negated
	}}
}
