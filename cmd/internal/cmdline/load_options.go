package cmdline

import (
	"slices"
	"strings"
)

// loadFile returns where in a command line -R and its FILE are, and whether they
// are there. -R is the first word, or follows only extensions that go with it.
func loadFile(args []string) (at int, ok bool) {
	for at < len(args) {
		typed := args[at]
		if typed == "-R" || typed == "--load-file" {
			return at, at+1 < len(args)
		}
		name, long := strings.CutPrefix(typed, "--")
		if !long {
			return 0, false
		}
		name, _, attached := strings.Cut(name, "=")
		w := loadHandler{}.find(name)
		if w == nil {
			return 0, false
		}
		if at++; w.Argument == NeedArgument && !attached {
			at++
		}
	}
	return 0, false
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
