package engine

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Every reason that makes a packet INVALID is shown in a scenario where the
// kernel calls the same packet invalid.
func TestInvalidReasonsShown(t *testing.T) {
	files, err := filepath.Glob("../../e2e/testdata/live-invalid-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	shown := map[string]bool{}
	name := regexp.MustCompile(`(?m)^> +[0-9]+ ([a-z0-9-]+): `) // of the counts at the end
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			shown[m[1]] = true
		}
	}
	for _, c := range Reasons() {
		if n := reasons[c].counts; (n == countInvalid || n == countError) && !shown[c.Name()] {
			t.Errorf("%s: no scenario e2e/testdata/live-invalid-*.txtar provokes it", c.Name())
		}
	}
}
