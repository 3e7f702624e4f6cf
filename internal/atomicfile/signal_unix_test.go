//go:build unix

package atomicfile

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// envWriter makes the test binary the writer of a file, which the test
// interrupts.
const envWriter = "ATOMICFILE_WRITER"

// TestSignals: an interrupt, SIGTERM and SIGHUP end the writer with the status for
// the signal, and the temporary file is gone.
func TestSignals(t *testing.T) {
	if path := os.Getenv(envWriter); path != "" {
		file, err := Create(path, Options{ExitOnSignal: true})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("begun\n")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the signal arrives or the test ends
		file.Discard()
		return
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		dir := t.TempDir()
		writer := exec.Command(os.Args[0], "-test.run=^TestSignals$")
		writer.Env = append(os.Environ(), envWriter+"="+filepath.Join(dir, "file"))
		stdin, err := writer.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "begun\n" {
			t.Errorf("%s: %q, %v", s, line, err)
		}
		if err := writer.Process.Signal(s); err != nil {
			t.Error(err)
		}
		_ = writer.Wait() // an error: the status is checked below
		stdin.Close()
		if status := writer.ProcessState.ExitCode(); status != 128+int(s) {
			t.Errorf("%s: status %d", s, status)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", s, left, err)
		}
	}
}
