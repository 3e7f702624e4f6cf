//go:build !linux

package cmd

import (
	"os"
	"path/filepath"
	"runtime"
)

// defaultTable is the table that is meant when none is named, on systems whose
// kernel has none: gonntrack/table.nl in the directory for what programs keep of
// their state. It need not exist.
//
// That directory is $XDG_STATE_HOME where it is set, else ~/.local/state (XDG
// Base Directory Specification), on macOS ~/Library/Application Support, on
// Windows %LocalAppData%.
func defaultTable() (tableChoice, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if runtime.GOOS == "windows" {
		dir = os.Getenv("LocalAppData")
	}
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return tableChoice{}, failuref("no directory for the table: %s; name a file with --table or %s", err, envTable)
		}
		switch runtime.GOOS {
		case "windows":
			dir = filepath.Join(home, "AppData", "Local")
		case "darwin", "ios":
			dir = filepath.Join(home, "Library", "Application Support")
		default:
			dir = filepath.Join(home, ".local", "state")
		}
	}
	return tableChoice{path: filepath.Join(dir, "gonntrack", "table.nl"), optional: true}, nil
}
