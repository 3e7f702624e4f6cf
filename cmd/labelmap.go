package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// defaultLabelMap is where the names of labels are, unless --labelmap says.
const defaultLabelMap = "/etc/xtables/connlabel.conf"

// maxLabelBit is the highest bit that a label file may name. The kernel keeps
// ctnetlink.MaxLabels bits.
const maxLabelBit = 1023

// labelMap holds the names of label bits.
type labelMap struct {
	names []string       // by bit, "" where it has none
	bits  map[string]int // by name
}

// readLabelMap reads a label file: a line `BIT NAME` each, the bit with a base
// by prefix, the name of letters, digits, blanks and `-'. The first use of a
// bit or a name wins; lines that are none of this are passed over, as are
// comments, `#' in the first column.
func readLabelMap(in io.Reader) (*labelMap, error) {
	m := &labelMap{bits: map[string]int{}}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		n, rest := strtoul(line, 0)
		label := strings.TrimLeft(rest, " \t")
		label = strings.TrimRight(label, " \t\r")
		if rest == line || label == rest || n > maxLabelBit || !isLabelName(label) {
			continue
		}
		bit := int(n)
		if _, taken := m.bits[label]; taken || bit < len(m.names) && m.names[bit] != "" {
			continue
		}
		for len(m.names) <= bit {
			m.names = append(m.names, "")
		}
		m.names[bit], m.bits[label] = label, bit
	}
	return m, lines.Err()
}

func isLabelName(s string) bool {
	for _, c := range []byte(s) {
		if digit(c) > 35 && c != ' ' && c != '-' {
			return false
		}
	}
	return s != ""
}

// labelMaps holds the files that were read: the lines of a -R file ask for the
// same one again and again.
var labelMaps sync.Map // path → *labelMap

// openLabelMap reads the file that --labelmap names, or the system's: for a
// network namespace with a name the one that `ip netns exec' would show there.
func (r *Request) openLabelMap() (*labelMap, error) {
	if r.labelMapPath == "" {
		return openLabelMap(etcIn(r.NetNS, defaultLabelMap))
	}
	return openLabelMap(r.labelMapPath)
}

// openLabelMap reads the file that path names, or the system's.
func openLabelMap(path string) (*labelMap, error) {
	if path == "" {
		path = defaultLabelMap
	}
	if m, ok := labelMaps.Load(path); ok {
		return m.(*labelMap), nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := readLabelMap(bytes.NewReader(b))
	if err == nil {
		labelMaps.Store(path, m)
	}
	return m, err
}

// resolveLabels turns label names into bits, once the whole command line was
// read. The file is read when a name, or names in the output, are asked for.
func (p *parser) resolveLabels() error {
	r := p.req
	named := r.has(optLabel) || r.has(optLabelAdd) || r.has(optLabelDel)
	save := r.Output.Style == styleSave
	if !named && !r.Output.Labels && !save && !r.has(optExplain) && !format.IsRecordStyle(r.Output.Style) {
		return nil
	}
	m, err := r.openLabelMap()
	if err != nil {
		// Saved lines name labels where there are names: no file, no labels. So
		// do explanations, JSON and CSV, which tell a bit without a name by its
		// number.
		if named || r.Output.Labels {
			p.warn("nfct_labelmap_new: %s\n", systemText(err))
		}
		m = &labelMap{}
	}
	r.labelMap = m
	r.Output.LabelNames = m.names
	// Labels show wherever one was named.
	r.Output.Labels = r.Output.Labels || named
	var without ctnetlink.Labels
	for _, l := range []struct {
		names []string
		set   *ctnetlink.Labels
	}{{p.labels, &r.Labels}, {p.notLabels, &without}, {p.labelAdd, &r.LabelAdd}, {p.labelDel, &r.LabelDel}} {
		for _, label := range l.names {
			bit, ok := m.bits[label]
			if !ok {
				return usagef("unknown label '%s'", label)
			}
			if bit >= ctnetlink.MaxLabels {
				return failuref("label '%s' has bit %d, but the kernel keeps bits 0 to %d", label, bit, ctnetlink.MaxLabels-1)
			}
			if *l.set == nil {
				*l.set = ctnetlink.NewLabels()
			}
			l.set.Set(bit)
		}
	}
	if without != nil {
		r.criteria().WithoutLabels = without
	}
	return nil
}

// systemText is the error number's text of a failed system call, without the
// path and the call that Go puts in front.
func systemText(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var n syscall.Errno
	if errors.As(err, &n) && errors.Is(err, fs.ErrNotExist) {
		return ctnetlink.ENOENT.Error()
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// warn prints a line that does not end the program.
func (p *parser) warn(form string, args ...any) { fmt.Fprintf(p.stderr, form, args...) }
