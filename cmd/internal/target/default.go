package target

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// defaultFile returns the file of the default table, on systems whose kernel has
// no table: gonntrack/table.nl in the directory for the state of programs. It
// need not exist.
//
// That directory is $XDG_STATE_HOME where it is set, else ~/.local/state (XDG
// Base Directory Specification), on macOS ~/Library/Application Support, on
// Windows %LocalAppData%.
func defaultFile() (path string, optional bool, err error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if runtime.GOOS == "windows" {
		dir = os.Getenv("LocalAppData")
	}
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", false, fmt.Errorf("no directory for the table: %s; name a file with --table or %s", err, FileVariable)
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
	return filepath.Join(dir, "gonntrack", "table.nl"), true, nil
}
