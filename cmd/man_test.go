package cmd

import (
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// The manual has a page for each command and topic, and names every option.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	p := &program{Streams: console.Discard()}
	pages := manPages(p.newTree("man"))
	for _, name := range commandNames {
		page := "conntrack-" + name + ".8"
		switch _, ok := pages[page]; {
		case strings.HasPrefix(name, "__") || name == "help" || name == "completion" || name == "man":
		case !ok:
			t.Errorf("no %s", page)
		}
	}
	for _, topic := range helpTopics {
		if !strings.Contains(
			pages["conntrack-"+topic.name+".7"],
			".TH CONNTRACK\\-"+strings.ToUpper(topic.name)+` 7 "1970-01-02"`,
		) {
			t.Errorf("no page for the topic %s", topic.name)
		}
	}
	whole := pages["conntrack.8"]
	for _, w := range cmdline.AllWords() {
		if w.Option != cmdline.OptNATRange && !isAlias(w) && !strings.Contains(whole, roffEscape("--"+w.Long)) {
			t.Errorf("conntrack.8 does not name --%s", w.Long)
		}
	}
	for name, text := range pages {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "'") ||
				strings.HasPrefix(line, ".") &&
					!strings.Contains(" .TH .SH .SS .PP .TP .B .BI .BR .I .br .nf .fi .in ", " "+strings.Fields(line)[0]+" ") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

func TestManText(t *testing.T) {
	r := &page{fresh: true}
	r.help(
		"A paragraph\nof `two' lines.\n\nOptions:\n  -a X    what it does\n          and more\n  -b      the other\n\n.dot:\n\n  1  2  3\n    deeper\n",
	)
	const want = `A paragraph
of \(gatwo\(aq lines.
.SS "Options"
.TP
.B \-a X
what it does and more
.TP
.B \-b
the other
.PP
\&.dot:
.PP
.nf
.in 3n
1  2  3
  deeper
.in
.fi
`
	if r.String() != want {
		t.Errorf("got\n%s\nwant\n%s", r.String(), want)
	}
}

// Every option has its help.
func TestOptionHelp(t *testing.T) {
	for _, w := range cmdline.AllWords() {
		if w.Option != cmdline.OptNATRange && w.Help().Text == "" {
			t.Errorf("--%s has no help", w.Long)
		}
	}
}
