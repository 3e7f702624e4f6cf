// Package arrows has the test that holds the arrows between the project's
// packages: which package may import which. docs/architecture.md draws them.
package arrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gonntrack/gonntrack"

// allowed lists for each package the packages of ours that it may import, beside
// those of the root internal/. A package that is not listed is an error, so that
// a new one is given its place.
var allowed = map[string]string{
	"":                     "cmd",
	"cmd/help":             "",
	"cmd":                  "cmd/help cmd/internal/action cmd/internal/cmdline cmd/internal/console",
	"cmd/internal/action":  "cmd/internal/cmdline cmd/internal/target cmd/internal/console filter format stats ctnetlink ctnetlink/tablefile ctnetlink/snapshot",
	"cmd/internal/cmdline": "cmd/internal/console filter format stats ctnetlink",
	"cmd/internal/target":  "cmd/internal/console ctnetlink/tablefile ctnetlink/engine ctnetlink",
	"cmd/internal/console": "",
	"cmd/internal/capture": "",
	"cmd/internal/replay": "cmd/help cmd/internal/action cmd/internal/capture cmd/internal/cmdline cmd/internal/console cmd/internal/target filter format " +
		"ctnetlink ctnetlink/engine ctnetlink/ruleset",
	"cmd/internal/live": "cmd/internal/cmdline ctnetlink filter format stats",
	"cmd/internal/top": "cmd/help cmd/internal/action cmd/internal/cmdline cmd/internal/console cmd/internal/live cmd/internal/target filter format " +
		"ctnetlink stats",
	"cmd/conntrack-replay":            "cmd/internal/replay",
	"cmd/conntrack-top":               "cmd/internal/top",
	"cmd/conntrackd":                  "cmd/conntrackd/internal/daemon",
	"cmd/conntrackd/internal/words":   "cmd/conntrackd/internal/control",
	"cmd/conntrackd/internal/config":  "ctnetlink",
	"cmd/conntrackd/internal/control": "",
	"cmd/conntrackd/internal/wire":    "ctnetlink",
	"cmd/conntrackd/internal/cache":   "cmd/conntrackd/internal/wire",
	"cmd/conntrackd/internal/sync":    "cmd/conntrackd/internal/cache cmd/conntrackd/internal/config cmd/conntrackd/internal/link cmd/conntrackd/internal/wire ctnetlink",
	"cmd/conntrackd/internal/link":    "cmd/conntrackd/internal/config cmd/conntrackd/internal/wire",
	"cmd/conntrackd/internal/kernel":  "cmd/conntrackd/internal/config cmd/conntrackd/internal/wire ctnetlink filter",
	"cmd/conntrackd/internal/show":    "cmd/conntrackd/internal/cache cmd/conntrackd/internal/config cmd/conntrackd/internal/wire ctnetlink format stats",
	"cmd/conntrackd/internal/daemon":  "cmd/conntrackd/internal/cache cmd/conntrackd/internal/config cmd/conntrackd/internal/control cmd/conntrackd/internal/kernel cmd/conntrackd/internal/link cmd/conntrackd/internal/show cmd/conntrackd/internal/sync cmd/conntrackd/internal/wire cmd/conntrackd/internal/words ctnetlink format stats",
	"ctnetlink":                       "",
	"ctnetlink/snapshot":              "ctnetlink",
	"ctnetlink/engine":                "ctnetlink",
	"ctnetlink/ruleset":               "ctnetlink ctnetlink/engine",
	"ctnetlink/tablefile":             "ctnetlink ctnetlink/engine ctnetlink/snapshot",
	"ctnetlink/timo":                  "ctnetlink",
	"filter":                          "ctnetlink",
	"format":                          "ctnetlink ctnetlink/snapshot stats",
	"stats":                           "ctnetlink",
	"e2e":                             "",
	"e2e/difftest":                    "",
	"e2e/pair":                        "",
	"internal/wire":                   "",
	"internal/atomicfile":             "",
	"internal/printable":              "",
	"internal/testwait":               "",
	"internal/poller":                 "",
	"internal/arrows":                 "",
	"internal/netlab":                 "",
	"internal/packets":                "",
	"scripts/bench":                   "ctnetlink ctnetlink/engine ctnetlink/tablefile ctnetlink/timo e2e/pair filter",
}

// forbidden are libraries that the program conntrack must not link.
var forbidden = []string{
	"github.com/ti-mo/",                  // for programs in Go, and tests
	"github.com/charmbracelet/",          // screens: conntrack-top
	"charm.land/",                        // screens: conntrack-top
	"github.com/gopacket/",               // captures: conntrack-replay
	"github.com/goreleaser/",             // packages: scripts
	"github.com/coreos/",                 // systemd: conntrackd
	"golang.org/x/crypto",                // keys: conntrackd
	"net/http",                           // 0.7 ms at each start
	"github.com/rogpeppe/go-internal",    // tests
	"github.com/santhosh-tekuri/jsonsch", // tests
}

// listed is what `go list -json' prints of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func list(t *testing.T, arguments ...string) []listed {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,Deps"}, arguments...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// ours returns the path of a package in the module. The module itself is "".
func ours(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

// Every import between packages is one of the allowed arrows.
func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range list(t, module+"/...") {
		name, _ := ours(p.ImportPath)
		seen[name] = true
		arrows, ok := allowed[name]
		if !ok {
			t.Errorf("package %s has no arrows: list it, and draw it in docs/architecture.md", name)
			continue
		}
		for _, path := range p.Imports {
			to, ok := ours(path)
			if !ok || strings.HasPrefix(to, "internal/") && !strings.HasPrefix(name, "internal/") {
				continue
			}
			if !slices.Contains(strings.Fields(arrows), to) {
				t.Errorf("%s imports %s: no such arrow", name, to)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		if !seen[name] {
			t.Errorf("there is no package %q", name)
		}
	}
}

// What is linked costs every start of the program.
func TestLinked(t *testing.T) {
	for _, p := range list(t, module) {
		for _, path := range p.Deps {
			for _, prefix := range forbidden {
				if strings.HasPrefix(path, prefix) {
					t.Errorf("conntrack links %s", path)
				}
			}
		}
	}
}
