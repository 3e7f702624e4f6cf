package cmd

import (
	"io"
	"strings"
)

// loadOptions are what may stand behind -R FILE, and with the command `load'.
type loadOptions struct {
	// keepGoing: the lines behind a refused one run all the same.
	keepGoing bool
	// dryRun: what would become of the lines is told, and none is run.
	dryRun bool
	// netns is the network namespace that the file is loaded into, where one
	// was named.
	netns    string
	hasNetNS bool
	// table is the file whose table it is loaded into, where one was named.
	table    string
	hasTable bool
}

// readLoadOptions reads the words behind -R FILE. The classic command ignores
// them: only this program's own mean something, cut or not.
func readLoadOptions(words []string) (o loadOptions, err error) {
	for i := 0; i < len(words); i++ {
		name, value, attached := strings.Cut(words[i], "=")
		option := loadOption(name)
		if option == "" {
			continue
		}
		takes := option == "netns" || option == "table"
		switch {
		case option == "all-netns":
			return o, usagef("--all-netns cannot be used with --load-file: a file is loaded into one table")
		case attached && !takes:
			return o, usagef("option `--%s' takes no value", option)
		case !attached && takes:
			if i++; i == len(words) {
				return o, usagef("option `--%s' requires an argument", option)
			}
			value = words[i]
		}
		switch option {
		case "keep-going":
			o.keepGoing = true
		case "dry-run":
			o.dryRun = true
		case "netns":
			o.netns, o.hasNetNS = value, true
		case "table":
			o.table, o.hasTable = value, true
		}
	}
	return o, nil
}

// loadOption returns the option that a word stands for behind -R FILE: its name,
// or a beginning of it that no classic option has; "" for any other word.
func loadOption(word string) string {
	name, long := strings.CutPrefix(word, "--")
	if !long || name == "" {
		return ""
	}
	if strings.HasPrefix("keep-going", name) {
		return "keep-going"
	}
	w := newParser(io.Discard).findLong(name)
	if w == nil {
		return ""
	}
	switch w.option {
	case optDryRun, optNetNS, optTable, optAllNetNS:
		return w.long
	}
	return ""
}

// request is one that is about the same table.
func (o *loadOptions) request() *Request {
	r := &Request{Command: cmdAdd, TableFile: o.table, NetNS: o.netns}
	if o.hasTable {
		r.given |= 1 << optTable
	}
	if o.hasNetNS {
		r.given |= 1 << optNetNS
	}
	return r
}

// loadFile is -R FILE with the words behind it.
func (p *program) loadFile(path string, words []string) error {
	o, err := readLoadOptions(words)
	if err != nil {
		return err
	}
	return p.load(path, o)
}

// judgeInFile refuses what a line of a file may not choose for itself: its
// table is the file's. A -t of -A that is no number could end the file in its
// middle, at an entry that exists, so that it is refused at once.
func (r *Request) judgeInFile() error {
	for _, o := range []option{optTable, optNetNS, optAllNetNS} {
		if r.has(o) {
			return usagef("--%s cannot be used in a line of a file: give it with --load-file", o.own().long)
		}
	}
	if r.Command == cmdAdd && r.has(optTimeout) {
		return r.numericTimeout()
	}
	return nil
}
