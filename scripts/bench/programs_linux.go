package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const modulePath = "github.com/gonntrack/gonntrack"

// role is the command line of this program in one of its other roles.
func role(name string, args ...string) []string {
	return append([]string{"/proc/self/exe", name}, args...)
}

// findPrograms builds ours and an empty one, and looks for the reference.
func (b *bench) findPrograms() error {
	if b.program == "" {
		b.program = b.file("conntrack")
		if err := build("", b.program, modulePath); err != nil {
			return err
		}
	}
	source := b.file("empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return err
	}
	b.empty = b.file("empty")
	if err := build(b.dir, b.empty, source); err != nil {
		return err
	}
	path, err := exec.LookPath(b.reference)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: no reference program, its column stays empty: %v\n", err)
		b.reference = ""
		return nil
	}
	b.reference, err = filepath.Abs(path)
	return err
}

// build makes a static program as it is released and installs it.
//
// To install is to copy: the linker writes its output through a mapping, page
// by page, and a program whose pages lie in the page cache like that starts up
// to an eighth slower than one that was written at once.
func build(dir, output, what string) error {
	linked := output + ".linked"
	c := exec.Command("go", "build", "-trimpath", "-o", linked, what)
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", what, err)
	}
	program, err := os.ReadFile(linked)
	if err != nil {
		return err
	}
	if err := os.WriteFile(output, program, 0o755); err != nil {
		return err
	}
	return os.Remove(linked)
}
