package difftest

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestMatrix compares systematically: each option with each command, each option
// of each protocol with each command, each odd value of each option, each
// abbreviation of each long name. As this takes minutes, an ordinary run takes a
// sample of it, chosen by the seed, and for each part at most half of
// DIFFTEST_SECONDS, more on a busy machine.
func TestMatrix(t *testing.T) {
	every, offset, sample := 1, 0, os.Getenv("DIFFTEST_ALL") == ""
	if sample {
		every = 8
		offset = int(seed(t) % uint64(every))
	}
	for _, part := range []struct {
		name  string
		cases func() []*command
	}{
		{"Corpus", corpusCommands},
		{"Legality", legality},
		{"Protocols", protocolMatrix},
		{"Values", oddValues},
		{"Cuts", cuts},
	} {
		t.Run(part.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("takes up to a minute: not with -short")
			}
			t.Parallel()
			b := newBench(t)
			end := time.Now().Add(testwait.Scale(span(t) / 2))
			// Several command lines use one pair of tables, for speed.
			for i, chunk := range slices.Collect(slices.Chunk(part.cases(), 24)) {
				if i%every != offset && part.name != "Corpus" {
					continue
				}
				if b.full() || sample && part.name != "Corpus" && b.cases > 0 && time.Now().After(end) {
					break
				}
				b.checkEach(append(slices.Clone(population()), chunk...), len(population()))
			}
			b.printSummary()
		})
	}
}

// checkEach is check for independent commands: after a difference it continues
// with the next one. The first n commands fill the tables, every time.
func (b *bench) checkEach(cmds []*command, n int) {
	for len(cmds) > n {
		done, d := b.run(cmds, true)
		if d != nil {
			b.report(d)
			done = len(d.cmds)
		}
		if done >= len(cmds) || done <= n || b.full() {
			return
		}
		cmds = append(slices.Clone(cmds[:n]), cmds[done:]...)
	}
}

// opt returns an option in its plainest form.
func opt(name, value string) item {
	for _, list := range [][]option{commands, options} {
		for _, o := range list {
			if o.long == name {
				return plainly(o, value)
			}
		}
	}
	for _, p := range protocols {
		for _, o := range p.options {
			if o.long == name {
				return plainly(o, value)
			}
		}
	}
	panic("difftest: no option " + name)
}

func plainly(o option, value string) item {
	it := item{name: o.long, value: value}
	switch {
	case o.kind == flag, value == "" && (o.kind == table || o.kind == nat || o.kind == optLabel):
		it.words = []string{"--" + o.long}
		if o.short != "" {
			it.words = []string{"-" + o.short}
		}
	case o.kind == table, o.kind == nat, o.kind == optLabel:
		it.words = []string{"--" + o.long, value}
	case o.long == "id": // the reference crashes on --id VALUE
		it.words = []string{"-i", value}
	case o.short != "":
		it.words = []string{"-" + o.short, value}
	default:
		it.words = []string{"--" + o.long, value}
	}
	return it
}

func line1(items ...item) *command { return &command{items: items} }

// population returns commands that fill a small table, so that filters match something.
func population() []*command {
	entry := func(p, src, dst string, more ...item) *command {
		c := line1(opt("create", ""), opt("src", src), opt("dst", dst), opt("timeout", "5000"), opt("protonum", p))
		c.add(more...)
		return c
	}
	return []*command{
		entry("tcp", "10.0.0.1", "10.0.0.2", opt("sport", "1"), opt("dport", "80"), opt("state", "ESTABLISHED"),
			opt("status", "SEEN_REPLY,ASSURED")),
		entry("udp", "10.0.0.1", "10.0.1.1", opt("sport", "53"), opt("dport", "53"), opt("mark", "5")),
		entry("udp", "fd00::1", "fd00::2", opt("sport", "53"), opt("dport", "53"), opt("src-nat", "2001:db8::99")),
		entry("icmp", "10.0.0.1", "10.0.0.2", opt("icmp-type", "8"), opt("icmp-code", "0"), opt("icmp-id", "1")),
		entry("gre", "10.0.0.1", "10.0.0.2", opt("srckey", "1"), opt("dstkey", "2"), opt("zone", "1")),
		entry("sctp", "10.0.0.2", "10.0.0.1", opt("sport", "1"), opt("dport", "80"), opt("state", "CLOSED"),
			opt("orig-vtag", "1"), opt("reply-vtag", "2"), opt("dst-nat", "203.0.113.1")),
	}
}

// forms are the commands of the legality table, each with the options that it needs.
func forms() map[string][]item {
	pair := []item{opt("src", "10.0.0.1"), opt("dst", "10.0.0.2")}
	join := func(more ...item) []item { return append(slices.Clone(pair), more...) }
	exp := join(opt("protonum", "igmp"))
	return map[string][]item{
		"dump": nil, "update": {opt("family", "ipv4")}, "delete": {opt("src", "10.0.0.9")}, "flush": nil, "event": nil,
		"counter": nil, "stats": nil, "version": nil, "help": nil,
		"create": join(opt("protonum", "igmp"), opt("timeout", "5000")),
		"add":    join(opt("protonum", "igmp"), opt("timeout", "5000")),
		"get":    join(opt("protonum", "igmp")),

		"dump expect": nil, "flush expect": nil, "event expect": nil, "counter expect": nil, "stats expect": nil,
		"delete expect": exp, "get expect": exp,
		"create expect": append(
			slices.Clone(exp),
			opt("timeout", "100"),
			opt("tuple-src", "10.0.0.1"),
			opt("tuple-dst", "10.0.0.2"),
			opt("mask-src", "255.255.255.255"),
			opt("mask-dst", "255.255.255.255"),
		),
		"update expect": nil, "add expect": nil,
		"dump dying": nil, "dump unconfirmed": nil, "delete dying": nil, "version dying": nil,
		"": nil,
	}
}

// begin returns the item of a form's command.
func begin(form string) []item {
	if form == "" {
		return nil
	}
	for i, r := range form {
		if r == ' ' {
			return []item{opt(form[:i], form[i+1:])}
		}
	}
	return []item{opt(form, "")}
}

// sortedForms are the names of the forms, always in the same order.
func sortedForms() []string {
	var names []string
	for f := range forms() {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// usual is a valid value for an option.
func usual(o option) string {
	switch o.kind {
	case addr:
		return "10.0.0.1"
	case plain:
		return "10.0.0.2"
	}
	return newGenerator(7).value(o.kind, false)
}

// legality combines commands with general options: what each needs and one
// more, and what each needs without one.
func legality() []*command {
	var cmds []*command
	for _, f := range sortedForms() {
		need := forms()[f]
		for _, o := range options {
			if f == "" && (o.kind == events) {
				continue // reads past its table: docs/classic.md 1.5
			}
			c := line1(append(begin(f), need...)...)
			c.add(plainly(o, usual(o)))
			cmds = append(cmds, c, line1(append(begin(f), plainly(o, usual(o)))...))
		}
		for i := range need {
			cmds = append(cmds, line1(append(begin(f), slices.Delete(slices.Clone(need), i, i+1)...)...))
		}
		cmds = append(cmds, line1(begin(f)...))
	}
	for _, a := range commands {
		for _, b := range commands {
			cmds = append(cmds, line1(plainly(a, ""), plainly(b, "")))
		}
	}
	return cmds
}

// protocolMatrix combines commands with the options of each protocol.
func protocolMatrix() []*command {
	var cmds []*command
	for _, f := range sortedForms() {
		need := slices.DeleteFunc(slices.Clone(forms()[f]), func(it item) bool { return it.name == "protonum" })
		for _, p := range protocols {
			base := append(begin(f), opt("protonum", p.name))
			base = append(base, need...)
			if p.v6only && (f == "create" || f == "get" || f == "add") {
				base = append(begin(f), opt("protonum", p.name), opt("src", "fd00::1"), opt("dst", "fd00::2"))
				if f != "get" {
					base = append(base, opt("timeout", "5000"))
				}
			}
			var creating []item
			for _, name := range p.create {
				o := lookup(p.options, name)
				creating = append(creating, plainly(o, usual(o)))
			}
			cmds = append(cmds, line1(base...), line1(append(slices.Clone(base), creating...)...))
			for i, o := range p.options {
				one := plainly(o, usual(o))
				cmds = append(cmds, line1(append(slices.Clone(base), one)...),
					line1(append(append(slices.Clone(base), creating...), one)...))
				if i < len(creating) {
					cmds = append(cmds, line1(append(slices.Clone(base), slices.Delete(slices.Clone(creating), i, i+1)...)...))
				}
			}
			if len(p.options) >= 8 { // the reply pair in place of the original one
				reply := append(slices.Clone(base), plainly(p.options[2], "7"), plainly(p.options[3], "8"))
				if len(creating) > 2 {
					reply = append(reply, creating[2:]...)
				}
				cmds = append(cmds, line1(reply...))
			}
		}
	}
	return cmds
}
