package difftest

import (
	"slices"
	"strings"
)

// sequence returns a random case: a few commands that fill the table, then a
// few of any sort.
func (g generator) sequence() []*command {
	var cmds []*command
	for g.chance(3) {
		cmds = append(cmds, g.listener())
	}
	for range 1 + g.IntN(5) {
		cmds = append(cmds, g.creation())
	}
	for range 1 + g.IntN(5) {
		switch {
		case g.chance(8):
			cmds = append(cmds, g.loading())
		case g.chance(4):
			cmds = append(cmds, g.creation())
		default:
			cmds = append(cmds, g.action())
		}
	}
	return cmds
}

// written returns an option as an item, in one of the forms it can be written.
func (g generator) written(o option, value string) item {
	it := item{name: o.long, value: value}
	long := o.long
	if len(o.also) > 0 && g.chance(4) {
		long = pick(g, o.also...)
	}
	if g.chance(12) && len(long) > 3 {
		cut := long[:1+g.IntN(len(long)-1)] // perhaps ambiguous
		if !isName(cut) {
			long = cut
		}
	}
	switch {
	case o.kind == flag || (value == "" && (o.kind == nat || o.kind == optLabel || o.kind == table)):
		if o.short != "" && g.chance(2) {
			it.words = []string{"-" + o.short}
		} else {
			it.words = []string{"--" + long}
		}
	case o.kind == table, o.kind == nat, o.kind == optLabel:
		// The value is the next word; attached it would be dropped.
		if o.short != "" && g.chance(2) {
			it.words = []string{"-" + o.short, value}
		} else {
			it.words = []string{"--" + long, value}
		}
	case o.short != "" && g.chance(2):
		if g.chance(4) && value != "" {
			it.words = []string{"-" + o.short + value}
		} else {
			it.words = []string{"-" + o.short, value}
		}
	case g.chance(3) && o.long != "id":
		it.words = []string{"--" + long + "=" + value}
	case o.long == "id": // --id VALUE crashes the reference
		it.words = []string{"-i", value}
	default:
		it.words = []string{"--" + long, value}
	}
	return it
}

// isName reports whether a word is the whole name of some option: then it is
// no cut of another.
func isName(word string) bool {
	return slices.ContainsFunc(known(), func(o option) bool { return o.long == word || slices.Contains(o.also, word) })
}

// protocolItems returns -p with options of the protocol, for a filter or a creation.
func (g generator) protocolItems(p protocol, creating bool, v6 bool) []item {
	items := []item{g.written(lookup(options, "protonum"), p.name)}
	if creating {
		for _, name := range p.create {
			o := lookup(p.options, name)
			items = append(items, g.written(o, g.value(o.kind, v6)))
		}
		if p.name == "icmp" {
			items[1].value = pick(g, "8", "0", "13")
			items[1].words = []string{"--icmp-type", items[1].value}
		} else if p.name == "icmpv6" {
			items[1].value = pick(g, "128", "129")
			items[1].words = []string{"--icmpv6-type", items[1].value}
		}
		return items
	}
	for _, o := range p.options {
		if strings.HasPrefix(o.long, "mask-") || strings.HasPrefix(o.long, "tuple-") {
			continue
		}
		if g.chance(4) {
			items = append(items, g.written(o, g.value(o.kind, v6)))
		}
	}
	return items
}

// family of a protocol's addresses.
func (g generator) familyFor(p protocol) bool {
	return p.v6only || !p.v4only && g.chance(3)
}

// creation returns a -I or -A that should mostly succeed.
func (g generator) creation() *command {
	p := pick(g, protocols...)
	v6 := g.familyFor(p)
	c := &command{}
	if g.chance(4) {
		c.add(g.written(lookup(commands, "add"), ""))
	} else {
		c.add(g.written(lookup(commands, "create"), ""))
	}
	c.add(g.written(lookup(options, "src"), g.address(v6)), g.written(lookup(options, "dst"), g.address(v6)))
	c.add(g.protocolItems(p, true, v6)...)
	c.add(g.written(lookup(options, "timeout"), g.value(seconds, v6)))
	if g.chance(8) && len(p.create) > 1 && p.name != "icmp" && p.name != "icmpv6" {
		c.add(g.written(lookup(options, "reply-src"), g.address(v6)), g.written(lookup(options, "reply-dst"), g.address(v6)))
		for _, o := range p.options[2:4] {
			c.add(g.written(o, g.value(o.kind, v6)))
		}
	}
	for _, name := range []string{"mark", "status", "zone", "orig-zone", "reply-zone", "src-nat", "dst-nat", "label-add"} {
		n := 8
		if name == "mark" || name == "status" {
			n = 3
		}
		if name == "status" && c.has("mark") {
			n = 40 // 1.4.7 mixes the two up
		}
		if g.chance(n) {
			o := lookup(options, name)
			value := g.value(o.kind, v6)
			for o.kind == nat && p.name != "tcp" && p.name != "udp" && !g.chance(8) &&
				(&command{items: []item{{name: name, value: value}}}).natPort() {
				value = g.value(o.kind, v6) // the older program drops its port
			}
			c.add(g.written(o, value))
		}
	}
	g.mutate(c, 12)
	return c
}

// action returns any command, with options that it mostly allows.
func (g generator) action() *command {
	name := pick(g, "dump", "dump", "dump", "dump", "dump", "update", "update", "update", "delete", "delete", "delete",
		"get", "get", "flush", "counter", "stats", "version", "help")
	if g.chance(60) {
		name = "event" // costs time: it ends by a signal
	}
	o := lookup(commands, name)
	c := &command{}
	word := ""
	if g.chance(12) {
		word = g.value(table, false)
	}
	c.add(g.written(o, word))
	p := pick(g, protocols...)
	v6 := g.familyFor(p)

	letters := allowed[o.long]
	if o.long == "get" || strings.Contains(letters, "p") && g.chance(3) {
		c.add(g.protocolItems(p, o.long == "get", v6)...)
	}
	if o.long == "get" {
		c.add(g.written(lookup(options, "src"), g.address(v6)), g.written(lookup(options, "dst"), g.address(v6)))
		letters = "o"
	}
	if o.long == "update" {
		c.add(g.written(lookup(options, "family"), g.value(family, v6)))
	}
	for _, o := range options {
		if o.long == "protonum" || o.long == "family" || !strings.Contains(letters, o.short) {
			continue
		}
		if n := 7; g.chance(n) {
			c.add(g.written(o, g.value(o.kind, v6)))
		}
	}
	g.mutate(c, 5)
	return c
}

// loading returns a -R with a file of a few lines.
func (g generator) loading() *command {
	c := &command{}
	name := loadName
	if g.chance(5) {
		c.byStdin, name = true, "-"
	}
	c.add(item{name: "load-file", value: name, words: []string{pick(g, "-R", "--load-file"), name}})
	for range 1 + g.IntN(4) {
		switch {
		case g.chance(6):
			c.load = append(
				c.load,
				line{raw: pick(
					g,
					"\n",
					"  \t \n",
					"# comment\n",
					"  # comment\n",
					"-D -s \"10.0.0.1\n",
					"-D -s 10.0.0.1\r\n",
					"-L\n",
					"-C\n",
					"-C expect\n",
					"-F\n",
					"-V\n",
					"-h\n",
					"junk\n",
					"-D -s 1\"0.0\".0.1\n",
					"-D -s \"10\\.0.0.1\"\n",
					"-D -s '10.0.0.1'\n",
					"conntrack -D -s 10.9.9.9\n",
					"-D -s\n",
					"-D -D\n",
					"-R x\n",
					"-D -s \"\"\n",
					"-F -f ipv4",
					"-D -z\n",
					"-D "+strings.Repeat("x ", 260)+"\n",
					"-D "+strings.Repeat("x", 1100)+"\n",
					"\t-D\t-s\t10.9.9.9\n",
				)},
			)
		case g.chance(3):
			c.load = append(c.load, line{cmd: g.action()})
		default:
			c.load = append(c.load, line{cmd: g.creation()})
		}
	}
	return c
}

func (c *command) add(items ...item) { c.items = append(c.items, items...) }

// anyOption returns an option of any sort.
func (g generator) anyOption() option {
	if p := pick(g, protocols...); g.chance(3) && len(p.options) > 0 {
		return pick(g, p.options...)
	}
	return pick(g, options...)
}

// mutate changes the command in one of many ways, once in n times.
func (g generator) mutate(c *command, n int) {
	for g.chance(n) {
		at := g.IntN(len(c.items) + 1)
		insert := func(it item) {
			c.items = append(c.items[:at:at], append([]item{it}, c.items[at:]...)...)
		}
		switch g.IntN(12) {
		case 0: // leave one out
			if at < len(c.items) {
				c.items = append(c.items[:at:at], c.items[at+1:]...)
			}
		case 1, 2: // any other option, with a likely value
			o := g.anyOption()
			insert(g.written(o, g.value(o.kind, g.chance(3))))
		case 3, 4, 5: // an odd value
			o := g.anyOption()
			insert(g.written(o, g.odd(o.kind)))
		case 6: // junk
			insert(
				item{words: []string{pick(g, "junk", "", "-", "!", "--", "-x", "--foo", "--foo=bar", "-1", "-?", "--s", "--re")}},
			)
		case 7: // a cluster
			insert(understood([]string{pick(g, "-zx", "-zz", "-xz", "-zo", "-oid", "-zoid", "-z=", "-ptcp", "-p=tcp")})[0])
		case 8: // a second command
			insert(g.written(pick(g, commands...), ""))
		case 9: // one of them twice
			if at < len(c.items) {
				insert(c.items[at])
			}
		case 10: // another order
			g.Shuffle(len(c.items), func(i, j int) { c.items[i], c.items[j] = c.items[j], c.items[i] })
		case 11:
			if g.chance(4) {
				c.env = []string{"POSIXLY_CORRECT=1"}
			} else { // cut short
				c.items = c.items[:at]
			}
		}
		if len(c.items) == 0 {
			return
		}
	}
}
