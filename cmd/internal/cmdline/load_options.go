package cmdline

import (
	"slices"
	"strings"
)

// loadFile returns where in a command line -R and its FILE are, and whether they
// are there. -R is the first word, or follows only extensions that go with it.
func loadFile(args []string) (at int, ok bool) {
	at = leading(args, loadHandler{}.find)
	if at < len(args) && (args[at] == "-R" || args[at] == "--load-file") {
		return at, at+1 < len(args)
	}
	return 0, false
}

// TargetWords returns how many words at the beginning of a command line are
// options that choose the table, with their values: one more than there are if the
// value of the last one is missing.
func TargetWords(args []string) int {
	return leading(args, func(long string) *Word {
		w := findLong(long, nil)
		if w == nil || w.Command != CmdNone || !slices.Contains(targetOptions, w.Option) {
			return nil
		}
		return w
	})
}

// targetOptions choose the table that a command works on.
var targetOptions = []Option{OptTable, OptNetNS, OptAllNetNS, OptNow}

// leading returns where the first word is that is not a long option that find
// finds, or the value of one. It is after the end if a value is missing.
func leading(args []string, find func(long string) *Word) int {
	at := 0
	for at < len(args) {
		name, long := strings.CutPrefix(args[at], "--")
		if !long || name == "" {
			return at
		}
		name, _, attached := strings.Cut(name, "=")
		w := find(name)
		if w == nil {
			return at
		}
		if at++; w.Argument == NeedArgument && !attached {
			at++
		}
	}
	return at
}

// parseLoad reads -R FILE and the words beside it. The classic command ignores
// those: only extensions have a meaning, and no other option takes a value.
func parseLoad(path string, words []string) (*Request, error) {
	h := loadHandler{&parser{req: &Request{Command: CmdLoad, LoadFrom: path}}}
	s := &scanner{args: words, handler: h}
	for s.more() { // a word that ends the options is ignored too
		if err := s.scan(); err != nil {
			return nil, err
		}
	}
	return h.parser.req, validateNetNS(h.parser.req)
}

// SaveRequest returns the request to write the entries of a table file to standard
// output as commands, with labels by number.
func SaveRequest(table string) (*Request, error) {
	given := []Occurrence{
		{Word: OptTable.Word(), Value: table, HasValue: true},
		{Word: findLong("output", nil), Value: "save", HasValue: true},
	}
	r, err := ParseNamed(CmdList, "", given, nil)
	if err != nil {
		return nil, err
	}
	r.SaveTo, r.Output.LabelNames = "-", nil
	return r, nil
}

// ParseNamedLoad reads the options of the command `load' for a file.
func ParseNamedLoad(path string, given []Occurrence) (*Request, error) {
	h := loadHandler{&parser{req: &Request{Command: CmdLoad, LoadFrom: path, ByName: true}}}
	for _, o := range given {
		if err := h.option(o); err != nil {
			return nil, err
		}
	}
	return h.parser.req, validateNetNS(h.parser.req)
}

// loadHandler takes the options after -R FILE.
type loadHandler struct{ parser *parser }

func (h loadHandler) find(long string) *Word {
	if long != "" && strings.HasPrefix("keep-going", long) {
		return &OptKeepGoing.Extension().Word
	}
	w := findLong(long, nil)
	if w == nil || w.Option != OptAllNetNS && !loadTakes(w) {
		return nil
	}
	return w
}

// LoadOptions are the options of -R FILE.
var LoadOptions = []Option{OptKeepGoing, OptDryRun, OptTable, OptNetNS}

// loadTakes reports whether an option goes with -R FILE.
func loadTakes(w *Word) bool {
	return w.Command == CmdNone && w.Protocol == 0 && slices.Contains(LoadOptions, w.Option)
}

func (loadHandler) letter(byte) *Word { return nil }

func (h loadHandler) option(o Occurrence) error {
	if o.Word.Option == OptAllNetNS {
		return Usagef("--all-netns cannot be used with --load-file: a file is loaded into one table")
	}
	return h.parser.option(o)
}

func (h loadHandler) unknown(word string) error {
	name, _, attached := strings.Cut(word, "=")
	if w := h.find(strings.TrimPrefix(name, "--")); attached && w != nil {
		return Usagef("option `--%s' takes no value", w.Long)
	}
	return nil
}
