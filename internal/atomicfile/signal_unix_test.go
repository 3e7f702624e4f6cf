//go:build unix

package atomicfile

import (
	"bufio"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// envWriter makes the test binary the writer of a file, which the test
// interrupts.
const envWriter = "ATOMICFILE_WRITER"

// envNamed makes its temporary file one with a name.
const envNamed = "ATOMICFILE_NAMED"

// TestSignals: an interrupt, SIGTERM and SIGHUP end the writer with the status for
// the signal, and the temporary file is gone. A writer that is killed leaves
// nothing if the file had no name, otherwise what the next writer removes.
func TestSignals(t *testing.T) {
	if path := os.Getenv(envWriter); path != "" {
		file, err := Create(path, Options{ExitOnSignal: true, named: os.Getenv(envNamed) != ""})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("begun\n")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the signal arrives or the test ends
		file.Discard()
		return
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			if signal.Ignored(s) {
				t.Skip("SKIPPED: the signal is ignored where the test runs, as in the background of a shell script")
			}
			dir := t.TempDir()
			if status := interrupt(t, dir, s, true).ExitCode(); status != 128+int(s) {
				t.Errorf("status %d", status)
			}
			if left := names(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
	for _, named := range []bool{false, true} {
		dir := t.TempDir()
		interrupt(t, dir, syscall.SIGKILL, named)
		if left := names(t, dir); named != (len(left) == 1) && runtime.GOOS == "linux" {
			t.Errorf("killed, with a name %t: left behind: %q", named, left)
		}
		if err := write(t, filepath.Join(dir, "file"), "text", Options{}); err != nil {
			t.Error(err)
		}
		if left := names(t, dir); len(left) != 1 || left[0] != "file" {
			t.Errorf("after the next writer: %q", left)
		}
	}
}

// interrupt sends a signal to a process that is writing a file.
func interrupt(t *testing.T, dir string, s syscall.Signal, named bool) *os.ProcessState {
	writer := exec.Command(os.Args[0], "-test.run=^TestSignals$")
	writer.Env = append(os.Environ(), envWriter+"="+filepath.Join(dir, "file"))
	if named {
		writer.Env = append(writer.Env, envNamed+"=1")
	}
	stdin, err := writer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
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
	_ = writer.Wait() // an error: the caller looks at the status
	return writer.ProcessState
}
