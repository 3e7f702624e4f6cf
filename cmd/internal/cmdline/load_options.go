package cmdline

import "strings"

// parseLoad reads -R FILE and the words after it. The classic command ignores
// those: only extensions have a meaning, and no other option takes a value.
func parseLoad(path string, words []string) (*Request, error) {
	h := loadHandler{&Request{Command: CmdLoad, LoadFrom: path}}
	s := &scanner{args: words, handler: h}
	for s.more() { // a word that ends the options is ignored too
		if err := s.scan(); err != nil {
			return nil, err
		}
	}
	return h.req, validateNetNS(h.req)
}

// ParseNamedLoad reads the options of the command `load' for a file.
func ParseNamedLoad(path string, given []Occurrence) (*Request, error) {
	h := loadHandler{&Request{Command: CmdLoad, LoadFrom: path, ByName: true}}
	for _, o := range given {
		if err := h.option(o); err != nil {
			return nil, err
		}
	}
	return h.req, validateNetNS(h.req)
}

// loadHandler takes the options after -R FILE.
type loadHandler struct{ req *Request }

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

// loadTakes reports whether an option may follow -R FILE.
func loadTakes(w *Word) bool {
	switch w.Option {
	case OptKeepGoing, OptDryRun, OptTable, OptNetNS:
		return w.Command == CmdNone && w.Protocol == 0
	}
	return false
}

func (loadHandler) letter(byte) *Word { return nil }

func (h loadHandler) option(o Occurrence) error {
	if o.Word.Option == OptAllNetNS {
		return Usagef("--all-netns cannot be used with --load-file: a file is loaded into one table")
	}
	p := &parser{req: h.req}
	return p.option(o)
}

func (h loadHandler) unknown(word string) error {
	name, _, attached := strings.Cut(word, "=")
	if w := h.find(strings.TrimPrefix(name, "--")); attached && w != nil {
		return Usagef("option `--%s' takes no value", w.Long)
	}
	return nil
}
