package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// screenSocket is the socket of tmux's server, in the directory where a scenario runs.
const screenSocket = ".screen"

// screenMain is a terminal, in tmux: screen COMMAND [ARGUMENT...].
//
//	open WxH       start a shell on a terminal of this size
//	type TEXT...   type texts
//	key NAME...    press keys by tmux's names: Enter, Escape, Up, C-c, C-z
//	click X Y      click with the left button, counted from 1
//	resize WxH     change the size
//	see TEXT...    wait until the screen has all of the texts
//	order TEXT...  wait until it has all of them, one after the other
//	gone TEXT...   wait until it has none of them
//	show           print the screen, without the blanks at the ends of its lines
//	colors         print it with its escape sequences
//	close          end the terminal
func screenMain() {
	if len(os.Args) < 2 {
		check(errors.New("screen: which command?"))
	}
	command, args := os.Args[1], os.Args[2:]
	switch command {
	case "open":
		width, height := screenSize(args)
		// The shell is dash or bash as sh: it reads no file at its start, and knows fg.
		tmux("new-session", "-d", "-x", width, "-y", height, "env PS1='$ ' ENV= TERM=tmux-256color LC_ALL=C.UTF-8 sh",
			";", "set", "status", "off", ";", "set", "-s", "escape-time", "0", ";", "set", "-s", "set-clipboard", "on",
			";", "set", "-g", "window-size", "manual")
		waitScreen(func(text string) bool { return strings.HasPrefix(text, "$") })
	case "type":
		for _, text := range args {
			tmux("send-keys", "-l", "--", text)
		}
	case "key":
		tmux(append([]string{"send-keys"}, args...)...)
	case "click":
		if len(args) != 2 {
			check(errors.New("screen click: X and Y are required"))
		}
		// Buttons are pressed and released (xterm's SGR mode).
		press := fmt.Sprintf("\x1b[<0;%s;%sM\x1b[<0;%[1]s;%[2]sm", args[0], args[1])
		tmux("send-keys", "-l", "--", press)
	case "resize":
		width, height := screenSize(args)
		tmux("resize-window", "-x", width, "-y", height)
	case "see":
		waitScreen(func(text string) bool { return containsAll(text, args) })
	case "order":
		waitScreen(func(text string) bool { return containsInOrder(text, args) })
	case "gone":
		waitScreen(func(text string) bool { return !containsAny(text, args) })
	case "show":
		fmt.Print(screenText())
	case "colors":
		fmt.Print(tmux("capture-pane", "-p", "-e"))
	case "close":
		tmux("kill-server")
	default:
		check(fmt.Errorf("screen: there is no command %s", command))
	}
}

// screenSize reads WxH.
func screenSize(args []string) (width, height string) {
	if len(args) == 1 {
		width, height, _ = strings.Cut(args[0], "x")
	}
	for _, n := range []string{width, height} {
		if _, err := strconv.Atoi(n); err != nil {
			check(errors.New("screen: a size such as 80x24 is required"))
		}
	}
	return width, height
}

// tmux runs a command of tmux and returns what it writes.
func tmux(args ...string) string {
	c := exec.Command("tmux", append([]string{"-S", screenSocket, "-f", os.DevNull, "-u"}, args...)...)
	var out, stderr bytes.Buffer
	c.Stdout, c.Stderr = &out, &stderr
	if err := c.Run(); err != nil {
		check(fmt.Errorf("tmux %s: %w: %s", args[0], err, &stderr))
	}
	return out.String()
}

// screenText returns what the screen shows, without the blanks at the ends of lines, and the empty lines at its end.
func screenText() string {
	lines := strings.Split(tmux("capture-pane", "-p"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// waitScreen waits until the screen is as it should be.
func waitScreen(good func(text string) bool) {
	var text string
	if !testwait.For(patience, func() bool {
		text = screenText()
		return good(text)
	}) {
		check(fmt.Errorf("screen %s: it shows\n%s", strings.Join(os.Args[1:], " "), text))
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func containsInOrder(text string, parts []string) bool {
	for _, part := range parts {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// closeScreen ends the terminal that a scenario left open in its directory, with what runs on it.
func closeScreen(dir string) {
	socket := filepath.Join(dir, screenSocket)
	if _, err := os.Stat(socket); err == nil {
		_ = exec.Command("tmux", "-S", socket, "kill-server").Run()
	}
}
