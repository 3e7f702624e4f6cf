package ruleset_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// nft accepts what this package accepts.
func TestNFT(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		t.Skip("nft is not installed")
	}
	for name, text := range accepted {
		c := exec.Command(nft, "-c", "-f", "-")
		c.Stdin = strings.NewReader(text)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := c.CombinedOutput(); err != nil {
			if !errors.As(err, new(*exec.ExitError)) {
				t.Skip("no network namespace: ", err)
			}
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
