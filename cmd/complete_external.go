package cmd

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// completeExternal completes a word of a command that is a program of its own. The
// options of conntrack-replay are known here; it takes those of `list' too.
func (p *program) completeExternal(x *external, before []string, typed string) cmdline.Candidates {
	if x.name != "replay" {
		return cmdline.Candidates{Files: true}
	}
	var rest []string // without the program's own options
	for i := 0; i < len(before); i++ {
		name, _, attached := strings.Cut(before[i], "=")
		o := replayOption(name)
		if o == nil {
			rest = append(rest, before[i])
			continue
		}
		if o.Value != "" && !attached {
			if i++; i == len(before) {
				return replayValue(o, typed)
			}
		}
	}
	l := &partialNamed{command: p.newTree("list").Commands()[0]}
	l.read(rest)
	switch {
	case l.open != nil:
		return l.value(l.open, typed)
	case l.ended || !strings.HasPrefix(typed, "-") || typed == "-":
		return cmdline.Candidates{Files: true}
	}
	return l.replayOptions(before, typed)
}

// replayOption returns an option of conntrack-replay that `list' does not have, nil
// for any other word.
func replayOption(word string) *cmdline.BesideOption {
	i := slices.IndexFunc(cmdline.ReplayOptions, func(o cmdline.BesideOption) bool { return "--"+o.Name == word })
	if i < 0 {
		return nil
	}
	return &cmdline.ReplayOptions[i]
}

// replayValue completes the value of an option of conntrack-replay.
func replayValue(o *cmdline.BesideOption, typed string) cmdline.Candidates {
	switch o.Name {
	case "as":
		return cmdline.Matching(typed, []string{
			"host\tthe machine at which the packets were captured", "router\ta machine that forwards them",
		})
	case "local":
		return cmdline.Matching(typed, []string{"auto\tguessed from the capture"})
	case "at", "address":
		return cmdline.Candidates{}
	}
	return cmdline.Candidates{Files: true}
}

// replayOptions completes the name of an option of conntrack-replay.
func (l *partialNamed) replayOptions(before []string, typed string) cmdline.Candidates {
	var list []string
	for _, o := range cmdline.ReplayOptions {
		if o.Several || !slices.Contains(before, "--"+o.Name) {
			list = append(list, "--"+o.Name+"\t"+o.Text)
		}
	}
	refused := func(o cmdline.Option) bool { return slices.Contains(cmdline.NotReplayed, o) }
	for _, f := range shownFlags(l.command) {
		x, ok := f.Value.(*flag)
		if ok && !f.Changed && replayOption("--"+f.Name) == nil && (x.word.Protocol != 0 || !refused(x.word.Option)) {
			list = append(list, "--"+f.Name+"\t"+f.Usage)
		}
	}
	return cmdline.Matching(typed, list)
}
