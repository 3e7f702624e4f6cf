package config

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each file of testdata/messages.txt gets the messages there, which are those of
// conntrack-tools.
func TestMessages(t *testing.T) {
	b, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(b), "\n> ")[1:]
	if len(cases) < 140 {
		t.Errorf("only %d files", len(cases))
	}
	letters := regexp.MustCompile(`~\d+\.`)
	replacer := strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t")
	for _, c := range cases {
		line, want, _ := strings.Cut(strings.TrimSuffix(c, "\n")+"\n", "\n")
		file := replacer.Replace(letters.ReplaceAllStringFunc(line, func(s string) string {
			n, _ := strconv.Atoi(s[1 : len(s)-1])
			return strings.Repeat("a", n)
		}))
		if got := said(file); strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("file:\n%s\ngot:\n%s\nwant:\n%s", file, got, want)
		}
	}
}

// FuzzParse parses any text. A configuration comes with no fatal message, and the other
// way round; and it can be judged.
func FuzzParse(f *testing.F) {
	for _, s := range corpus {
		f.Add([]byte(s))
	}
	f.Add([]byte("Sync { KeyFile /k Encrypt on Extensions off } General { Metrics [::1]:9100 }"))
	f.Add([]byte("Helper { Setup yes Type ftp inet tcp { QueueNum 1 QueueLen 2 Policy ftp { ExpectMax 1 } } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, messages := Parse(text)
		fatal := 0
		for i, m := range messages {
			if m.Fatal {
				fatal++
				if i != len(messages)-1 {
					t.Errorf("a message after the fatal one: %q", messages[i+1].Text)
				}
			}
			if m.Line < 0 || m.Line > 1+strings.Count(string(text), "\n") {
				t.Errorf("line %d: %q", m.Line, m.Text)
			}
		}
		if (c == nil) != (fatal == 1) {
			t.Errorf("%d fatal messages, and the configuration %v", fatal, c)
		}
		if c != nil {
			if len(c.Links) > maxLinks {
				t.Errorf("%d links", len(c.Links))
			}
			Check(c)
		}
	})
}
