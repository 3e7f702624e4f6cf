package cmd

import "strings"

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
// them: only this program's own mean something.
func readLoadOptions(words []string) (o loadOptions, err error) {
	for i := 0; i < len(words); i++ {
		name, value, attached := strings.Cut(words[i], "=")
		switch {
		case words[i] == "--keep-going":
			o.keepGoing = true
		case words[i] == "--dry-run":
			o.dryRun = true
		case words[i] == "--all-netns":
			return o, usagef("--all-netns does not go with --load-file: a file is loaded into one table")
		case name == "--netns", name == "--table":
			if !attached {
				if i++; i == len(words) {
					return o, usagef("option `%s' requires an argument", name)
				}
				value = words[i]
			}
			if name == "--table" {
				o.table, o.hasTable = value, true
			} else {
				o.netns, o.hasNetNS = value, true
			}
		}
	}
	return o, nil
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
// table is the file's.
func (r *Request) judgeInFile() error {
	for _, o := range []option{optTable, optNetNS, optAllNetNS} {
		if r.has(o) {
			return usagef("--%s cannot stand in a line of a file: give it beside --load-file", o.own().long)
		}
	}
	return nil
}
