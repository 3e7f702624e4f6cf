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

// build makes a static program as it is released.
func build(dir, output, what string) error {
	c := exec.Command("go", "build", "-trimpath", "-o", output, what)
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", what, err)
	}
	return nil
}
