package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSample: scripts/sample runs a command without the programs that only add to
// the traffic, and says which are missing; without those that it needs it fails.
func TestSample(t *testing.T) {
	bin := t.TempDir()
	for _, program := range []string{"bash", "ip", "nft", "unshare", "sleep", "id", "true"} {
		path, err := exec.LookPath(program)
		if err != nil {
			for _, dir := range []string{"/usr/sbin", "/sbin"} {
				if _, serr := os.Stat(filepath.Join(dir, program)); serr == nil {
					path, err = filepath.Join(dir, program), nil
				}
			}
		}
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, program)); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("../scripts/sample")
	if err != nil {
		t.Fatal(err)
	}
	// Without the line that adds /usr/sbin to PATH the script finds what is in bin.
	alone := strings.Replace(string(script), "\nPATH=$PATH:/usr/sbin:/sbin\n", "\n", 1)
	alone = strings.Replace(alone, "#!/usr/bin/env bash", "#!"+filepath.Join(bin, "bash"), 1)
	path := filepath.Join(bin, "sample")
	if err := os.WriteFile(path, []byte(alone), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func() (string, error) {
		cmd := exec.Command(path, "true")
		cmd.Env = []string{"PATH=" + bin}
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	text, err := run()
	if err != nil {
		if out, uerr := exec.Command("unshare", "--net", "true").CombinedOutput(); uerr != nil {
			t.Skipf("no network namespaces: %s", out)
		}
		t.Errorf("without ping and nc: %v", err)
	}
	for _, missing := range []string{"ping is not installed", "nc is not installed"} {
		if !strings.Contains(text, missing) {
			t.Errorf("%q is not in %q", missing, text)
		}
	}
	if err := os.Remove(filepath.Join(bin, "nft")); err != nil {
		t.Fatal(err)
	}
	if text, err := run(); err == nil || !strings.Contains(text, "nft is not installed") {
		t.Errorf("without nft: %v, %q", err, text)
	}
}
