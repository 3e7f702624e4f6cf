package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/words"
)

// page returns a manual page without its escapes.
func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("man/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), `\-`, "-")
}

// The manual describes every option and request of the usage, with its values, and no
// other one.
func TestManualRequests(t *testing.T) {
	text := page(t, "conntrackd.8")
	const option = `(?m)^  (--?[a-zA-Z]+)((?: \[[^\]]*\]| [A-Z]+)*)`
	var names []string
	for _, m := range regexp.MustCompile(option).FindAllStringSubmatch(words.Usage("conntrackd"), -1) {
		names = append(names, m[1])
		heading := regexp.MustCompile(`(?m)^\.TP\n\.B[IR]? ` + m[1] + `\b.*`).FindString(text)
		if heading == "" {
			t.Errorf("conntrackd(8) does not describe %s", m[1])
		}
		for value := range strings.FieldsFuncSeq(m[2], func(r rune) bool { return strings.ContainsRune(" []|", r) }) {
			if !strings.Contains(heading, value) {
				t.Errorf("conntrackd(8) does not name %s of %s: %s", value, m[1], heading)
			}
		}
	}
	if len(names) < 15 {
		t.Errorf("options of the usage: %q", names)
	}
	for _, m := range regexp.MustCompile(`(?m)^\.TP\n\.B[IR]? (--?[a-zA-Z]+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("conntrackd(8) describes %s, which the usage does not name", m[1])
		}
	}
}

// Both pages have only macros of man(7), and a place for the date and the version.
func TestManualMacros(t *testing.T) {
	for _, name := range []string{"conntrackd.8", "conntrackd.conf.5"} {
		text := page(t, name)
		if !regexp.MustCompile(`^\.TH [A-Z.]+ [58] "@DATE@" "gonntrack @VERSION@" "gonntrack manual"\n`).MatchString(text) {
			t.Errorf("%s: another title", name)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") &&
				!strings.Contains(" .TH .SH .SS .PP .TP .B .BI .BR .I .IR .RB .br .nf .fi .in ", " "+strings.Fields(line)[0]+" ") {
				t.Errorf("%s: %q", name, line)
			}
			if len(line) > 96 {
				t.Errorf("%s: a long line: %q", name, line)
			}
		}
	}
}
