package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual pages, made of the text of help: conntrack(8) with the classic grammar,
// a page for each command with a name, and one for each topic.

// newMan makes a command for those who make packages.
func (p *program) newMan() *cobra.Command {
	c := &cobra.Command{
		Use:   "man DIRECTORY",
		Short: "Write the manual pages to a directory",
		Args:  exactlyOne("a DIRECTORY"),
	}
	c.RunE = running(func(args []string) error { return writeManual(c.Root(), args[0]) })
	return c
}

// writeManual writes the manual pages to a directory.
func writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot write the manual to %s: %s", dir, console.ErrorText(err))
	}
	for name, text := range manPages(root) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("cannot write the manual to %s: %s", dir, console.ErrorText(err))
		}
	}
	return nil
}

// manPages returns the pages by their files' names.
func manPages(root *cobra.Command) map[string]string {
	pages := map[string]string{"conntrack.8": overviewPage(root)}
	for _, c := range root.Commands() {
		if c.Hidden || slices.Contains([]string{"help", "completion", "man"}, c.Name()) || externalNamed(c.Name()) != nil {
			continue // an external program has a page of its own
		}
		pages["conntrack-"+c.Name()+".8"] = commandPage(c)
	}
	for _, topic := range helpTopics {
		r := newPage("conntrack-"+topic.name, "7", topic.short)
		r.section("DESCRIPTION")
		r.help(topic.text)
		r.seeAlso()
		pages["conntrack-"+topic.name+".7"] = r.String()
	}
	return pages
}

// overviewPage is conntrack(8).
func overviewPage(root *cobra.Command) string {
	r := newPage("conntrack", "8", root.Short)
	r.section("SYNOPSIS")
	for _, line := range []string{"COMMAND [TABLE] [OPTIONS]", "NAME [TABLE] [OPTIONS]", "-R FILE [--keep-going]"} {
		r.line(".B conntrack")
		r.text(line)
		r.line(".br")
	}
	r.section("DESCRIPTION")
	r.help(helpText)
	r.section("OPTIONS")
	r.text("The commands of the classic grammar that take an option are in brackets. " +
		"Long names may be abbreviated to any unambiguous prefix.")
	for i := range cmdline.Words {
		w := &cmdline.Words[i]
		if w.Command == cmdline.CmdNone && w.Option != cmdline.OptNATRange && !isAlias(w) {
			r.option(w.Short, w.Long, w.Help(), commandsOf(w.Option))
		}
	}
	for _, o := range cmdline.Extensions {
		r.option(0, o.Long, o.Help, lettersOf(o.Flows))
	}
	r.section("OPTIONS OF PROTOCOLS")
	r.text("They are known after -p with a protocol that has them; see")
	r.line(".BR conntrack-protocols (7).")
	seen := map[cmdline.ProtoOption]bool{}
	for _, proto := range cmdline.Protocols {
		words := proto.Words()
		for i := range words {
			if w := &words[i]; !seen[w.Protocol] {
				seen[w.Protocol] = true
				r.option(0, strings.Join(cmdline.ProtoOptionNames[w.Protocol], ", --"), w.Help(), "")
			}
		}
	}
	r.section("FILES")
	for _, f := range [][2]string{
		{cmdline.DefaultLabelMap, "names of labels: one per line, bit and name"},
		{"/etc/protocols", "names of protocols"},
		{action.ProcCount + ", " + action.ProcStats, "read by -C and -S if netlink refuses them"},
	} {
		r.line(".TP")
		r.line(".I " + roffEscape(f[0]))
		r.text(f[1])
	}
	r.section("ENVIRONMENT")
	for _, e := range environment {
		r.line(".TP")
		r.line(".B " + roffEscape(e.name))
		r.text(e.text)
	}
	r.seeAlso()
	return r.String()
}

// environment are the variables that the program reads.
var environment = []struct{ name, text string }{
	{"POSIXLY_CORRECT", "if set, the first word that is not an option ends the options (classic grammar)"},
	{"TZ", "time zone of the times shown by -o ktimestamp"},
	{"COLUMNS", "width of tables, in place of the width of the terminal"},
	{"NO_COLOR", "if set, tables have no colours"},
}

// commandsOf are the letters of the commands that take an option of the
// classic grammar.
func commandsOf(o cmdline.Option) string {
	var letters string
	for _, t := range treeCommands {
		if t.takes(o) {
			letters += string(rune(t.command))
		}
	}
	return lettersOf(letters)
}

func lettersOf(letters string) string {
	if letters == "" || letters == cmdline.EveryCommand {
		return ""
	}
	var list []string
	for _, l := range letters {
		list = append(list, "-"+string(l))
	}
	return "[" + strings.Join(list, " ") + "]"
}

// commandPage is the page of a command with a name.
func commandPage(c *cobra.Command) string {
	r := newPage("conntrack-"+c.Name(), "8", c.Short)
	r.section("SYNOPSIS")
	r.line(".B conntrack " + c.Name())
	_, arguments, _ := strings.Cut(c.Use, " ")
	if c.HasAvailableFlags() {
		arguments += " [OPTIONS]"
	}
	r.text(strings.TrimSpace(arguments))
	r.section("DESCRIPTION")
	if c.Long != "" {
		r.help(c.Long)
	} else {
		r.text(c.Short + ".")
	}
	if c.HasAvailableFlags() {
		r.section("OPTIONS")
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			var short byte
			if f.Shorthand != "" {
				short = f.Shorthand[0]
			}
			value := f.Value.Type()
			if value == "bool" {
				value = ""
			}
			r.option(short, f.Name, cmdline.OptionText{Value: value, Text: f.Usage}, "")
		})
	}
	if c.Example != "" {
		r.section("EXAMPLES")
		r.literal(strings.Split(c.Example, "\n"))
	}
	r.seeAlso()
	return r.String()
}

// page is a manual page in man(7)'s macros.
type page struct {
	strings.Builder
	// fresh: there is nothing below the last heading.
	fresh bool
}

func newPage(name, section, short string) *page {
	r := &page{}
	r.line(fmt.Sprintf(".TH %s %s %q %q", strings.ToUpper(roffEscape(name)), section, manDate(), "gonntrack"))
	r.section("NAME")
	r.text(name + " - " + strings.ToLower(short[:1]) + short[1:])
	return r
}

// manDate returns the day of SOURCE_DATE_EPOCH, so that the same source makes the
// same pages, or "" if that is not set.
func manDate() string {
	n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return ""
	}
	return time.Unix(n, 0).UTC().Format(time.DateOnly)
}

func (r *page) line(s string) { r.WriteString(s + "\n") }

func (r *page) section(name string) {
	r.line(".SH " + name)
	r.fresh = true
}

// text adds words that are filled.
func (r *page) text(s string) {
	if s != "" {
		r.line(roffEscape(s))
		r.fresh = false
	}
}

// option adds a paragraph for an option.
func (r *page) option(short byte, long string, help cmdline.OptionText, commands string) {
	r.line(".TP")
	names := "--" + long
	if isLetter(short) {
		names = "-" + string(rune(short)) + ", " + names
	}
	r.WriteString(".BI " + quoteRoff(names) + " " + quoteRoff(" "+help.Value) + "\n")
	r.text(strings.TrimSpace(help.Text + " " + commands))
}

// seeAlso ends the page.
func (r *page) seeAlso() {
	r.section("SEE ALSO")
	r.line(".BR conntrack (8),")
	for _, topic := range helpTopics {
		r.line(".BR conntrack-" + topic.name + " (7),")
	}
	r.line(".BR nft (8),")
	r.line(".BR ip-netns (8)")
}

// help adds a help text: paragraphs are filled; a line that ends in a colon
// over what is indented is a heading; what is indented is a list of terms and
// their descriptions where it can be read so, else it is literal.
func (r *page) help(text string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := 0; i < len(lines); {
		end := i
		for end < len(lines) && lines[end] != "" && indentOf(lines[end]) == 0 {
			end++
		}
		switch {
		case lines[i] == "":
			i++
		case end == i: // indented
			for end < len(lines) && lines[end] != "" && indentOf(lines[end]) > 0 {
				end++
			}
			r.block(lines[i:end])
			i = end
		case end == i+1 && strings.HasSuffix(lines[i], ":") && end < len(lines) && lines[end] != "":
			r.line(".SS " + quoteRoff(strings.TrimSuffix(lines[i], ":")))
			r.fresh = true
			i = end
		default:
			if !r.fresh {
				r.line(".PP")
			}
			for _, l := range lines[i:end] {
				r.text(l)
			}
			i = end
		}
	}
}

// block adds lines that are indented.
func (r *page) block(lines []string) {
	items := definitions(lines)
	if items == nil {
		r.literal(lines)
		return
	}
	for _, item := range items {
		r.line(".TP")
		r.line(".B " + roffEscape(item[0]))
		r.text(item[1])
	}
}

// literal adds lines as they are, moved to the left: they may be as wide as a
// terminal.
func (r *page) literal(lines []string) {
	left := indentOf(lines[0])
	for _, l := range lines {
		left = min(left, indentOf(l))
	}
	if !r.fresh {
		r.line(".PP")
	}
	r.line(".nf")
	r.line(".in 3n")
	for _, l := range lines {
		r.line(roffEscape(l[left:]))
	}
	r.line(".in")
	r.line(".fi")
	r.fresh = false
}

// definitions reads lines as terms, each with a description two blanks behind
// it, which goes on in lines that begin in its column. It returns nil where
// they are something else.
func definitions(lines []string) [][2]string {
	var items [][2]string
	left, column := indentOf(lines[0]), 0
	for _, l := range lines {
		switch indent := indentOf(l); {
		case indent == left:
			term, text, ok := strings.Cut(l[left:], "  ")
			if !ok {
				term, text = l[left:], ""
				column = -1 // wherever the next line begins
			} else {
				column = len(l) - len(strings.TrimLeft(text, " "))
			}
			items = append(items, [2]string{term, strings.TrimSpace(text)})
		case column < 0 && indent > left:
			column = indent
			items[len(items)-1][1] = strings.TrimSpace(l)
		case indent == column && indent > left:
			items[len(items)-1][1] += " " + strings.TrimSpace(l)
		default:
			return nil
		}
	}
	for _, item := range items {
		if item[1] == "" || strings.Contains(item[1], "   ") {
			return nil
		}
	}
	return items
}

func indentOf(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }

// roffEscape makes text of a line of a page: roff(7).
func roffEscape(s string) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case c == '\\':
			b.WriteString(`\e`)
		case c == '-':
			b.WriteString(`\-`)
		case c == '`':
			b.WriteString(`\(ga`)
		case c == '\'':
			b.WriteString(`\(aq`)
		case c == '"':
			b.WriteString(`\(dq`)
		case c == '~':
			b.WriteString(`\(ti`)
		case c == '^':
			b.WriteString(`\(ha`)
		case i == 0 && c == '.':
			b.WriteString(`\&.`)
		case c >= 0x80:
			fmt.Fprintf(&b, `\[u%04X]`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// quoteRoff makes one argument of a macro.
func quoteRoff(s string) string { return `"` + roffEscape(s) + `"` }
