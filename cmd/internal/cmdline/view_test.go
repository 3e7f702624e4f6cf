package cmdline

import (
	"errors"
	"strings"
	"testing"
)

// TestView holds what command lines ask to be shown.
func TestView(t *testing.T) {
	for _, c := range []struct {
		line string
		err  string // "" if it is a good one
	}{
		{"-L --by src,dst/24,label", ""},
		{"-L --by src --sort -entries,src --limit 4 -o json", ""},
		{"-L --by nat --sort nat_src:desc,packets", ""},
		{"-L -o table --columns source,nat,orig-bytes", ""},
		{"-L --columns src", ""},
		{"-L expect --columns master,mask_src", ""},
		{"-L -o xml --sort -bytes,id --limit 10", ""},
		{"-L --sort -src/24", ""},
		{"-S -o prom", ""},
		{"-S expect -o table", ""},
		{"-G -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 2 -o table", ""},
		{"-L --by", "option `--by' requires an argument"},
		{"-L --by ''", "unknown field `' with --by"},
		{"-L --by src,", "unknown field `' with --by"},
		{"-L --by source/24", "`source' is not an address field"},
		{"-L --by dport/8", "`dport' is not an address field"},
		{"-L --by src/33/64", "invalid prefix length in `src/33/64'"},
		{"-L --by src/129", "invalid prefix length"},
		{"-L --by src/", "invalid prefix length"},
		{"-L --by mask_src", "entries have no `mask_src'"},
		{"-L --by src --sort dport", "groups have no `dport'"},
		{"-L --by src -o xml", "--by can only be used with -o json, jsonl, csv, table and prom"},
		{"-L --by src --columns src", "--columns cannot be used with --by"},
		{"-L --by src -o csv --columns src", "--columns cannot be used with --by"},
		{"-L --sort entries", "unknown field `entries' with --sort"},
		{"-L --sort ''", "--sort needs a key"},
		{"-L --sort src,,dst", "unknown field `' with --sort"},
		{"-L --limit 0", "unexpected value '0' with --limit"},
		{"-L --limit -1", "unexpected value '-1' with --limit"},
		{"-L --limit x", "unexpected value 'x' with --limit"},
		{"-L --limit 99999999999", "unexpected value '99999999999' with --limit"},
		{"-L -z --limit 5", "Can't use -z with --limit"},
		{"-L -o xml --columns src", "--columns can only be used with -o table and -o csv"},
		{"-L --columns zzz", "unknown field `zzz' with --columns"},
		{"-L expect --columns reply_src", "expectations have no `reply_src'"},
		{"-L expect --sort src", "Illegal option `--sort'"},
		{"-D -s 1.1.1.1 --limit 5", "Illegal option `--limit'"},
		{"-D -s 1.1.1.1 -o table", "-o table can only be used with -L, -G and -S"},
		{"-E -o table", "-o table can only be used with -L, -G and -S"},
		{"-L -o prom", "-o prom can only be used with -S and --by"},
		{"-S -o xml", "Illegal option `--output'"},
		{"-C -o table", "Illegal option `--output'"},
	} {
		var args []string
		for word := range strings.FieldsSeq(c.line) {
			args = append(args, strings.Trim(word, "'"))
		}
		_, err := ParseClassic(args, nil)
		var usage *UsageError
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.line, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", c.line, err, c.err)
		case err != nil && !errors.As(err, &usage):
			t.Errorf("%s: %v is no fault of the command line", c.line, err)
		}
	}
}

// TestRateWords: rates are offered where there are some.
func TestRateWords(t *testing.T) {
	for _, live := range []bool{false, true} {
		for _, by := range []string{"", "src"} {
			c := Completer{Command: CmdList, By: by, Live: live}
			if got := len(c.sortKeys("byte_r").Words) == 1; got != live {
				t.Errorf("live %t, groups by %q: byte_rate is offered: %t", live, by, got)
			}
		}
	}
	_, err := ParseClassic([]string{"-L", "--columns", "byterate"}, nil)
	if text := err.Error(); !strings.Contains(text, "did you mean `byte_rate'") || strings.Contains(text, "packet_rate") {
		t.Errorf("an unknown field: %s", text)
	}
}
