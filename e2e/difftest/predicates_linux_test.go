package difftest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Conditions of the exceptions on command lines and outputs.

const operationFailed = "conntrack v1.4.9 (conntrack-tools): Operation failed: "

// crashed reports whether a program was ended by a fault.
func crashed(o observation) bool { return slices.Contains([]int{128 + 11, 128 + 6, 128 + 7}, o.status) }

// extra returns the lines of a that b lacks.
func extra(a, b []string) []string {
	rest := slices.Clone(b)
	var lines []string
	for _, l := range a {
		if i := slices.Index(rest, l); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			lines = append(lines, l)
		}
	}
	return lines
}

// within reports whether every line of a is in b.
func within(a, b []string) bool { return len(extra(a, b)) == 0 }

// every reports whether every line has the text in it.
func every(lines []string, text string) bool {
	return !slices.ContainsFunc(lines, func(l string) bool { return !strings.Contains(l, text) })
}

// without returns the lines less what matches, except its first group.
func without(what *regexp.Regexp, lines []string) []string {
	var out []string
	for _, l := range lines {
		if l = what.ReplaceAllString(l, "$1"); l != "" {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return out
}

// alike reports whether two outputs are the same without what matches.
func alike(ref, our observation, what *regexp.Regexp) bool {
	return slices.Equal(without(what, ref.stdout), without(what, our.stdout))
}

var (
	xmlDefects   = regexp.MustCompile(`^</(?:conntrack|expect)>$|(protoname="(?:sctp|dccp)">.*)<state>[^<]*</state>`)
	shownLabels  = regexp.MustCompile(`() labels=.*$`)
	illegalZone  = regexp.MustCompile("Illegal option `--(?:|orig-|reply-)zone'")
	illegalSaved = regexp.MustCompile("Illegal option `--(?:orig-vtag|reply-vtag|role)'")
	// What the reference takes with one of -L, -D, -U and -E, and not with another.
	illegalCriterion = regexp.MustCompile("Illegal option `--(?:any-nat|secmark|id|status)'")

	savedVtags = regexp.MustCompile(` --orig-vtag \d+ --reply-vtag \d+`)
)

func longest(text string) int {
	n := 0
	for l := range strings.Lines(text) {
		n = max(n, len(l))
	}
	return n
}

// atoi reads a number roughly as C does: 0 if the word is not a number.
func atoi(s string) int {
	m := regexp.MustCompile(`^\s*([+-]?\d{1,18})`).FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// hasCommand reports whether there is a command at all.
func (c *command) hasCommand() bool {
	return slices.ContainsFunc(commands, func(o option) bool { return c.has(o.long) })
}

// hasRubbish reports whether a number is not one, or too large for its option.
func (c *command) hasRubbish() bool {
	for _, o := range []struct {
		name string
		bits int
	}{{"zone", 16}, {"orig-zone", 16}, {"reply-zone", 16}, {"secmark", 32}, {"id", 32}, {"mark", 32}} {
		for _, v := range c.all(o.name) {
			numbers := []string{v}
			if o.name == "mark" {
				numbers = strings.SplitN(v, "/", 2)
			}
			for _, n := range numbers {
				n = strings.TrimPrefix(strings.TrimLeft(n, " \t\n"), "+")
				if _, err := strconv.ParseUint(n, 0, o.bits); err != nil || strings.ContainsAny(n, "_bBoO") {
					return true
				}
			}
		}
	}
	return false
}

// updatesAnyFamily reports whether there is a -U without a family, and without
// an address that has one.
func (c *command) updatesAnyFamily() bool {
	for _, l := range c.load {
		if l.parsed().updatesAnyFamily() {
			return true
		}
	}
	own := &command{items: c.items}
	return own.has("update") && !own.natAddress(false) && !own.natAddress(true) &&
		!own.hasAny("family", "src", "dst", "reply-src", "reply-dst", "mask-src", "mask-dst")
}

// excludesStatus reports whether a list of -u holds more than bits to be set.
func (c *command) excludesStatus() bool {
	for _, v := range c.all("status") {
		for e := range strings.SplitSeq(v, ",") {
			if strings.HasPrefix(e, "!") || e == "UNREPLIED" || isCut(e, "UNSET") || isCut(e, "SRC_NAT") || isCut(e, "DST_NAT") {
				return true
			}
		}
	}
	return false
}

// isCut reports whether e is a beginning of name, in any case.
func isCut(e, name string) bool {
	return e != "" && len(e) <= len(name) && strings.EqualFold(e, name[:len(e)])
}

// outputs reports whether -o asks for a format, given by its shortest cut.
func (c *command) outputs(cut string) bool {
	for _, v := range c.all("output") {
		for e := range strings.SplitSeq(v, ",") {
			if len(e) >= len(cut) && strings.EqualFold(e[:len(cut)], cut) {
				return true
			}
		}
	}
	return false
}

// natAddress reports whether -n, -g or -j has an address of that family.
func (c *command) natAddress(v6 bool) bool {
	for _, v := range slices.Concat(c.all("src-nat"), c.all("dst-nat"), c.all("any-nat")) {
		if v != "" && (strings.Count(v, ":") > 1) == v6 {
			return true
		}
	}
	return false
}

// natPort reports whether -n, -g or -j has a port.
func (c *command) natPort() bool {
	return slices.ContainsFunc(slices.Concat(c.all("src-nat"), c.all("dst-nat"), c.all("any-nat")), func(v string) bool {
		return strings.Count(v, ":") == 1 || strings.Contains(v, "]:")
	})
}

// onlyProtocols reports whether each -p names one of these.
func (c *command) onlyProtocols(names ...string) bool {
	return !slices.ContainsFunc(
		c.all("protonum"),
		func(p string) bool { return !slices.Contains(names, strings.ToLower(p)) },
	)
}

// wholeTuples reports whether all four addresses are there, and all four ports
// of a protocol that has them.
func (c *command) wholeTuples() bool {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !c.has(n) })
	}
	portless := !slices.ContainsFunc(
		[]string{"tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "gre", "6", "17", "0x11", "47", "58", "1"},
		func(p string) bool { v, _ := c.value("protonum"); return strings.EqualFold(p, v) },
	)
	return has("src", "dst", "reply-src", "reply-dst") &&
		(portless || has("sport", "dport", "reply-port-src", "reply-port-dst") ||
			has("srckey", "dstkey", "reply-key-src", "reply-key-dst"))
}

// hasProtocolOption reports whether there is an option that -p brought.
func (c *command) hasProtocolOption() bool {
	return slices.ContainsFunc(protocols, func(p protocol) bool {
		return slices.ContainsFunc(p.options, func(o option) bool { return c.has(o.long) })
	})
}

// attached reports whether an option has its value in the same word.
func (c *command) attached(name string) bool {
	return slices.ContainsFunc(c.items, func(it item) bool {
		return it.name == name && len(it.words) == 1 && strings.Contains(it.words[0], "=")
	})
}

// attachedTranslation reports whether an address is attached to -n, -g or -j.
func (c *command) attachedTranslation() bool {
	return c.attached("src-nat") || c.attached("dst-nat") || c.attached("any-nat") ||
		slices.ContainsFunc(c.items, func(it item) bool {
			return slices.ContainsFunc(it.words, func(w string) bool {
				return len(w) > 2 && w[0] == '-' && strings.IndexByte("ngj", w[1]) >= 0
			})
		})
}

// emptyLength reports whether an address ends in its slash.
func (c *command) emptyLength() bool {
	for _, name := range []string{"src", "dst", "tuple-src", "tuple-dst"} {
		if slices.ContainsFunc(c.all(name), func(v string) bool { return strings.HasSuffix(v, "/") }) {
			return true
		}
	}
	return false
}

// protocolOptionFirst reports whether an option of a protocol comes before the
// -p that it needs.
func (c *command) protocolOptionFirst() bool {
	for _, l := range c.load {
		if l.parsed().protocolOptionFirst() {
			return true
		}
	}
	seen := false
	for _, it := range c.items {
		if it.name == "protonum" && seen {
			return true
		}
		for _, p := range protocols {
			seen = seen || slices.ContainsFunc(p.options, func(o option) bool { return o.long == it.name })
		}
	}
	return false
}
