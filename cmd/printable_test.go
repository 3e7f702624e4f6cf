package cmd

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// TestStandardStreams: the streams of the process are used in few places. All
// others write to console.Streams, whose messages are printable.
func TestStandardStreams(t *testing.T) {
	allowed := map[string]int{"cmd.go": 1, "beside_other.go": 1,
		filepath.Join("conntrackd", "main_linux.go"): 1, filepath.Join("conntrackd", "main_other.go"): 1}
	for path, n := range map[string]int{"replay/replay.go": 1, "top/main.go": 2, "top/terminal.go": 2} {
		allowed[filepath.FromSlash("internal/"+path)] = n
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		n := 0
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte("os.Stderr")) || bytes.Contains(line, []byte("os.Stdout")) {
				n++
			}
		}
		if n != allowed[path] {
			t.Errorf("%s: %d lines with os.Stdout or os.Stderr, want %d", path, n, allowed[path])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzMessages puts words into command lines, paths and the environment, and text
// into files that are loaded. Whatever they are, no character that is not printable
// reaches standard output or standard error.
func FuzzMessages(f *testing.F) {
	dir := f.TempDir()
	f.Setenv("HOME", dir)
	f.Setenv("CONNTRACK_TABLE", filepath.Join(dir, "table"))
	run := func(args ...string) []byte {
		var both bytes.Buffer
		p := &program{Streams: console.NewStreams(strings.NewReader(""), &both, &both)}
		p.main(args)
		return both.Bytes()
	}
	run("-I", "-s", "10.0.0.1", "-d", "10.0.0.2", "-p", "udp", "--sport", "1", "--dport", "2", "-t", "3000")
	file := filepath.Join(dir, "file")
	missing := filepath.Join(dir, "no", "x")

	commands := func(word string) [][]string {
		return [][]string{
			{"x" + word}, {"-L", word}, {"-L", "--x" + word}, {"list", "x" + word}, {"list", "--x" + word},
			{"-L", "-s", word}, {"-L", "-r", word}, {"-L", "-p", word}, {"-L", "-f", word}, {"-L", "-u", word},
			{"-L", "-n", word}, {"-L", "-m", word}, {"-L", "-w", word}, {"-L", "-i", word}, {"-L", "-l", word},
			{"-L", "-p", "tcp", "--state", word}, {"-L", "-p", "tcp", "--dport", "," + word}, {"-L", "-p", "sctp", "--state", word},
			{"-L", "-a", word}, {"-L", "--host", word}, {"-L", "--port", word}, {"-L", "--older", word},
			{"-L", "--min-bytes", word}, {"-L", "--limit", "x" + word}, {"-L", "--sort", word}, {"-L", "--by", word},
			{"-L", "-o", "csv", "--columns", word}, {"-L", "--labelmap", missing + word, "-l", word},
			{"-L", "--netns", "x" + word}, {"-L", "--netns", missing + word}, {"-L", "--table", missing + word},
			{"-U", "-t", "x" + word}, {"-G", "-b", word}, {"-R", missing + word}, {"-R", file, "--x" + word},
			{"summary", word}, {"explain", "-s", word}, {"save", missing + word}, {"load", missing + word},
			{"man", missing + word}, {"completion", "x" + word}, {"help", "x" + word}, {"help", word}, {"list", "-s", word},
			{"list", "--" + word}, {"save", missing, word, word}, {"list", "-p", word}, {"list", "-p", "tcp", "--dport", word},
			{"update", "-t", "x" + word}, {"list", "-m", word}, {"list", "-u", word}, {"count", "-w", word},
			{"-L", "--match", missing + word}, {"-L", "--match", file}, {"-L", "--table", file}, {"load", "--table-file", file},
			{"-R", file, "--dry-run", "--keep-going"}, {"-R", file, "--keep-going"}, {"-R", file},
			{"load", file}, {"load", "--dry-run", file},
		}
	}
	for _, word := range []string{"", "\x1b[2K", "a\nconntrack: b", "\u202e", "\u009b1m", "x\xff,\x00", "\u2028!", "%s%n"} {
		for n := range commands("") {
			f.Add(uint8(n), word, "# "+word)
		}
		for n := range uint8(5) {
			f.Add(255-n, "", "-D -s 10.0.0.1 #"+word+"\n-F -s "+word)
			f.Add(255-n, "", "-D -s 10.0.0.1 "+word+"\n")
			f.Add(255-n, "", "-D -l "+word+"\n")
			f.Add(255-n, "", "-A -s 10.0.0.3 -d 10.0.0.2 -p udp --sport 1 --dport 2 -t 3000 --helper \"x"+word+"\"\n")
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, word, text string) {
		if strings.Contains(text, "/") {
			return // names files
		}
		word = strings.ReplaceAll(word, "/", "_")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all := commands(word)
		args := all[int(which)%len(all)]
		if which > 255-5 {
			args = all[len(all)-1-int(255-which)] // those that load the file are the last
		}
		if out := run(args...); !printable.Is(bytes.ReplaceAll(out, []byte("\n"), nil)) {
			t.Errorf("%q: %q", args, out)
		}
		t.Setenv("CONNTRACK_TABLE", missing+strings.ReplaceAll(word, "\x00", ""))
		if out := run("-L"); !printable.Is(bytes.ReplaceAll(out, []byte("\n"), nil)) || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("in the environment: %q: %q", word, out)
		}
	})
}
