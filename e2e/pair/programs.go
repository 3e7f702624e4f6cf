package pair

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Old is conntrack-tools' daemon, as Debian installs it.
const Old = "/usr/sbin/conntrackd"

// Environment variables that name programs that are built already.
const (
	EnvDaemon    = "PAIR_CONNTRACKD"
	EnvConntrack = "PAIR_CONNTRACK"
)

// Programs of this project.
var (
	Daemon    string // conntrackd
	Conntrack string // conntrack
)

// Build builds the programs of this project, unless the environment names them. It is
// called in a directory of the module.
func Build(dir string) error {
	for _, p := range []struct {
		path      *string
		name, env string
		pkg       string
	}{
		{&Daemon, "conntrackd", EnvDaemon, "github.com/gonntrack/gonntrack/cmd/conntrackd"},
		{&Conntrack, "conntrack", EnvConntrack, "github.com/gonntrack/gonntrack"},
	} {
		if *p.path = os.Getenv(p.env); *p.path != "" {
			continue
		}
		*p.path = filepath.Join(dir, p.name)
		cmd := exec.Command("go", "build", "-trimpath", "-o", *p.path, p.pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
		}
	}
	return nil
}
