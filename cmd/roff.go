package cmd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// Manual pages in man(7)'s macros.

// page is a manual page in man(7)'s macros.
type page struct {
	strings.Builder
	// fresh: there is nothing below the last heading.
	fresh bool
}

// newPage returns a page with its title and its name; the footer has the date and
// the version.
func newPage(name, section, short string) *page {
	r := &page{}
	r.line(fmt.Sprintf(".TH %s %s %s %s %s", strings.ToUpper(roffEscape(name)), section, manDate(),
		quoteRoff("gonntrack "+manVersion()), quoteRoff("gonntrack manual")))
	r.section("NAME")
	r.text(name + " - " + strings.ToLower(short[:1]) + short[1:])
	return r
}

func (r *page) line(s string) { r.WriteString(s + "\n") }

func (r *page) section(name string) {
	r.line(".SH " + name)
	r.fresh = true
}

// textWidth is how wide the lines of a page's source are.
const textWidth = 78

// text adds words that are filled.
func (r *page) text(s string) {
	line := ""
	for word := range strings.FieldsSeq(references(s)) {
		word = roffEscape(word)
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > textWidth:
			r.line(line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		r.line(line)
		r.fresh = false
	}
}

// helpReference returns what matches a reference of a help text to another one. It
// is compiled when it is needed: a start of the program must not wait for it.
var helpReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("`?(?:conntrack )?\\bhelp ([a-z]+)\\b'?")
})

// references puts manual pages in place of what to type for their help.
func references(s string) string {
	return helpReference().ReplaceAllStringFunc(s, func(match string) string {
		name := helpReference().FindStringSubmatch(match)[1]
		switch {
		case slices.Contains(topicNames(), name):
			return "conntrack-" + name + "(7)"
		case isCommandName(name):
			return "conntrack-" + name + "(8)"
		}
		return match
	})
}

// term adds an item of a list, with a term in bold.
func (r *page) term(term, text string) {
	r.line(".TP")
	r.line(".B " + roffEscape(term))
	r.text(text)
}

// option adds a paragraph for an option.
func (r *page) option(short byte, long string, help cmdline.OptionText, commands string) {
	r.line(".TP")
	names := "--" + long
	if isLetter(short) {
		names = "-" + string(rune(short)) + ", " + names
	}
	if help.Value == "" {
		r.line(".B " + roffEscape(names))
	} else {
		r.line(".BI " + quoteRoff(names) + " " + quoteRoff(" "+help.Value))
	}
	r.text(help.Text + " " + commands)
}

// seeAlso ends the page.
func (r *page) seeAlso(pages []string) {
	r.section("SEE ALSO")
	for i, page := range pages {
		name, section, _ := strings.Cut(page, ".")
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		r.line(".BR " + roffEscape(name) + " (" + section + ")" + end)
	}
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
			r.line(".SS " + quoteRoff(references(strings.TrimSuffix(lines[i], ":"))))
			r.fresh = true
			i = end
		default:
			if !r.fresh {
				r.line(".PP")
			}
			r.text(strings.Join(lines[i:end], "\n"))
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
		r.term(item[0], item[1])
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
