package difftest

import "strings"

// An exception is a difference that is meant. It covers only the aspects that it
// names, on the command lines to which it applies.
type exception struct {
	row     string // the page and section that explains it, and a summary
	aspects aspect
	applies func(c *command, ref, our observation) bool
}

// exceptions are all of them: docs/compat.md lists the defects that ours repairs,
// docs/classic.md 12 where the installed reference is older. The first that
// explains a part of a difference is counted.
var exceptions = []exception{
	{"docs/compat.md #29, docs/classic.md 12: the reference crashes", all, func(_ *command, ref, our observation) bool {
		return crashed(ref) && our.status <= 2
	}},
	{
		"docs/compat.md #38: two -p: the later judges the bits of the former's options",
		all,
		func(c *command, _, _ observation) bool {
			return len(c.all("protonum")) > 1 && c.hasProtocolOption()
		},
	},

	{"docs/classic.md 12: -U needs a family", all, func(c *command, ref, _ observation) bool {
		return c.has("update") &&
			(strings.Contains(ref.stderr, "Operation failed: Operation not supported") || c.updatesAnyFamily())
	}},
	{"docs/classic.md 12: -U prints only some of what it changes", stdout, func(c *command, ref, our observation) bool {
		return c.has("update") && within(ref.stdout, our.stdout)
	}},
	{"docs/classic.md 12: -U goes on after a refusal", all, func(c *command, ref, our observation) bool {
		return c.has("update") && strings.Contains(our.stderr, operationFailed) &&
			// Whether -t changes a fixed timeout is a matter of a second.
			(strings.Contains(ref.stderr, "Operation failed: ") || c.has("timeout") && strings.Contains(our.stderr, "you must be root"))
	}},
	{
		"docs/classic.md 12: label names are judged at their word",
		exit | stderr,
		func(_ *command, ref, our observation) bool {
			return ref.status == 2 && strings.Contains(ref.stderr, ": unknown label '") && our.status != 0
		},
	},
	{"docs/classic.md 12: -A does not update", exit | stderr | contents, func(c *command, ref, our observation) bool {
		return c.has("add") && c.load == nil && strings.Contains(ref.stderr, ": 0 flow entries have been added")
	}},
	{
		"docs/classic.md 12: -A does not update, in a file",
		exit | stderr | contents,
		func(c *command, ref, our observation) bool {
			return c.has("add") && c.load != nil && ref.status == 0 &&
				(our.stderr == ref.stderr || strings.Contains(our.stderr, operationFailed))
		},
	},
	{"docs/classic.md 12: no --labelmap", all, func(c *command, ref, _ observation) bool {
		return c.has("labelmap") && ref.status == 2 && strings.Contains(ref.stderr, "unknown option")
	}},
	{"docs/classic.md 12: -m, -w, -c and the zones accept rubbish", all, func(c *command, _, our observation) bool {
		return our.status == 1 && strings.Contains(our.stderr, ": unexpected value '") && c.hasRubbish()
	}},
	{"docs/classic.md 12: -I -m -u takes the mark from the status", contents, func(c *command, _, _ observation) bool {
		return c.hasAny("create", "add") && c.has("mark") && c.has("status")
	}},

	{"docs/compat.md #1: -D forgets what -u excludes", all, func(c *command, _, _ observation) bool {
		return c.has("delete") && c.excludesStatus()
	}},
	{"docs/compat.md #2: -F -f empties both families", contents, func(c *command, _, _ observation) bool {
		return c.has("flush") && c.has("family")
	}},
	{"docs/compat.md #5: an IPv6 NAT address is ignored", all, func(c *command, ref, our observation) bool {
		return c.hasAny("dump", "delete", "update", "event") && c.natAddress(true) && within(our.stdout, ref.stdout)
	}},
	{"docs/compat.md #6: pings pass for translated", all, func(c *command, ref, our observation) bool {
		more := extra(ref.stdout, our.stdout)
		return c.hasAny("dump", "delete", "event") && c.hasAny("src-nat", "dst-nat", "any-nat") &&
			len(more) > 0 && within(our.stdout, ref.stdout) && every(more, "icmp")
	}},
	{"docs/compat.md #7: -j ADDR finds nothing in company", stdout | stderr, func(c *command, ref, our observation) bool {
		v, _ := c.value("any-nat")
		return v != "" && strings.Contains(ref.stderr, ": 0 flow") && len(our.stdout) > 0
	}},
	{
		"docs/classic.md 12: a port of -n, -g, -j finds translated ports only",
		all,
		func(c *command, ref, our observation) bool {
			return c.hasAny("dump", "delete", "event") && c.natPort() && within(ref.stdout, our.stdout)
		},
	},
	{"docs/compat.md #8: -c and GRE keys are not compared", all, func(c *command, ref, our observation) bool {
		return c.hasAny("dump", "delete", "update", "event") &&
			c.hasAny("secmark", "srckey", "dstkey", "reply-key-src", "reply-key-dst") &&
			within(our.stdout, ref.stdout)
	}},
	{"docs/compat.md #9: -D -t", all, func(c *command, _, _ observation) bool {
		return c.has("delete") && c.has("timeout")
	}},
	{"docs/compat.md #10: lists of -u that mix or repeat, and UNSET", all, func(c *command, _, _ observation) bool {
		return c.hasAny("dump", "delete", "event") && c.has("status") && (len(c.all("status")) > 1 || c.excludesStatus())
	}},
	{"docs/compat.md #12: --label-del=NAME drops the name", all, func(c *command, _, _ observation) bool {
		return c.attached("label-del")
	}},
	{"docs/compat.md #39: an address attached to -n, -g, -j counts", all, func(c *command, _, _ observation) bool {
		return c.attachedTranslation()
	}},
	{"docs/compat.md #40: -R judges all before it runs any", all, func(c *command, ref, our observation) bool {
		return c.load != nil && our.status == 2 && strings.Contains(ref.stderr, "Can't use --mask-") &&
			strings.Contains(our.stderr, "Can't use --mask-")
	}},
	{"docs/compat.md #13: -U does not send the zone", all, func(c *command, ref, our observation) bool {
		return c.has("update") && (strings.Contains(ref.stderr, "Operation failed: No such file or directory") ||
			strings.Contains(our.raw.stdout, "zone"))
	}},
	{"docs/compat.md #13: -U -n ADDR fails", all, func(c *command, _, _ observation) bool {
		return c.has("update") && (c.natAddress(false) || c.natAddress(true))
	}},
	{"docs/compat.md #14: -U -t 0 kills", all, func(c *command, _, our observation) bool {
		v, ok := c.value("timeout")
		return c.hasAny("update", "add") && ok && (atoi(v) == 0 || strings.Contains(our.stderr, "with --timeout")) &&
			our.status != 0
	}},
	{"docs/compat.md #16: -U of an sctp state needs vtags", all, func(c *command, ref, _ observation) bool {
		return c.has("update") && c.hasAny("orig-vtag", "reply-vtag") && strings.Contains(ref.stderr, ": 0 flow") ||
			c.has("update") && c.has("state") && strings.Contains(ref.stderr, "Operation failed: invalid parameters")
	}},
	{
		"docs/compat.md #17: lines of -R share marks, labels and -o",
		stdout | contents,
		func(c *command, _, _ observation) bool {
			return len(c.load) > 1 && c.hasAny("mark", "output", "label", "label-add", "label-del")
		},
	},
	{"docs/compat.md #20: lines of -D, -U and -E are cut", stdout, func(c *command, ref, our observation) bool {
		return c.hasAny("delete", "update", "event") && c.outputs("x") && longest(ref.raw.stdout) >= 1000
	}},
	{"docs/compat.md #21: XML has TCP's states and is not closed", stdout, func(c *command, ref, our observation) bool {
		return c.outputs("x") && alike(ref, our, xmlDefects)
	}},
	{"docs/compat.md #22: vtags are swapped", stdout, func(c *command, ref, our observation) bool {
		return c.outputs("sa") && alike(ref, our, savedVtags)
	}},
	{"docs/compat.md #23: -D expect counts 0", exit | stderr, func(c *command, _, our observation) bool {
		return c.has("delete") && strings.Contains(our.stderr, "expectations have been deleted")
	}},
	{"docs/compat.md #26: an empty prefix length is 0", all, func(c *command, _, our observation) bool {
		return our.status == 2 && strings.Contains(our.stderr, "Invalid netmask") && c.emptyLength()
	}},
	{"docs/compat.md #27: -G by the reply", all, func(c *command, _, _ observation) bool {
		return c.has("get") &&
			c.hasAny("reply-src", "reply-dst", "reply-port-src", "reply-port-dst", "reply-key-src", "reply-key-dst")
	}},
	{"docs/compat.md #27, #13: -G and -U in a zone", all, func(c *command, ref, _ observation) bool {
		return c.hasAny("get", "update") && c.hasAny("zone", "orig-zone", "reply-zone") && illegalZone.MatchString(ref.stderr)
	}},
	{
		"docs/compat.md #34, 7: -U --label-del where there is no label, or the last",
		all,
		func(c *command, ref, our observation) bool {
			return c.has("update") && c.has("label-del") &&
				within(without(shownLabels, ref.stdout), without(shownLabels, our.stdout))
		},
	},
	{
		"docs/compat.md #35: the port of a translation is tcp's and udp's only",
		exit | stderr | contents,
		func(c *command, _, _ observation) bool {
			return c.hasAny("create", "add") && c.natPort() && !c.onlyProtocols("tcp", "udp", "6", "17", "0x11")
		},
	},
	{"docs/compat.md: -D takes vtags and role, as saved lines have them", all, func(c *command, ref, _ observation) bool {
		return c.has("delete") && c.hasAny("orig-vtag", "reply-vtag", "role") && illegalSaved.MatchString(ref.stderr)
	}},
	{"docs/compat.md #28: -z with -n, -g, -j", all, func(c *command, _, our observation) bool {
		return c.hasAny("src-nat", "dst-nat", "any-nat") && strings.Contains(our.stderr, "Can't use -z with")
	}},
	{
		"docs/compat.md #29, docs/classic.md 1.5: options without a command beyond its table",
		all,
		func(c *command, ref, _ observation) bool {
			return !c.hasCommand() &&
				(strings.HasPrefix(ref.raw.stdout, helpStart) || strings.Contains(ref.stderr, "Illegal option") || crashed(ref)) &&
				c.hasAny("event-mask", "tuple-src", "tuple-dst", "mask-src", "mask-dst", "family", "secmark", "label-add", "label-del", "reply-zone")
		},
	},
	{"docs/compat.md #29: -R of a directory", exit | stderr, func(c *command, _, our observation) bool {
		return c.load == nil && c.has("load-file") && strings.Contains(our.stderr, "Failed to open file")
	}},
	{"docs/compat.md #30: icmp by the reply, or with its options first", all, func(c *command, ref, _ observation) bool {
		return c.hasAny("create", "add") && c.hasAny("icmp-type", "icmpv6-type") &&
			(strings.Contains(ref.stderr, "invalid parameters") || strings.Contains(ref.stderr, "Invalid argument"))
	}},
	{"docs/compat.md #30: -r -q without all the ports", all, func(c *command, _, _ observation) bool {
		return c.hasAny("create", "add") && c.hasAny("reply-src", "reply-dst") && !c.wholeTuples()
	}},
	{
		"docs/compat.md #30: reply ports beside -s -d are ignored",
		exit | stderr | contents,
		func(c *command, _, _ observation) bool {
			return c.hasAny("create", "add") && !c.hasAny("reply-src", "reply-dst") &&
				c.hasAny("reply-port-src", "reply-port-dst", "reply-key-src", "reply-key-dst")
		},
	},
	{"docs/compat.md #31: -b with a word that is not a number", all, func(c *command, _, our observation) bool {
		return our.status == 1 && strings.Contains(our.stderr, "' with -b option")
	}},
	{
		"docs/compat.md, extensions: networks of the reply direction and of translations",
		all,
		func(c *command, ref, our observation) bool {
			return strings.Contains(ref.stderr, "CIDR notation unavailable for `--") && c.hasAny("dump", "delete", "update", "event") &&
				c.hasAny("reply-src", "reply-dst", "src-nat", "dst-nat", "any-nat") &&
				!strings.Contains(our.stderr, "CIDR notation")
		},
	},
	{
		"docs/compat.md, extensions: what chooses entries for one command does so for all",
		all,
		func(c *command, ref, our observation) bool {
			return c.hasAny("dump", "delete", "update", "event") &&
				illegalCriterion.MatchString(ref.stderr)
		},
	},
	{"docs/compat.md, messages: a first word that is no command", stderr, func(_ *command, ref, our observation) bool {
		first, rest, _ := strings.Cut(our.stderr, "\n")
		return strings.Contains(first, "' is not a command") &&
			(strings.HasPrefix(ref.raw.stdout, helpStart) || rest == ref.stderr)
	}},
	{"docs/compat.md #33: options of a protocol before -p", all, func(c *command, ref, our observation) bool {
		return strings.Contains(ref.stderr, "unknown option") && !strings.Contains(our.stderr, "unknown option") &&
			c.protocolOptionFirst()
	}},
}

// aspectsOf returns the aspects that the exceptions cover.
func aspectsOf(found []exception) aspect {
	var a aspect
	for _, e := range found {
		a |= e.aspects
	}
	return a
}

// exceptionsFor returns the exceptions that apply.
func exceptionsFor(c *command, ref, our observation) []exception {
	var found []exception
	for _, e := range exceptions {
		if e.applies(c, ref, our) {
			found = append(found, e)
		}
	}
	return found
}
