package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A step is a command and what it is expected to write.
type step struct {
	lineno     int
	eventually bool   // repeat until the result is as expected
	netns      string // name of a namespace of the lab; empty for the script's own
	command    string // for sh; empty when the step stops a background command
	background string // name of the background command started or stopped
	terminate  bool   // stop with SIGTERM, not SIGINT
	want       expected

	wantFrom, wantTo int  // the lines of want in the file, counted from 0, without wantTo
	contiguous       bool // they are directly below the command, and hold for every subject
}

// expected is the result that is written below a command.
type expected struct {
	stdout, stderr []wanted
	status         int
}

// wanted is one expected line of output.
type wanted struct {
	text     string
	anyOrder bool // it and its neighbours of this kind may come in any order
}

// A scenario is a parsed file of testdata.
type scenario struct {
	name       string
	oursOnly   string   // why the reference does not run it
	kernelOnly string   // why it does not run on a table file
	long       string   // why it takes long; skipped with -short
	needs      []string // programs that it calls
	steps      []step
	script     string // the archive for testscript: a step command in place of each prompt, every other line as it was
}

var (
	promptLine = regexp.MustCompile(`^((?:\[[^]]*\] )*)(eventually )?([a-z0-9]*)\$ (.*)$`)
	stopLine   = regexp.MustCompile(`^((?:\[[^]]*\] )*)stop ([a-z0-9]+)( TERM)?$`)
	wantLine   = regexp.MustCompile(`^(?:\[(!?)([a-z]+)\] )?([>~!?])(?: (.*))?$`)
	background = regexp.MustCompile(`^(.*\S)\s+&([a-z0-9]+)&$`)
)

// parseScenario reads a scenario as the subject of the given name runs it.
func parseScenario(name, text, subject string) (*scenario, error) {
	sc := &scenario{name: name}
	script, files, _ := strings.Cut(text, "\n-- ")
	lines := strings.Split(script, "\n")
	sc.parseHeader(lines)
	if sc.kernelOnly == "" {
		sc.kernelOnly = needsKernel(lines, sc.needs)
	}
	var open *step // the step that expected lines belong to
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := wantLine.FindStringSubmatch(line); m != nil {
			if open == nil {
				return nil, fmt.Errorf("%s:%d: expected output without a command", name, i+1)
			}
			if open.contiguous = open.contiguous && open.wantTo == i && m[2] == ""; open.contiguous {
				open.wantTo = i + 1
			}
			lines[i] = ""
			if m[2] != "" && holds(m[2], subject) == (m[1] == "!") {
				continue
			}
			if err := open.want.add(m[3], m[4]); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			continue
		}
		st := step{lineno: i + 1, contiguous: true}
		var conditions, shown string
		if m := promptLine.FindStringSubmatch(line); m != nil {
			conditions, st.eventually, st.netns, st.command = m[1], m[2] != "", m[3], m[4]
			for strings.HasSuffix(st.command, `\`) && i+1 < len(lines) {
				i++
				st.command = strings.TrimSuffix(st.command, `\`) + strings.TrimSpace(lines[i])
				lines[i] = ""
			}
			shown = st.command
			if m := background.FindStringSubmatch(st.command); m != nil {
				st.command, st.background = m[1], m[2]
			}
		} else if m := stopLine.FindStringSubmatch(line); m != nil {
			conditions, st.background, st.terminate, shown = m[1], m[2], m[3] != "", "stop "+m[2]+m[3]
		} else {
			if line != "" && !strings.HasPrefix(line, "#") {
				open = nil
			}
			continue
		}
		st.wantFrom, st.wantTo = i+1, i+1
		lines[st.lineno-1] = fmt.Sprintf("%sstep %d '%s'", conditions, len(sc.steps), strings.ReplaceAll(shown, "'", "''"))
		sc.steps = append(sc.steps, st)
		open = &sc.steps[len(sc.steps)-1]
	}
	sc.script = strings.Join(lines, "\n")
	if files != "" {
		sc.script += "\n-- " + files
	}
	return sc, nil
}

// parseHeader reads the marks in the first comment.
func (sc *scenario) parseHeader(lines []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "#") {
			return
		}
		if reason, ok := strings.CutPrefix(line, "# ours only: "); ok {
			sc.oursOnly = reason
		}
		if reason, ok := strings.CutPrefix(line, "# kernel only: "); ok {
			sc.kernelOnly = reason
		}
		if reason, ok := strings.CutPrefix(line, "# long: "); ok {
			sc.long = reason
		}
		if programs, ok := strings.CutPrefix(line, "# needs: "); ok {
			sc.needs = strings.Fields(programs)
		}
	}
}

// holds reports whether a condition holds for a subject.
func holds(condition, subject string) bool {
	switch condition {
	case "ours":
		return subject != "reference"
	case "kernel":
		return subject != "tablefile"
	}
	return condition == subject
}

// onlyKernel are the commands that a script cannot use with a table file, and why.
var onlyKernel = []struct{ word, reason string }{
	{"lab", "packets"}, {"tun", "packets"}, {"ping", "packets"}, {"echod", "packets"}, {"talk", "packets"},
	{"nft", "packet filter rules"}, {"sysctl", "sysctls"}, {"protoinfo", "another decoder, which asks the kernel"},
	{"setpriv", "rights"}, {"ip", "interfaces"},
}

// needsKernel returns the reason why a script cannot run on a table file, or "".
func needsKernel(lines, needs []string) string {
	var used []string
	for _, line := range lines {
		if m := promptLine.FindStringSubmatch(line); m != nil {
			line = m[4]
		}
		if word, _, _ := strings.Cut(line, " "); word != "" {
			used = append(used, word)
		}
	}
	for _, o := range onlyKernel {
		if slices.Contains(used, o.word) || slices.Contains(needs, o.word) {
			return o.reason
		}
	}
	return ""
}

// beforeSignal is the number of lines on stdout that come before a command is interrupted: all but XML's closing tag.
func (e *expected) beforeSignal() int {
	n := len(e.stdout)
	if n > 0 && strings.HasPrefix(e.stdout[n-1].text, "</") {
		n--
	}
	return n
}

// add adds one line below a command.
func (e *expected) add(kind, text string) error {
	switch kind {
	case ">", "~":
		e.stdout = append(e.stdout, wanted{text: text, anyOrder: kind == "~"})
	case "!":
		e.stderr = append(e.stderr, wanted{text: text})
	case "?":
		if _, err := fmt.Sscanf(text, "%d", &e.status); err != nil {
			return fmt.Errorf("exit status %q: %w", text, err)
		}
	}
	return nil
}
