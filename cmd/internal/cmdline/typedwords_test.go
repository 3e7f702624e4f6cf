package cmdline

import (
	"slices"
	"testing"
)

func TestTypedWords(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
		bad  bool
	}{
		{"", nil, false},
		{"  \t ", nil, false},
		{"-p tcp  --dport=443 ", []string{"-p", "tcp", "--dport=443"}, false},
		{`-s '!10.0.0.0/8' -l "a b" c\ d`, []string{"-s", "!10.0.0.0/8", "-l", "a b", "c d"}, false},
		{`''`, []string{""}, false},
		{`a''b"c"d`, []string{"abcd"}, false},
		{`"a\"b\\c\d$x" \'`, []string{`a"b\c\d$x`, "'"}, false},
		{`'a\'`, []string{`a\`}, false},
		{`a\`, []string{`a\`}, false},
		{"# -p tcp", []string{"#", "-p", "tcp"}, false},
		{"'a", nil, true},
		{`a "b\"`, nil, true},
		{`"`, nil, true},
	} {
		got, err := TypedWords(c.line)
		if !slices.Equal(got, c.want) || (err != nil) != c.bad {
			t.Errorf("%s: %q, %v", c.line, got, err)
		}
	}
}
