package difftest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// An item is one option of a command line, as it was meant and as it is
// written. Junk words and other oddities are items without a name.
type item struct {
	name  string // long name of the option or command, "" for other words
	value string // its value, where it has one
	words []string
}

// isCutID reports whether the item is written --i, which is --id wherever the
// options of -p icmp are not there, whatever it was meant to be.
func (it item) isCutID() bool {
	return len(it.words) > 0 && (it.words[0] == "--i" || strings.HasPrefix(it.words[0], "--i="))
}

// A command is one command line. A command that loads a file carries the
// file's lines; its only item is the -R itself.
type command struct {
	items   []item
	env     []string
	load    []line
	byStdin bool // the file is "-"

	// It listens while the commands after it run, and is compared last.
	background bool

	// Instead of a command line: something that is done in both labs.
	labAction *labAction
}

// A labAction is something done in a lab without the two programs.
type labAction struct {
	name string
	do   func() error
}

// A line is one line of a file for -R: a command, or raw text.
type line struct {
	cmd *command
	raw string
}

// parsed returns the line's command, as far as it can be parsed.
func (l line) parsed() *command {
	if l.cmd != nil {
		return l.cmd
	}
	return &command{items: understood(strings.Fields(l.raw))}
}

// loadName stands for the name of the file in the words of a -R command.
const loadName = "@FILE@"

func (c *command) words() []string {
	var words []string
	for _, it := range c.items {
		words = append(words, it.words...)
	}
	return words
}

// has reports whether the option is there, in the command or in a line of it.
func (c *command) has(name string) bool {
	_, ok := c.value(name)
	return ok
}

// value returns the last value that the option was given.
func (c *command) value(name string) (string, bool) {
	all := c.all(name)
	if len(all) == 0 {
		return "", false
	}
	return all[len(all)-1], true
}

// all returns each value that the option was given, in order.
func (c *command) all(name string) []string {
	var values []string
	for _, it := range c.items {
		if it.name == name || name == "id" && it.isCutID() {
			values = append(values, it.value)
		}
	}
	for _, l := range c.load {
		values = append(values, l.parsed().all(name)...)
	}
	return values
}

// hasAny reports whether one of the options is there.
func (c *command) hasAny(names ...string) bool {
	for _, n := range names {
		if c.has(n) {
			return true
		}
	}
	return false
}

// listens reports whether the command may wait for events.
func (c *command) listens() bool { return c.has("event") && c.load == nil }

// file returns the text of the file that a -R command loads.
func (c *command) file() string {
	var b strings.Builder
	for _, l := range c.load {
		if l.cmd == nil {
			b.WriteString(l.raw)
			continue
		}
		for i, w := range l.cmd.words() {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(loadQuote(w))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// loadQuote writes a word as a file for -R wants it.
func loadQuote(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\r\n\"#\\") {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
}

// args returns the words to run, with the file's real name in them.
func (c *command) args(file string) []string {
	words := c.words()
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, loadName, file)
	}
	return words
}

// String writes the command for a shell.
func (c *command) String() string {
	if c.labAction != nil {
		return "# " + c.labAction.name
	}
	var b strings.Builder
	for _, e := range c.env {
		b.WriteString(e + " ")
	}
	b.WriteString("conntrack")
	file := "FILE"
	if c.byStdin {
		file = "-"
	}
	for _, w := range c.args(file) {
		b.WriteString(" " + shellQuote(w))
	}
	if c.load != nil {
		fmt.Fprintf(&b, "   # FILE from: printf %%s %s", shellQuote(c.file()))
	}
	if c.background {
		b.WriteString(" &   # stopped at the end")
	}
	return b.String()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

func shellQuote(w string) string {
	if plainWord.MatchString(w) {
		return w
	}
	if strings.ContainsAny(w, "\n\r\t") {
		return "$'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(w) + "'"
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// clone returns a copy that can be shortened without changing c.
func (c *command) clone() *command {
	d := *c
	d.items = append([]item(nil), c.items...)
	if c.load != nil {
		d.load = make([]line, len(c.load))
		for i, l := range c.load {
			d.load[i] = l
			if l.cmd != nil {
				d.load[i].cmd = l.cmd.clone()
			}
		}
	}
	return &d
}

// In a cluster, 1.4.7 drops what follows one of these letters: the table word is
// their optional value. (-C has one in 1.4.9 too.)
var swallowed = regexp.MustCompile(`^-(z*[LIUDGEFA])(.+)$`)

// forOlder returns the command in a form in which 1.4.7 means what 1.4.9 means:
// such a cluster is split.
func (c *command) forOlder() *command {
	d := c.clone()
	for i, it := range d.items {
		if len(it.words) == 0 {
			continue
		}
		if m := swallowed.FindStringSubmatch(it.words[0]); m != nil {
			d.items[i].words = append([]string{"-" + m[1], "-" + m[2]}, it.words[1:]...)
		}
	}
	for _, l := range d.load {
		if l.cmd != nil {
			*l.cmd = *l.cmd.forOlder()
		}
	}
	return d
}

// writeLoad writes the file of a -R command into dir, and returns its name.
func (c *command) writeLoad(dir string) (string, error) {
	if c.load == nil {
		return "", nil
	}
	name := filepath.Join(dir, "load")
	return name, os.WriteFile(name, []byte(c.file()), 0o644)
}
