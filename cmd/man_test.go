package cmd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
			".TH CONNTRACK\\-"+strings.ToUpper(topic.name)+` 7 1970-01-02 "gonntrack `,
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
	const want = `A paragraph of \(gatwo\(aq lines.
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

// The pages are clean for mandoc.
func TestManLint(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	dir := t.TempDir()
	p := &program{Streams: console.Discard()}
	if err := p.named([]string{"man", dir}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	out, err := exec.Command(mandoc, append([]string{"-T", "lint"}, files...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("mandoc -T lint: %v\n%s", err, out)
	}
}

var readVariable = regexp.MustCompile(`os\.(?:Getenv|LookupEnv)\("([^"]+)"\)|FileVariable = "([^"]+)"`)

// Every variable that the programs read is in ENVIRONMENT.
func TestManEnvironment(t *testing.T) {
	daemon, err := os.ReadFile("conntrackd/man/conntrackd.8")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, e := range environment {
		listed = append(listed, strings.FieldsFunc(e.name+" "+e.text, func(c rune) bool { return strings.ContainsRune(" ,()", c) })...)
	}
	found := 0
	for _, root := range []string{".", "../ctnetlink", "../filter", "../format", "../stats", "../internal/atomicfile"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range readVariable.FindAllSubmatch(text, -1) {
				found++
				name, page, in := string(m[1])+string(m[2]), "conntrack(8)", false
				if strings.HasPrefix(path, "conntrackd") {
					page, in = "conntrackd(8)", bytes.Contains(daemon, []byte(".B "+name+"\n"))
				} else {
					in = slices.Contains(listed, name)
				}
				if !in {
					t.Errorf("%s reads %s, which ENVIRONMENT of %s does not name", path, name, page)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 6 {
		t.Errorf("only %d variables found", found)
	}
}

// conntrack(8) has the sections that people look for, and names every other page.
func TestManSections(t *testing.T) {
	pages := manPages((&program{Streams: console.Discard()}).newTree("man"))
	whole := pages["conntrack.8"]
	for _, section := range []string{"SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES",
		"NOTES", "SEE ALSO"} {
		if _, text, ok := strings.Cut(whole, "\n.SH "+section+"\n"); !ok || strings.HasPrefix(text, ".SH") {
			t.Errorf("conntrack.8 has no text in %s", section)
		}
	}
	synopsis, _, _ := strings.Cut(whole, "\n.SH DESCRIPTION")
	for _, o := range cmdline.LoadOptions {
		if !strings.Contains(synopsis, roffEscape("[--"+o.Name())) {
			t.Errorf("the synopsis of -R has no --%s", o.Name())
		}
	}
	for name := range pages {
		reference := ".BR " + roffEscape(strings.TrimSuffix(name, filepath.Ext(name))) + " (" + name[len(name)-1:] + ")"
		for other, text := range pages {
			if (other == "conntrack.8" || name == "conntrack.8") && (strings.Contains(text, reference) == (name == other)) {
				t.Errorf("%s: reference to %s: %v", other, name, name != other)
			}
		}
	}
}
