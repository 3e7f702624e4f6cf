// Typecheck reports whether every package of the module in the current
// directory, its tests included, compiles for other systems and processors:
//
//	typecheck linux/mips windows/amd64 ...
//
// It checks the types of all sources and generates no code, which takes a tenth
// of the time of go vet when the build cache is empty: go vet compiles the
// standard library for each target. What only the compiler and the linker find
// is found by scripts/release, which builds for all of them.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

func main() {
	// A target's types are many small objects that end together: most of the time
	// of a collection would find them all in use.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(3 << 29)
	failed := false
	for _, target := range os.Args[1:] {
		fmt.Println(target)
		if err := check(target); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// check returns the errors of the module's own packages for one target.
func check(target string) error {
	system, arch, ok := strings.Cut(target, "/")
	if !ok {
		return fmt.Errorf("%q is not a target such as linux/mips", target)
	}
	all, err := packages.Load(&packages.Config{
		Mode:      packages.LoadAllSyntax | packages.NeedModule,
		Tests:     true,
		Env:       append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0"),
		Fset:      fset,
		ParseFile: parseOnce,
	}, "./...")
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("there is no package here")
	}
	var found []error
	seen := map[string]bool{} // a package and its variant with tests have the same errors
	for p := range packages.Postorder(all) {
		// Other modules lack their functions' bodies, and have errors for it.
		if p.Module == nil || !p.Module.Main {
			continue
		}
		for _, e := range p.Errors {
			if text := target + ": " + e.Error(); !seen[text] {
				seen[text] = true
				found = append(found, errors.New(text))
			}
		}
	}
	return errors.Join(found...)
}

// elsewhere returns the directories of the standard library and of other
// modules.
var elsewhere = sync.OnceValue(func() []string {
	out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return []string{build.Default.GOROOT}
	}
	return strings.Fields(string(out))
})

// A parsed is a file's syntax tree, which is the same for each target.
type parsed struct {
	once sync.Once
	file *ast.File
	err  error
}

var (
	fset  = token.NewFileSet()
	files sync.Map // name to *parsed
)

// parseOnce parses a file for the first target that has it.
func parseOnce(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	v, _ := files.LoadOrStore(name, new(parsed))
	p := v.(*parsed)
	p.once.Do(func() { p.file, p.err = parse(fset, name, src) })
	return p.file, p.err
}

// parse parses a file, and drops the bodies of functions of other modules.
func parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if f == nil {
		return f, err
	}
	for _, dir := range elsewhere() {
		if !strings.HasPrefix(name, dir+string(os.PathSeparator)) {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				fn.Body = nil
			}
		}
	}
	return f, err
}
