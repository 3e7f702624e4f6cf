package e2e

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Tests of the harness: a comparison that is too lenient would let every scenario pass.

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
# long: another reason
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
		{lineno: 6, command: "one 'two' three",
			want:     expected{stdout: []wanted{{text: "out"}}, stderr: []wanted{{text: "err"}}},
			wantFrom: 7, wantTo: 8},
		{lineno: 12, eventually: true, netns: "client", command: "four", background: "five",
			contiguous: true, wantFrom: 12, wantTo: 12},
		{lineno: 13, background: "five", terminate: true, want: expected{stdout: []wanted{{text: "x", anyOrder: true}}},
			contiguous: true, wantFrom: 13, wantTo: 14},
	}
	if !reflect.DeepEqual(sc.steps, want) {
		t.Errorf("steps:\n%+v\nwant:\n%+v", sc.steps, want)
	}
	if sc.oursOnly != "a reason" || sc.long != "another reason" || !reflect.DeepEqual(sc.needs, []string{"nft", "ip"}) {
		t.Errorf("header: %q, %q, %q", sc.oursOnly, sc.long, sc.needs)
	}
	lines := strings.Split(sc.script, "\n")
	if got := lines[5]; got != "step 0 'one ''two'' three'" {
		t.Errorf("line 6: %s", got)
	}
	if got := lines[11]; got != "[ours] step 1 'four &five&'" {
		t.Errorf("line 12: %s", got)
	}
	if !strings.HasSuffix(sc.script, "\n-- file --\n$ not a command\n") {
		t.Errorf("files: %q", sc.script)
	}
	if _, err := parseScenario("name", "> output of nothing\n", "ours"); err == nil {
		t.Error("expected output without a command is accepted")
	}
	sc, err = parseScenario("name", text, "tablefile")
	if err != nil || len(sc.steps[0].want.stderr) != 1 || sc.kernelOnly == "" {
		t.Errorf("on a table file: %+v, %v", sc, err)
	}
}

func TestHolds(t *testing.T) {
	for _, tc := range []struct {
		condition string
		holds     string // for these subjects
	}{
		{"ours", "ours tablefile"}, {"kernel", "ours reference"}, {"tablefile", "tablefile"}, {"reference", "reference"},
	} {
		var got []string
		for _, subject := range []string{"ours", "tablefile", "reference"} {
			if holds(tc.condition, subject) {
				got = append(got, subject)
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
		"[ours] $ protoinfo\n":                      "another decoder, which asks the kernel",
		"# kernel only: a reason\n$ nft\n":          "a reason",
	} {
		sc, err := parseScenario("name", text, "tablefile")
		if err != nil || sc.kernelOnly != want {
			t.Errorf("%q needs the kernel for %q, want %q (%v)", text, sc.kernelOnly, want, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	const text = `$ one
> id={id} 1
> gone
! conntrack {v}: before
$ two
[ours] > x
$ three
> ...
$ four
# comment
> x
`
	sc, err := parseScenario("name", text, "ours")
	if err != nil {
		t.Fatal(err)
	}
	m := matcher{version: "v1.4.9 (conntrack-tools)", bound: make(map[string]string)}
	u, err := m.update(sc.steps[0], result{
		stdout: "tcp      6 99 ESTABLISHED src=10.0.0.1 id=7\nid=12 1\n\n",
		stderr: "conntrack v1.4.9 (conntrack-tools): after\n",
		status: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `$ one
> tcp      6 {secs} ESTABLISHED src=10.0.0.1 id={id}
> id={id} 1
>
! conntrack {v}: after
? 1
$ two
`
	_, rest, _ := strings.Cut(text, "$ two\n")
	if got := applyUpdates(text, []update{u}); got != want+rest {
		t.Errorf("got:\n%s", got)
	}
	for i, what := range []string{"conditions", "any further lines", "a comment before the expectation"} {
		if _, err := m.update(sc.steps[i+1], result{}); err == nil {
			t.Errorf("updated in spite of %s", what)
		}
	}
}

func TestBetween(t *testing.T) {
	for _, tc := range []struct {
		number, low, high string
		running           time.Duration
		ok                bool
	}{
		{"90", "90", "100", 0, true},
		{"89", "90", "100", 0, false},
		{"101", "90", "100", time.Minute, false},
		{"31", "90", "100", time.Minute, true}, // a slow machine
		{"3", "4", "5", time.Minute, false},    // not for seconds
	} {
		m := matcher{start: time.Now().Add(-tc.running)}
		if got := m.between(tc.number, tc.low, tc.high); got != tc.ok {
			t.Errorf("%s in {%s..%s} after %v: %v", tc.number, tc.low, tc.high, tc.running, got)
		}
	}
}

// TestReadme: the example in the README is the scenario that is tested.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("testdata/example.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```\n"+string(example)+"```\n") {
		t.Error("README.md does not have testdata/example.txtar as its example")
	}
}
