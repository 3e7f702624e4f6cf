package cmdline

import (
	"errors"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// ReadFilters reads a text of which every line is a filter, in the words of the
// command line, with quotes, comments and blank lines as in a file that is
// loaded. Names of labels are those of the request. What is wrong with a line is
// returned as a *[LineError].
func (r *Request) ReadFilters(text string, stderr *console.Messages) ([]*filter.Filter, error) {
	var list []*filter.Filter
	var words []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		if skipped(line) {
			continue
		}
		err := wholeLine(line)
		if err != nil {
			return nil, &LineError{n, err}
		}
		if words, err = splitWords(line, words[:0]); err != nil {
			return nil, &LineError{n, err}
		}
		m, err := r.ReadFilter(words, stderr)
		if err != nil {
			return nil, &LineError{n, err}
		}
		list = append(list, m)
	}
	return list, nil
}

// ReadFilter reads the words of one filter. Names of labels are those of the request.
func (r *Request) ReadFilter(words []string, stderr *console.Messages) (*filter.Filter, error) {
	var line filterLine
	s := &scanner{args: words, handler: &line}
	for s.more() {
		var err error
		switch word := s.take(); {
		case strings.HasPrefix(word, "--") && word != "--":
			err = s.long(word)
		case strings.HasPrefix(word, "-") && word != "--" && len(word) > 1:
			err = s.letters(word)
		default:
			err = Usagef("`%s' is not an option", word)
		}
		if err != nil {
			return nil, err
		}
	}
	p := newParser(stderr)
	p.req.ByName = true
	p.req.Command = CmdList // what selects entries for a listing
	p.req.NetNS, p.req.labelMapPath = r.NetNS, r.labelMapPath
	parsed, err := p.named(line.given)
	if err != nil {
		return nil, err
	}
	switch err := parsed.ValidateFilter(); {
	case errors.Is(err, ctnetlink.EINVAL):
		return nil, Usagef("the list of --status has nothing that can be compared")
	case err != nil:
		return nil, err
	}
	return parsed.Filter(), nil
}

// SetMatch makes the request select only entries that one of the filters matches.
func (r *Request) SetMatch(list []*filter.Filter) { r.match = filter.NewAny(list...) }

// filterLine takes the options of a line that is a filter. An option of a
// protocol may come before -p.
type filterLine struct{ given []Occurrence }

func (*filterLine) find(long string) *Word { return findLong(long, Protocols) }

func (*filterLine) letter(c byte) *Word {
	for i := range FamilyWords {
		if FamilyWords[i].Short == c {
			return &FamilyWords[i]
		}
	}
	return findShort(c)
}

func (*filterLine) unknown(word string) error { return Usagef("unknown option `%s'", word) }

func (l *filterLine) option(o Occurrence) error {
	const selects = filters&^(1<<OptMatch) | 1<<OptMaskSrc | 1<<OptMaskDst | 1<<OptFamily
	switch w := o.Word; {
	case w.Command != CmdNone:
		return Usagef("a line is a filter: it has no command, such as --%s", w.Long)
	case w.Protocol == 0 && (w.Option == OptGrowing || w.Option == OptIdle):
		return Usagef("--%s cannot be used in a line of filters: give it with --match", w.Long)
	case w.Protocol == 0 && (w.Option > OptMatch || selects>>w.Option&1 == 0):
		return Usagef("a line is a filter: --%s does not select entries", w.Long)
	}
	l.given = append(l.given, o)
	return nil
}
