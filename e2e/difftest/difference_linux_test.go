package difftest

import (
	"fmt"
	"slices"
	"strings"
)

// A difference is what was found on one command of a case: on the last, or on
// one that listened to them all.
type difference struct {
	cmds     []*command
	on       *command
	aspects  aspect
	ref, our observation
	refTable []string
	ourTable []string
}

// kind is the same for differences that probably have one cause.
func (d *difference) kind() string {
	var names []string
	for _, o := range known() {
		// The filter of a listener and its output are different things.
		if d.on.has(o.long) && (d.on.background || isCommand(o.long)) {
			names = append(names, o.long)
		}
	}
	return fmt.Sprint(names, d.aspects, d.ref.status, d.our.status, verb(d.ref.stderr), verb(d.our.stderr))
}

// key is the same for differences that look alike.
func (d *difference) key() string {
	c := d.on
	refused := d.ref.status == 2 || d.our.status == 2
	var names []string
	for _, it := range c.items {
		// A refusal names its cause; otherwise any option may matter.
		if !refused || isCommand(it.name) {
			names = append(names, it.name)
		}
	}
	for _, l := range c.load {
		if l.cmd != nil && len(l.cmd.items) > 0 {
			names = append(names, "line:"+l.cmd.items[0].name)
		}
	}
	slices.Sort(names)
	return fmt.Sprint(slices.Compact(names), d.aspects, d.ref.status, d.our.status, verb(d.ref.stderr), verb(d.our.stderr))
}

// isCommand reports whether an option is the name of a command.
func isCommand(name string) bool {
	return slices.ContainsFunc(commands, func(o option) bool { return o.long == name })
}

// verb is the beginning of a message, without the values in it.
func verb(stderr string) string {
	msg := strings.TrimPrefix(stderr, "conntrack v1.4.9 (conntrack-tools): ")
	if i := strings.IndexAny(msg, "`'0123456789"); i >= 0 {
		msg = msg[:i]
	}
	return msg
}

// String reports the difference: how to see it, and what was seen.
func (d *difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "differs in %s:\n", d.aspects)
	for _, c := range d.cmds {
		if c == d.on || !c.background || !d.on.background { // listeners do not affect each other
			fmt.Fprintf(&b, "    %s\n", c)
		}
	}
	side := func(name string, o observation, table []string) {
		fmt.Fprintf(&b, "  %s: exit status %d\n", name, o.status)
		indent(&b, "stdout", o.raw.stdout)
		indent(&b, "stderr", o.raw.stderr)
		if d.aspects&contents != 0 {
			indent(&b, "table ", strings.TrimLeft(strings.Join(table, "\n"), "\n"))
		}
	}
	side("reference", d.ref, d.refTable)
	side("ours", d.our, d.ourTable)
	return b.String()
}

func indent(b *strings.Builder, name, text string) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		if i == 8 {
			fmt.Fprintf(b, "    %s| … %d more lines\n", name, len(lines)-i)
			break
		}
		if len(l) > 400 {
			l = l[:400] + "…"
		}
		fmt.Fprintf(b, "    %s| %s\n", name, l)
	}
}
