package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestElevated: a set-user-ID program, and one whose file has capabilities to open all files, open no file that the user
// names. With CAP_NET_ADMIN alone an ordinary user can use the table, and files as far as he may open them.
func TestElevated(t *testing.T) {
	program := os.Getenv(envProgram)
	if program == "" {
		t.Skip("there is no program of ours")
	}
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Flags&unix.ST_NOSUID != 0 {
		t.Skipf("programs get no rights in %s (%v)", dir, err)
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"secret": 0o600, "open": 0o644} {
		err := os.WriteFile(filepath.Join(dir, name), []byte("-F\n--password\n"), mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	const (
		refusal = "is not opened, because this program has been given more rights"
		denied  = "Failed to open file secret for reading"
	)
	for _, tt := range []struct {
		name         string
		mode         os.FileMode
		capabilities string
		secret, open string // what -R of these files prints
	}{
		{"user", 0o755 | os.ModeSetuid, "", refusal, refusal},
		{"group", 0o755 | os.ModeSetgid, "", refusal, refusal},
		{"dac", 0o755, "cap_net_admin,cap_dac_override+ep", refusal, refusal},
		{"netadmin", 0o755, "cap_net_admin+ep", denied, "--password"},
		{"none", 0o755, "", denied, "--password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, binary, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if tt.capabilities != "" {
				if out, err := exec.Command("setcap", tt.capabilities, path).CombinedOutput(); err != nil {
					t.Skipf("setcap: %v: %s", err, out)
				}
			}
			run := func(args ...string) string {
				cmd := exec.Command(path, args...)
				cmd.Dir = dir
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Run(); cmd.ProcessState == nil {
					t.Skipf("as another user: %v", err)
				}
				return stderr.String()
			}
			for _, q := range []struct {
				want string
				args []string
			}{
				{tt.secret, []string{"-R", "secret"}},
				{tt.open, []string{"-R", "open"}},
			} {
				if got := run(q.args...); !strings.Contains(got, q.want) {
					t.Errorf("%v: %q, want %q", q.args, got, q.want)
				}
			}
			for _, args := range [][]string{
				{"-L", "--table", "secret"}, {"-L", "--labelmap", "secret", "-l", "x"}, {"load", "secret"},
				{"save", "secret"}, {"-C", "--netns", "1"}, {"-L", "--netns", dir + "/secret"}, {"man", dir + "/man"}, {"top"},
			} {
				got := run(args...)
				if tt.open == refusal && !strings.Contains(got, refusal) || strings.Contains(got, "password") {
					t.Errorf("%v: %q", args, got)
				}
			}
			allowed := tt.name == "user" || tt.capabilities != ""
			if got := run("-L"); strings.Contains(got, "Operation failed") == allowed {
				t.Errorf("-L: %q", got)
			}
		})
	}
}
