package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// labelNames is the /etc/xtables/connlabel.conf of scenarios that need one.
var labelNames = `# BIT NAME
0 web
1 mail server
2 dns
5 dns
0x10 hex-bit
100 high
200 beyond
101 ` + strings.Repeat("long-", 200) + "name\n"

// connlabelErr is the reason why there is no such file.
var connlabelErr error

// mountConnlabel puts the label names where the programs look for them. It mounts an overlay on /etc in this
// process's mount namespace, which ends with the process.
func mountConnlabel(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("e2e", dir, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("private tmpfs: %w", err)
	}
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	xtables := filepath.Join(upper, "xtables")
	if err := os.MkdirAll(xtables, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(xtables, "connlabel.conf"), []byte(labelNames), 0o644); err != nil {
		return err
	}
	if err := unix.Mount("e2e", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work); err != nil {
		return fmt.Errorf("overlay on /etc: %w", err)
	}
	return nil
}
