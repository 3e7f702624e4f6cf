package e2e

import (
	"reflect"
	"strings"
	"testing"
)

// The harness itself: a comparison that is too lenient would let every scenario pass.

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		name, want, got string
		ok              bool
	}{
		{"nothing", "", "", true},
		{"something for nothing", "", "a\n", false},
		{"nothing for something", "> a", "", false},
		{"equal", "> a\n> b", "a\nb\n", true},
		{"order", "> a\n> b", "b\na\n", false},
		{"any order", "~ a\n~ b", "b\na\n", true},
		{"any order, each once", "~ a\n~ a", "a\nb\n", false},
		{"any order, one missing", "~ a\n~ b", "a\n", false},
		{"any order, one left over", "~ a\n~ b", "a\nb\nc\n", false},
		{"any order, then order", "~ a\n~ b\n> c", "b\na\nc\n", true},
		{"rest", "> a\n> ...", "a\nb\nc\n", true},
		{"rest of nothing", "> ...", "", true},
		{"rest, then order", "> ...\n> c", "a\nb\nc\n", true},
		{"rest, then missing", "> ...\n> d", "a\nb\nc\n", false},
		{"last line not ended", "> a", "a", false},
		{"number", "> id={id}.", "id=123.\n", true},
		{"no number", "> id={id}.", "id=x.\n", false},
		{"range", "> {90..100} s", "95 s\n", true},
		{"out of range", "> {90..100} s", "89 s\n", false},
		{"word", "> a {word} c", "a b.2 c\n", true},
		{"two words", "> a {word} c", "a b b c\n", false},
		{"anything", "> a{any}", "a b b c\n", true},
		{"bound", "> {ID}\n> {ID}", "12\n12\n", true},
		{"bound to another", "> {ID}\n> {ID}", "12\n13\n", false},
		{"version", "> conntrack {v}", "conntrack v1 (x)\n", true},
		{"another version", "> conntrack {v}", "conntrack v2 (x)\n", false},
		{"marks of regular expressions", "> [a] (b) c.", "[a] (b) c.\n", true},
		{"a dot is a dot", "> c.", "cd\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var want expected
			for line := range strings.Lines(tc.want) {
				kind, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
				if err := want.add(kind, text); err != nil {
					t.Fatal(err)
				}
			}
			m := matcher{version: "v1 (x)", bound: make(map[string]string)}
			if diff := m.compare(want, result{stdout: tc.got}); (diff == "") != tc.ok {
				t.Errorf("matches: %v, want %v\n%s", diff == "", tc.ok, diff)
			}
		})
	}
	var m matcher
	if m.compare(expected{}, result{status: 1}) == "" || m.compare(expected{}, result{stderr: "x\n"}) == "" {
		t.Error("a status or a message that was not expected passes")
	}
}

func TestParseScenario(t *testing.T) {
	const text = `# Idea.
# ours only: a reason
# needs: nft ip

$ one 'two' \
	three
> out
[ours] ! err
[reference] ! other
[!ours] ? 3
[ours] eventually client$ four &five&
stop five TERM
~ x
-- file --
$ not a command
`
	sc, err := parseScenario("name", text, "ours")
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{lineno: 5, command: "one 'two' three", want: expected{stdout: []wanted{{text: "out"}}, stderr: []wanted{{text: "err"}}}},
		{lineno: 11, eventually: true, netns: "client", command: "four", background: "five"},
		{lineno: 12, background: "five", terminate: true, want: expected{stdout: []wanted{{text: "x", anyOrder: true}}}},
	}
	if !reflect.DeepEqual(sc.steps, want) {
		t.Errorf("steps:\n%+v\nwant:\n%+v", sc.steps, want)
	}
	if sc.oursOnly != "a reason" || !reflect.DeepEqual(sc.needs, []string{"nft", "ip"}) {
		t.Errorf("header: %q, %q", sc.oursOnly, sc.needs)
	}
	lines := strings.Split(sc.script, "\n")
	if got := lines[4]; got != "step 0 'one ''two'' three'" {
		t.Errorf("line 5: %s", got)
	}
	if got := lines[10]; got != "[ours] step 1 'four &five&'" {
		t.Errorf("line 11: %s", got)
	}
	if !strings.HasSuffix(sc.script, "\n-- file --\n$ not a command\n") {
		t.Errorf("files: %q", sc.script)
	}
	if _, err := parseScenario("name", "> output of nothing\n", "ours"); err == nil {
		t.Error("output of no command is accepted")
	}
	if sc, err := parseScenario("name", text, "engine"); err != nil || len(sc.steps[0].want.stderr) != 1 || sc.kernelOnly == "" {
		t.Errorf("on a table file: %+v, %v", sc, err)
	}
}

func TestHolds(t *testing.T) {
	for _, tc := range []struct {
		condition string
		holds     string // for whom
	}{
		{"ours", "ours engine"}, {"kernel", "ours reference"}, {"engine", "engine"}, {"reference", "reference"},
	} {
		var got []string
		for _, contestant := range []string{"ours", "engine", "reference"} {
			if holds(tc.condition, contestant) {
				got = append(got, contestant)
			}
		}
		if strings.Join(got, " ") != tc.holds {
			t.Errorf("[%s] holds for %v, want %s", tc.condition, got, tc.holds)
		}
	}
}

func TestNeedsKernel(t *testing.T) {
	for text, want := range map[string]string{
		"$ conntrack -L\n":                          "",
		"# needs: connlabel.conf\n$ conntrack -L\n": "",
		"# needs: nft\n$ conntrack -L\n":            "packet filter rules",
		"lab\nclient$ true\n":                       "packets",
		"sysctl a=1\n":                              "sysctls",
		"[ours] $ peek\n":                           "another decoder, which asks the kernel",
		"# kernel only: a reason\n$ nft\n":          "a reason",
	} {
		sc, err := parseScenario("name", text, "engine")
		if err != nil || sc.kernelOnly != want {
			t.Errorf("%q needs the kernel for %q, want %q (%v)", text, sc.kernelOnly, want, err)
		}
	}
}
