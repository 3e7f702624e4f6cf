package cmd

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/spf13/cobra"
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
	if err := console.MayOpen(dir); err != nil {
		return err
	}
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
	pages := map[string]*page{"conntrack.8": overviewPage(root)}
	for _, c := range root.Commands() {
		if !c.Hidden && externalNamed(c.Name()) == nil && !slices.Contains([]string{"help", "completion", "man"}, c.Name()) {
			pages["conntrack-"+c.Name()+".8"] = commandPage(c)
		}
	}
	for i := range externals {
		pages[externals[i].program()+".8"] = externalPage(&externals[i])
	}
	for _, topic := range helpTopics {
		r := newPage("conntrack-"+topic.name, "7", topic.short)
		r.section("DESCRIPTION")
		r.help(topic.text)
		pages["conntrack-"+topic.name+".7"] = r
	}
	names := slices.SortedFunc(maps.Keys(pages), func(a, b string) int {
		// By section, and conntrack(8) first.
		return cmp.Or(-strings.Compare(path.Ext(a), path.Ext(b)), strings.Compare(a, b))
	})
	texts := map[string]string{}
	for name, r := range pages {
		// Every page names conntrack(8) and the topics; conntrack(8) names all.
		others := slices.DeleteFunc(slices.Clone(names), func(other string) bool {
			return other == name || name != "conntrack.8" && other != "conntrack.8" && path.Ext(other) == ".8"
		})
		r.seeAlso(append(others, "nft.8", "ip-netns.8"))
		texts[name] = r.String()
	}
	return texts
}

// overviewPage is conntrack(8).
func overviewPage(root *cobra.Command) *page {
	r := newPage("conntrack", "8", root.Short)
	r.section("SYNOPSIS")
	load := "-R FILE"
	for _, o := range cmdline.LoadOptions {
		w := o.Word()
		load += " [" + strings.TrimSpace("--"+w.Long+" "+strings.ToUpper(w.HelpFor(cmdline.CmdLoad).Value)) + "]"
	}
	for i, line := range []string{"COMMAND [TABLE] [OPTIONS]", "NAME [TABLE] [OPTIONS]", load} {
		if i > 0 {
			r.line(".br")
		}
		r.line(".B conntrack")
		r.text(line)
	}
	text, examples, notes := overviewParts()
	r.section("DESCRIPTION")
	r.help(text)
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
		letters := o.Flows
		if slices.Contains(cmdline.LoadOptions, o.Option) && letters != cmdline.EveryCommand && letters != "R" {
			letters += "R"
		}
		r.option(0, o.Long, o.Help, lettersOf(letters))
	}
	r.section("OPTIONS OF PROTOCOLS")
	r.text("They are known after -p with a protocol that has them; see conntrack-protocols(7).")
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
	r.exitStatus()
	r.section("ENVIRONMENT")
	for _, e := range environment {
		r.term(e.name, e.text)
	}
	r.section("FILES")
	for _, f := range [][2]string{
		{cmdline.DefaultLabelMap, "names of labels: one per line, bit and name"},
		{"/etc/protocols, /etc/services", "names of protocols and of ports"},
		{"/run/netns/NAME", "network namespaces with a name (ip-netns(8))"},
		{action.ProcCount + ", " + action.ProcStats, "read by -C and -S if netlink refuses them"},
	} {
		r.line(".TP")
		r.line(".I " + roffEscape(f[0]))
		r.text(f[1])
	}
	r.section("EXAMPLES")
	r.literal(examples)
	r.section("NOTES")
	r.help(notes)
	return r
}

// overviewParts cuts the overview into what describes the program, the lines of
// the examples, and what follows them. The exit status has a section of its own.
func overviewParts() (text string, examples []string, notes string) {
	text, rest, _ := strings.Cut(helpText, "\nExit status:")
	_, rest, _ = strings.Cut(rest, "\nExamples:\n")
	lines, notes, _ := strings.Cut(rest, "\n\n")
	return text, strings.Split(lines, "\n"), notes
}

// exitStatus adds the section about the exit status.
func (r *page) exitStatus() {
	r.section("EXIT STATUS")
	r.term("0", "success")
	r.term("1", "failure, or no entry found to act on")
	r.term("2", "a wrong command line")
}

// environment are the variables that the program reads.
var environment = []struct{ name, text string }{
	{"CONNTRACK_TABLE", "a table file, used in place of the kernel's table unless --table or --netns is given"},
	{"COLUMNS", "width of tables, in place of the width of the terminal"},
	{"NO_COLOR", "if set and not empty, tables have no colours"},
	{"TERM", "if it is dumb, tables have no colours, and top has no screen"},
	{"LC_ALL, LC_CTYPE, LANG", "the screen of top has characters beyond ASCII if the first that is set names UTF-8"},
	{"GOMAXPROCS", "how many threads run at a time; top chooses more than the default unless it is set"},
	{"POSIXLY_CORRECT", "if set, the first word that is not an option ends the options (classic grammar)"},
	{"TZ", "time zone of the times shown by -o ktimestamp"},
	{"PATH", "where conntrack-top and conntrack-replay are looked for last"},
	{"XDG_STATE_HOME, HOME", "directory of the table file that is used on systems without a table in the kernel " +
		"(LocalAppData on Windows)"},
	{"SOURCE_DATE_EPOCH", "date of the manual pages that `conntrack man' writes"},
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
func commandPage(c *cobra.Command) *page {
	r := newPage("conntrack-"+c.Name(), "8", c.Short)
	r.section("SYNOPSIS")
	r.line(".B conntrack " + c.Name())
	_, arguments, _ := strings.Cut(useLine(c), " ")
	r.text(arguments)
	r.section("DESCRIPTION")
	if c.Long != "" {
		r.help(c.Long)
	} else {
		r.text(c.Short + ".")
	}
	if len(c.ValidArgs) > 1 {
		r.line(".PP")
		r.text("The tables are conntrack (the default), " + strings.Join(c.ValidArgs[1:], ", ") + ".")
	}
	if list := shownFlags(c); len(list) > 0 {
		r.section("OPTIONS")
		for _, f := range list {
			var short byte
			if f.Shorthand != "" {
				short = f.Shorthand[0]
			}
			r.option(short, f.Name, cmdline.OptionText{Value: strings.TrimSpace(valueText(f)), Text: f.Usage}, "")
		}
	}
	if c.Flags().Lookup("host") != nil {
		r.line(".PP")
		r.text("Filters take lists and ranges, and a leading ! negates a value; see conntrack-filters(7).")
	}
	r.exitStatus()
	if c.Example != "" {
		r.section("EXAMPLES")
		r.literal(strings.Split(c.Example, "\n"))
	}
	return r
}

// externalPage is the page of a command that is a program of its own.
func externalPage(x *external) *page {
	r := newPage(x.program(), "8", x.short)
	r.section("SYNOPSIS")
	r.line(".B conntrack " + x.name)
	text, rest, _ := strings.Cut(x.help, "\n\nUsage:\n")
	usage, rest, _ := strings.Cut(rest, "\n\n")
	r.text(x.usage)
	rest, examples, _ := strings.Cut(rest, "\nExamples:\n")
	rest, exit, _ := strings.Cut(rest, "\nExit status:")
	r.section("DESCRIPTION")
	r.help(text)
	r.literal(strings.Split(usage, "\n"))
	r.help(rest)
	r.section("EXIT STATUS")
	r.text(strings.TrimSpace(exit))
	r.section("EXAMPLES")
	r.literal(strings.Split(strings.TrimSuffix(examples, "\n"), "\n"))
	return r
}

// manDate returns the date of the pages: the day of SOURCE_DATE_EPOCH, so that the
// same source makes the same pages, else that of the last commit, else today.
func manDate() string {
	t := time.Now()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				t = at
			}
		}
	}
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		t = time.Unix(n, 0)
	}
	return t.UTC().Format(time.DateOnly)
}

// manVersion returns the version that the pages describe.
func manVersion() string {
	v, _, _ := strings.Cut(buildVersion(), " ")
	return strings.Trim(v, "()")
}
