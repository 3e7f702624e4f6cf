package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// names returns what is in a directory.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// write replaces a file.
func write(t *testing.T, path, text string, o Options) error {
	t.Helper()
	f, err := Create(path, o)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return f.Commit()
}

// TestReplace: Commit replaces the file; before it, and after Discard, there is
// only the old one.
func TestReplace(t *testing.T) {
	for _, o := range []Options{{}, {named: true}, {ExitOnSignal: true}, {named: true, ExitOnSignal: true}} {
		dir := t.TempDir()
		path := filepath.Join(dir, "table")
		for _, text := range []string{"first", "second"} {
			f, err := Create(path, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if err := f.Finish(); err != nil {
				t.Fatal(err)
			}
			if text == "second" && content(t, path) != "first" {
				t.Errorf("%+v: before the commit: %q", o, content(t, path))
			}
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
			f.Discard() // does nothing after Commit
			if got := names(t, dir); content(t, path) != text || !slices.Equal(got, []string{"table"}) {
				t.Errorf("%+v: %q in %q, want %q", o, content(t, path), got, text)
			}
			if info, err := os.Stat(path); err != nil || !os.SameFile(info, f.Info()) || info.Size() != f.Info().Size() {
				t.Errorf("%+v: Info is not of the file", o)
			}
		}
		f, err := Create(path, o)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte("third"))
		f.Discard()
		f.Discard()
		if got := names(t, dir); content(t, path) != "second" || !slices.Equal(got, []string{"table"}) {
			t.Errorf("%+v: discarded: %q in %q", o, content(t, path), got)
		}
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	if err := write(t, dir, "text", Options{}); err == nil {
		t.Error("a directory is replaced")
	}
	if err := write(t, filepath.Join(dir, "missing", "table"), "text", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that is missing: %v", err)
	}
	path := filepath.Join(dir, "table")
	f, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil { // after Create
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil {
		t.Error("a directory is replaced by Commit")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"table"}) {
		t.Errorf("left: %q", got)
	}
}

// TestAbandoned: what a killed process leaves is removed by the next that writes
// the file. What is being written stays, and so do files of the user's with
// other names.
func TestAbandoned(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	running, err := Create(path, Options{named: true})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Discard()
	abandoned := filepath.Join(dir, ".table.conntrack-tmp-123")
	keep := []string{
		".table.conntrack-tmp-", ".table.conntrack-tmp-12x", ".table.conntrack-tmp-99999999999",
		".table.123", ".table2.conntrack-tmp-1", "table.tmp", filepath.Base(running.file.Name()),
	}
	for _, name := range append(keep[:len(keep)-1:len(keep)-1], filepath.Base(abandoned)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []Options{{}, {named: true}} {
		if err := write(t, path, "text", o); err != nil {
			t.Fatal(err)
		}
		want := append([]string{"table"}, keep...)
		slices.Sort(want)
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
	if err := running.Commit(); err != nil || content(t, path) != "" {
		t.Errorf("%v, %q", err, content(t, path))
	}
}

// TestLongName: the name of the temporary file is not too long where the file's
// is not.
func TestLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 255))
	for _, o := range []Options{{}, {named: true}} {
		if err := write(t, path, "text", o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestLinks: the file at the end of symbolic links is replaced, or created.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	link, inner, path := filepath.Join(dir, "link"), filepath.Join(dir, "inner"), filepath.Join(dir, "table")
	for from, to := range map[string]string{link: "inner", inner: path} {
		if err := os.Symlink(to, from); err != nil {
			t.Skip(err)
		}
	}
	for _, text := range []string{"first", "second"} {
		if err := write(t, link, text, Options{}); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || content(t, link) != text {
			t.Fatalf("%v, %v, %q", info, err, content(t, link))
		}
	}
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("left: %q", got)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if err := write(t, loop, "text", Options{}); err == nil {
		t.Error("a loop of links was written to")
	}
}
