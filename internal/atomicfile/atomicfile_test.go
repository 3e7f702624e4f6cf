package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	for _, o := range []Options{{}, {Temp: ".tmp"}, {ExitOnSignal: true}} {
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

// TestTemp: a temporary file with a fixed name replaces what has that name.
func TestTemp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(precious, path+".tmp"); err != nil {
		t.Skip(err)
	}
	if err := write(t, path, "text", Options{Temp: ".tmp"}); err != nil {
		t.Fatal(err)
	}
	if content(t, precious) != "keep" || content(t, path) != "text" {
		t.Errorf("%q and %q", content(t, precious), content(t, path))
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
