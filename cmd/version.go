package cmd

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// version and commit are what was built, if the linker sets them
// (scripts/release: -X).
var version, commit string

// buildVersion returns the version, commit, compiler and system, as far as they
// are known.
func buildVersion() string {
	v, c, modified := version, commit, false
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				if c == "" {
					c = s.Value
				}
			case "vcs.modified":
				modified = s.Value == "true"
			}
		}
	}
	if v == "" {
		v = "unknown"
	}
	var details []string
	if c != "" {
		c = "commit " + c[:min(len(c), 12)]
		if modified {
			c += " and changes"
		}
		details = append(details, c)
	}
	details = append(details, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return v + " (" + strings.Join(details, ", ") + ")"
}
