package words

import (
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
)

// parse returns what a command line becomes, in a word or two.
func parse(line string) (string, *Line) {
	l, err := Parse(append([]string{"conntrackd"}, strings.Fields(line)...))
	if err != nil {
		e := err.(*Error)
		if e.Usage != "" {
			return "usage: " + e.Text, l
		}
		return e.Text, l
	}
	return [...]string{"run", "detach", "request", "check", "print"}[l.Action], l
}

func TestRequests(t *testing.T) {
	for line, want := range map[string]control.Request{
		"-c": 46, "-c ct": 18, "-c expect": 42, "-i": 16, "-i ct": 16, "-i expect": 40,
		"-i -x": 24, "-i expect -x": 47, "-e": 17, "-e c": 17, "-e e": 41, "-e -x": 25, "-e ex -x": 48,
		"-f": 45, "-f internal": 33, "-f ext": 34, "-F": 43, "-F ct": 0, "-F expect": 38,
		"-R": 44, "-R ct": 1, "-R expect": 39, "-B": 22, "-n": 23, "-t": 26, "-k": 20,
		"-s": 21, "-s ct": 21, "-s network": 28, "-s cache": 29, "-s c": 29, "-s r": 30, "-s runtime": 30,
		"-s link": 31, "-s rs": 32, "-s process": 35, "-s queue": 36, "-s expect": 37, "-s multicast": 31,
		"-c -t": 26, "-i -k": 20, "-i ak": 20, "-F aC x": control.None, "xs": 21, "-kill": 20,
		"-status": 21, "status": 26, "diff": 16, "demote": 17, "-s -k": 20,
		"--status": control.Status, "--status -o json": control.StatusJSON, "--status -o prom": control.StatusProm,
		"--diff": control.Diff, "--demote": control.Demote,
	} {
		if got, l := parse(line); got != "request" || l.Request != want {
			t.Errorf("%q: %s, %d, want %d", line, got, l.Request, want)
		}
	}
}

func TestActions(t *testing.T) {
	for line, want := range map[string]string{
		"": "run", "-C x": "run", "-d": "detach", "xdx": "detach", "-d -d": "detach", "--check": "check",
		"-v": "print", "-h -q": "print", "-k -v": "print",
		"-q":        "usage: Unknown option: -q",
		"-":         "usage: Unknown option: -",
		"a":         "usage: Unknown option: a",
		"-i foo":    "usage: Unknown option: foo",
		"--help":    "usage: Unknown option: --help",
		"--statu":   "usage: Unknown option: --statu",
		"--statusx": "usage: Unknown option: --statusx",
		"-q -v":     "usage: Unknown option: -q",
		"-C":        "usage: Missing config filename",
		"-d -s":     "usage: Invalid parameters",
		"-s -d":     "usage: Invalid parameters",
		"-x":        "usage: Invalid parameters",
		"-c -x":     "usage: Invalid parameters",
		"-i -x -x":  "usage: Invalid parameters",
		"-i -k -x":  "usage: Invalid parameters",
		"-i ax":     "usage: Invalid parameters",
		"-s foo":    "unknown parameter `foo' for option `-s'",
		"-f foo":    "unknown parameter `foo' for option `-f'",
		"-s networ": "request",

		"--status --diff":    "usage: Invalid parameters",
		"--status -s":        "usage: Invalid parameters",
		"-s --status":        "usage: Invalid parameters",
		"--demote -d":        "usage: Invalid parameters",
		"-d --check":         "usage: Invalid parameters",
		"--status -x":        "usage: Invalid parameters",
		"--status -o":        "usage: Missing output form: json or prom",
		"--status -o xml":    "usage: Unknown output form: xml",
		"--diff -o json":     "usage: Unknown option: -o",
		"--check -C /x -q":   "usage: Unknown option: -q",
		"-C /x --check":      "check",
		"-C --check":         "run",
		"--status -C --diff": "request",
	} {
		if got, _ := parse(line); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func TestConfigAndTexts(t *testing.T) {
	for line, want := range map[string]string{
		"": DefaultConfig, "-C /a -C /b": "/b", "-C -k": "-k", "-k -C x": "x",
	} {
		if _, l := parse(line); l.Config != want {
			t.Errorf("%q: %s, want %s", line, l.Config, want)
		}
	}
	_, l := parse("-v")
	if !strings.HasPrefix(l.Text, "Connection tracking userspace daemon v1.4.9. Licensed under GPLv2.\n") {
		t.Errorf("-v: %s", l.Text)
	}
	_, l = parse("-h")
	if !strings.HasPrefix(l.Text, "Connection tracking userspace daemon v1.4.9\n"+
		"Usage: conntrackd [commands] [options]\n") {
		t.Errorf("-h: %s", l.Text)
	}
	for row := range strings.Lines(l.Text) {
		if len(row) > 81 {
			t.Errorf("-h: a row of %d columns: %s", len(row), row)
		}
	}
	_, l = parse("-s multicast")
	if len(l.Warnings) != 1 || l.Warnings[0] != "use `link' instead of `multicast' as parameter." {
		t.Errorf("-s multicast: %q", l.Warnings)
	}
	if _, err := Parse(nil); err != nil {
		t.Errorf("no words at all: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"-C\x00/x\x00-s\x00network", "--status\x00-o\x00json", "-i\x00\x00-x", "\x00", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(append([]string{"conntrackd"}, strings.Split(text, "\x00")...))
		switch e, wrong := err.(*Error); {
		case l == nil:
			t.Error("there is no Line")
		case err != nil && (!wrong || e.Text == ""):
			t.Errorf("the error is %v", err)
		case err == nil && l.Config == "":
			t.Error("there is no configuration file")
		}
	})
}
