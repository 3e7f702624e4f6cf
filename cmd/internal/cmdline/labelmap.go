package cmdline

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// DefaultLabelMap is the file of label names, unless --labelmap names another.
const DefaultLabelMap = "/etc/xtables/connlabel.conf"

// maxLabelBit is the highest bit that a label file may name. The kernel keeps
// ctnetlink.MaxLabels bits.
const maxLabelBit = 1023

// LabelMap holds the names of label bits.
type LabelMap struct {
	Names []string       // by bit, "" where it has none
	bits  map[string]int // by name
}

// readLabelMap reads a label file: a line `BIT NAME` each, the bit with a base
// by prefix, the name of letters, digits, blanks and `-'. The first use of a
// bit or a name wins; lines that are none of this are passed over, as are
// comments, `#' in the first column.
func readLabelMap(in io.Reader) (*LabelMap, error) {
	m := &LabelMap{bits: map[string]int{}}
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
		if _, taken := m.bits[label]; taken || bit < len(m.Names) && m.Names[bit] != "" {
			continue
		}
		for len(m.Names) <= bit {
			m.Names = append(m.Names, "")
		}
		m.Names[bit], m.bits[label] = label, bit
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
var labelMaps sync.Map // path → *LabelMap

// LabelMap reads the file that --labelmap names, or the system's: for a network
// namespace with a name the one that `ip netns exec' would show there.
func (r *Request) LabelMap() (*LabelMap, error) {
	if r.labelMapPath == "" {
		return OpenLabelMap(etcIn(r.NetNS, DefaultLabelMap))
	}
	return OpenLabelMap(r.labelMapPath)
}

// etcIn returns the path of a file of /etc that `ip netns exec' would show in a
// network namespace (ip-netns(8)).
func etcIn(netns, path string) string {
	if netns == "" || netns == "." || netns == ".." || strings.Contains(netns, "/") {
		return path
	}
	own := filepath.Join("/etc/netns", netns, strings.TrimPrefix(path, "/etc"))
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return path
}

// OpenLabelMap reads a label file: the system's where path is "".
func OpenLabelMap(path string) (*LabelMap, error) {
	if path == "" {
		path = DefaultLabelMap
	}
	if path != DefaultLabelMap {
		if err := console.MayOpen(path); err != nil {
			return nil, err
		}
	}
	if m, ok := labelMaps.Load(path); ok {
		return m.(*LabelMap), nil
	}
	b, err := console.ReadFile(path)
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
// read.
func (p *parser) resolveLabels() error {
	r := p.req
	named := namesLabels(r)
	m, err := r.LabelMap()
	if errors.Is(err, console.ErrElevated) {
		return err
	}
	if err != nil {
		// Saved lines name labels where there are names: no file, no labels. So
		// do explanations, JSON and CSV, which tell a bit without a name by its
		// number.
		if named || r.Output.Labels {
			p.stderr.Printf("nfct_labelmap_new: %s\n", console.ErrorText(err))
		}
		m = &LabelMap{}
	}
	r.Output.LabelNames = m.Names
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
				return Usagef("unknown label '%s'", label)
			}
			if bit >= ctnetlink.MaxLabels {
				return Failuref("label '%s' has bit %d, but the kernel keeps bits 0 to %d", label, bit, ctnetlink.MaxLabels-1)
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
