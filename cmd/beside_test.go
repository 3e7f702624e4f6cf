package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// TestExternalFind: the program is found beside the executable, links resolved,
// then in ../libexec/gonntrack, then in PATH.
func TestExternalFind(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	file := func(name string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(root, filepath.FromSlash(name)) + suffix
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	self := file("opt/sbin/conntrack", 0o755)
	link := filepath.Join(root, "link")
	if err := os.Symlink(self, link); err != nil {
		t.Log(err)
		link = self // Windows without the privilege
	}
	t.Setenv("PATH", filepath.Join(root, "path"))
	top := externalNamed("top")

	if path, err := top.find(link); err == nil {
		t.Fatalf("found %s, which is not there", path)
	} else if text := err.Error(); !strings.Contains(text, "conntrack-top") || !strings.Contains(text, filepath.Dir(self)) {
		t.Errorf("%s", text)
	}
	// From the last place to the first.
	for _, name := range []string{"path/conntrack-top", "opt/libexec/gonntrack/conntrack-top", "opt/sbin/conntrack-top"} {
		if runtime.GOOS != "windows" {
			file(name, 0o644) // is passed over
			before, _ := top.find(link)
			if before == filepath.Join(root, filepath.FromSlash(name)) {
				t.Errorf("found %s, which is not executable", name)
			}
			if err := os.Remove(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
		want := file(name, 0o755)
		if got, err := top.find(link); got != want || err != nil {
			t.Errorf("found %q, error %v, want %s", got, err, want)
		}
	}
	// Without the path of the executable there is PATH.
	if got, err := top.find(""); got != filepath.Join(root, "path", "conntrack-top")+suffix || err != nil {
		t.Errorf("found %q, error %v", got, err)
	}
}

// TestExternalMissing: a message says what is missing; the tree is not started.
func TestExternalMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for i := range externals {
		x := &externals[i]
		var out, errs bytes.Buffer
		p := &program{Streams: console.NewStreams(strings.NewReader(""), &out, &errs)}
		if status := p.main([]string{x.name, "--help"}); status != exitFailure {
			t.Errorf("%s: status %d", x.name, status)
		}
		if out.Len() > 0 || !strings.Contains(errs.String(), "cmd/"+x.program()+"@latest") {
			t.Errorf("%s: stdout %q, stderr %q", x.name, &out, &errs)
		}
		if isCommandName(x.name) {
			t.Errorf("%s is the name of a command of the tree, too", x.name)
		}
		for _, name := range wholeTree {
			if !slices.Contains(p.treeNames(name), x.name) {
				t.Errorf("%s does not know %s", name, x.name)
			}
		}
	}
}
