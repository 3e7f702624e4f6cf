package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// documents returns the project's pages by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"../*.md", "../docs/*.md", "*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pages[path] = string(b)
		}
	}
	if len(pages) == 0 {
		t.Fatal("no pages")
	}
	return pages
}

// prose calls line with each line of a page that is not verbatim: not in a
// block of code, nor in the tables that scripts/bench writes.
func prose(page string, line func(n int, s string)) {
	verbatim := false
	n := 0
	for s := range strings.Lines(page) {
		n++
		s = strings.TrimRight(s, "\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(s), "```"):
			verbatim = !verbatim
		case strings.HasPrefix(s, "<!-- bench:begin"):
			verbatim = true
		case strings.HasPrefix(s, "<!-- bench:end"):
			verbatim = false
		case !verbatim && !strings.HasPrefix(s, "    "):
			line(n, s)
		}
	}
}

// TestDocumentWidth: a line of a page is at most 120 characters wide, unless it
// is verbatim or a row of a table, which cannot be broken.
func TestDocumentWidth(t *testing.T) {
	for path, page := range documents(t) {
		prose(page, func(n int, s string) {
			if w := utf8.RuneCountInString(s); w > 120 && !strings.HasPrefix(s, "|") {
				t.Errorf("%s:%d is %d characters wide", path, n, w)
			}
		})
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	heading = regexp.MustCompile(`^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocumentLinks: what a page of the project links to exists, the heading
// included.
func TestDocumentLinks(t *testing.T) {
	pages := documents(t)
	for path, page := range pages {
		prose(page, func(n int, s string) {
			for _, m := range link.FindAllStringSubmatch(s, -1) {
				target := path
				if m[1] != "" {
					target = filepath.Join(filepath.Dir(path), m[1])
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s:%d: %v", path, n, err)
				} else if m[2] != "" && !slices.Contains(anchors(pages[target]), m[2]) {
					t.Errorf("%s:%d: %s has no heading %s", path, n, target, m[2])
				}
			}
		})
	}
}

// anchors returns the fragments of a page's headings, as GitHub forms them.
func anchors(page string) (list []string) {
	prose(page, func(_ int, s string) {
		if m := heading.FindStringSubmatch(s); m != nil {
			slug := noSlug.ReplaceAllString(strings.ToLower(m[1]), "")
			list = append(list, "#"+strings.ReplaceAll(slug, " ", "-"))
		}
	})
	return list
}

var (
	citation = regexp.MustCompile(`(?s)\bTests?: (.*?)\.\s`)
	testFunc = regexp.MustCompile("^`((?:Test|Fuzz)[A-Za-z]+)(…?)`")
)

// TestCompatTests: the scenarios and the tests that docs/compat.md and docs/conntrackd.md
// name exist.
func TestCompatTests(t *testing.T) {
	functions := testFunctions(t)
	for name, least := range map[string]int{"docs/compat.md": 50, "docs/conntrackd.md": 30} {
		page, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if cited := citations(t, name, string(page), functions); cited < least {
			t.Errorf("only %d citations found in %s", cited, name)
		}
	}
}

// citations checks those of a page and returns how many there are.
func citations(t *testing.T, page, text, functions string) (cited int) {
	t.Helper()
	for _, m := range citation.FindAllStringSubmatch(text, -1) {
		for name := range strings.SplitSeq(strings.Join(strings.Fields(m[1]), " "), ", ") {
			cited++
			f := testFunc.FindStringSubmatch(name)
			switch {
			case f != nil && f[2] == "" && strings.Contains(functions, "func "+f[1]+"("):
			case f != nil && f[2] != "" && strings.Contains(functions, "func "+f[1]):
			case f != nil:
				t.Errorf("%s names the test %s, which does not exist", page, f[1])
			case strings.HasPrefix(name, "`go run") || name == "e2e/difftest":
			default:
				if _, err := os.Stat(filepath.Join("testdata", name+".txtar")); err != nil {
					t.Errorf("%s names the scenario %s: %v", page, name, err)
				}
			}
		}
	}
	return cited
}

// testFunctions returns the text of every test file of the module.
func testFunctions(t *testing.T) string {
	var b strings.Builder
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		b.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestArchitectureFiles: docs/architecture.md names every file of the program
// and its packages, and no other.
func TestArchitectureFiles(t *testing.T) {
	b, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := strings.Cut(string(b), "\n## 4. ")
	files, _, _ = strings.Cut(files, "\n## 5. ")
	// A row names files below the directory of its section, or of the file that
	// it names first: `target/namespace.go`, `namespace_linux.go`.
	named := map[string]bool{}
	section := ""
	for line := range strings.Lines(files) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			section = strings.Trim(strings.Fields(heading)[1], "`")
			continue
		}
		row, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		dir := section
		for _, m := range quoted.FindAllStringSubmatch(row, -1) {
			switch {
			case !strings.HasPrefix(line, "|") || !strings.HasSuffix(m[1], ".go"):
			case strings.Contains(m[1], "/"):
				path := filepath.Join(filepath.Dir(section), m[1])
				if section == "internal" {
					path = filepath.Join(section, m[1])
				}
				named[path], dir = true, filepath.Dir(path)
			default:
				named[filepath.Join(dir, m[1])] = true
			}
		}
	}
	err = filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel("..", path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "e2e" || name == "scripts" || name != "." && strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "main.go":
			return nil
		case !named[name]:
			t.Errorf("docs/architecture.md does not name %s", name)
		}
		delete(named, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range named {
		t.Errorf("docs/architecture.md names %s, which does not exist", name)
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")
