package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// typedMain runs a command on a terminal and types an answer to each question: typed ANSWER COMMAND... A question
// is output that ends in `] '. It prints what the command wrote, and exits with the command's status.
func typedMain() {
	answer, command := os.Args[1], os.Args[2:]
	main, terminal := openTerminal()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // it is /dev/tty
	check(cmd.Start())
	check(terminal.Close())
	var shown []byte
	buf := make([]byte, 4096)
	for {
		n, err := main.Read(buf) // fails when no process has the terminal open
		shown = append(shown, buf[:n]...)
		if bytes.HasSuffix(shown, []byte("] ")) {
			shown = append(shown, '\n')
			_, werr := main.WriteString(answer + "\n")
			check(werr)
		}
		if err != nil {
			break
		}
	}
	err := cmd.Wait()
	fmt.Print(strings.ReplaceAll(string(shown), "\r", ""))
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	check(err)
}

// openTerminal returns the two ends of a pseudo-terminal that does not echo (pty(7)).
func openTerminal() (main, terminal *os.File) {
	main, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(err)
	fd := int(main.Fd())
	check(unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	// The argument is the flags to open it with.
	end, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		check(errno)
	}
	mode, err := unix.IoctlGetTermios(int(end), unix.TCGETS)
	check(err)
	mode.Lflag &^= unix.ECHO
	check(unix.IoctlSetTermios(int(end), unix.TCSETS, mode))
	return main, os.NewFile(end, "terminal")
}
