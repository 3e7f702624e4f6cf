package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/help"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// Some commands are programs of their own beside this one, as git's are: what
// they link would make every start of conntrack slower. `conntrack top` runs
// conntrack-top with the arguments that follow.

// external is a command that is a program of its own.
type external struct {
	name, short string
	help        string // its own
	usage       string // what follows its name
	options     []cmdline.BesideOption
	refused     []cmdline.Option // of `list'
	files       bool             // its arguments are files
	// live: it is a live view. It knows rates, and the options that choose a table may
	// come before its name.
	live bool
}

var externals = []external{
	{
		name: "top", short: "Show the busiest connections on a screen that refreshes itself", help: help.Top,
		usage: "[OPTIONS]", options: cmdline.TopOptions, refused: cmdline.NotTop, live: true,
	},
	{
		name: "replay", short: "Track the connections of captured packets in a table", help: help.Replay,
		usage: "FILE... [OPTIONS]", options: cmdline.ReplayOptions, refused: cmdline.NotReplayed, files: true,
	},
}

// externalNamed returns the external command with a name, or nil.
func externalNamed(name string) *external {
	for i := range externals {
		if externals[i].name == name {
			return &externals[i]
		}
	}
	return nil
}

// program returns the name of the program's file, without .exe.
func (x *external) program() string { return "conntrack-" + x.name }

// run runs the program and returns its exit status. On Unix it replaces this
// process and returns only if it cannot be run.
func (x *external) run(args []string) (status int, err error) {
	if err := console.MayOpen(x.program()); err != nil {
		return exitFailure, err // a program in the user's PATH
	}
	self, err := os.Executable()
	if err != nil {
		self = "" // PATH is left
	}
	path, err := x.find(self)
	if err != nil {
		return exitFailure, err
	}
	status, err = execute(path, args)
	if err != nil {
		return exitFailure, fmt.Errorf("cannot run %s: %w", path, err)
	}
	return status, nil
}

// find returns the path of the program: in the directory of the executable self,
// whose symbolic links are resolved, in ../libexec/gonntrack from there, or in
// PATH.
func (x *external) find(self string) (string, error) {
	name := x.program()
	places := "PATH"
	if self != "" {
		if resolved, err := filepath.EvalSymlinks(self); err == nil {
			self = resolved
		}
		dir := filepath.Dir(self)
		libexec := filepath.Join(filepath.Dir(dir), "libexec", "gonntrack")
		for _, d := range []string{dir, libexec} {
			// A path with a separator is not searched for in PATH.
			if path, err := exec.LookPath(filepath.Join(d, name)); err == nil {
				return path, nil
			}
		}
		places = dir + ", " + libexec + " or PATH"
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("`%s' is the program %s, which is not in %s: install it with the package gonntrack, or with "+
		"`go install github.com/gonntrack/gonntrack/cmd/%s@latest'", x.name, name, places, name)
}

// command makes the command of the tree, for help and completion. Its options
// are those of the program.
func (x *external) command() *cobra.Command {
	return &cobra.Command{
		Use:   x.name + " " + x.usage,
		Short: x.short,
		Long: fmt.Sprintf("%s.\n\nThis is a program of its own, %s. It is looked for in the\n"+
			"directory of conntrack, in ../libexec/gonntrack from there, and in PATH.\n"+
			"Exit status 1: it is not there. Its help: conntrack %s --help", x.short, x.program(), x.name),
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
		Run:                   func(*cobra.Command, []string) {}, // main runs it before there is a tree
	}
}
