package cmd

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// completeExternal completes a word of a command that is a program of its own. Its
// options are known here; it takes those of `list' too.
func (p *program) completeExternal(x *external, before []string, typed string) cmdline.Candidates {
	var rest []string // without the program's own options
	for i := 0; i < len(before); i++ {
		name, _, attached := strings.Cut(before[i], "=")
		o := x.option(name)
		if o == nil {
			rest = append(rest, before[i])
			continue
		}
		if o.Value != "" && !attached {
			if i++; i == len(before) {
				return ownValue(o, typed)
			}
		}
	}
	l := &partialNamed{command: p.newTree("list").Commands()[0]}
	l.read(rest)
	name, value, attached := strings.Cut(typed, "=")
	switch {
	case l.open != nil:
		return x.value(l, l.open.Value, typed)
	case l.ended || !strings.HasPrefix(typed, "-") || typed == "-" && x.files:
		return cmdline.Candidates{Files: x.files}
	case attached && x.option(name) != nil:
		return ownValue(x.option(name), value)
	case attached:
		if f := l.command.Flags().Lookup(strings.TrimPrefix(name, "--")); f != nil {
			return x.value(l, f.Value, value)
		}
		return cmdline.Candidates{}
	}
	return x.complete(l, before, typed)
}

// option returns an option of the program that `list' does not have, nil for any
// other word.
func (x *external) option(word string) *cmdline.BesideOption {
	i := slices.IndexFunc(x.options, func(o cmdline.BesideOption) bool {
		return word == "--"+o.Name || o.Short != 0 && word == "-"+string(rune(o.Short))
	})
	if i < 0 {
		return nil
	}
	return &x.options[i]
}

// value completes the value of an option of `list'.
func (x *external) value(l *partialNamed, v any, typed string) cmdline.Candidates {
	f, ok := v.(*flag)
	if !ok || f.word.Argument == cmdline.NoArgument {
		return cmdline.Candidates{}
	}
	k := &cmdline.Completer{Command: f.flags.command, NetNS: action.NetNSNames, Live: x.live}
	k.Note(l.given)
	return k.Value(f.word, typed)
}

// ownValue completes the value of an option of the program's own.
func ownValue(o *cmdline.BesideOption, typed string) cmdline.Candidates {
	switch o.Name {
	case "as":
		return cmdline.Matching(typed, []string{
			"host\tthe machine at which the packets were captured", "router\ta machine that forwards them",
		})
	case "local":
		return cmdline.Matching(typed, []string{"auto\tguessed from the capture"})
	case "interval":
		return cmdline.Matching(typed, []string{"500ms", "1s", "2s", "5s", "10s", "1m"})
	case "at", "address", "iterations":
		return cmdline.Candidates{}
	}
	return cmdline.Candidates{Files: true}
}

// complete completes the name of an option.
func (x *external) complete(l *partialNamed, before []string, typed string) cmdline.Candidates {
	var list []string
	for i := range x.options {
		o := &x.options[i]
		given := func(word string) bool { return x.option(word) == o }
		if o.Several || !slices.ContainsFunc(before, given) {
			list = append(list, "--"+o.Name+"\t"+o.Text)
		}
	}
	for _, f := range shownFlags(l.command) {
		v, ok := f.Value.(*flag)
		refused := ok && v.word.Protocol == 0 && slices.Contains(x.refused, v.word.Option)
		if ok && !f.Changed && x.option("--"+f.Name) == nil && !refused {
			list = append(list, "--"+f.Name+"\t"+f.Usage)
		}
	}
	return cmdline.Matching(typed, list)
}
