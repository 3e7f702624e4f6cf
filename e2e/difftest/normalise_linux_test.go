package difftest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule is for a part of the output that is not compared, or not exactly.
type rule struct {
	why  string
	what *regexp.Regexp
	with string // "" with a function below
	by   func(match []string) string
}

// rules are applied to each line of standard output, of both programs, in
// this order.
var rules = []rule{
	{why: "every entry has its own id", what: regexp.MustCompile(`\bid=\d+`), with: "id=N"},
	{why: "the same in XML", what: regexp.MustCompile(`<id>\d+</id>`), with: "<id>N</id>"},
	{why: "the number of users of an entry changes", what: regexp.MustCompile(`\buse=\d+`), with: "use=N"},
	{why: "the same in XML", what: regexp.MustCompile(`<use>\d+</use>`), with: "<use>N</use>"},
	{why: "ages", what: regexp.MustCompile(`\bdelta-time=\d+`), with: "delta-time=N"},
	{why: "the same in XML", what: regexp.MustCompile(`<deltatime>\d+</deltatime>`), with: "<deltatime>N</deltatime>"},
	{why: "births", what: regexp.MustCompile(`\[start=[^]]*\]`), with: "[start=TIME]"},
	{why: "the same in XML", what: regexp.MustCompile(`<start>\d+</start>`), with: "<start>N</start>"},
	{why: "ends", what: regexp.MustCompile(`\[stop=[^]]*\]`), with: "[stop=TIME]"},
	{why: "the same in XML", what: regexp.MustCompile(`<stop>\d+</stop>`), with: "<stop>N</stop>"},
	{why: "which CPU counts is not fixed", what: regexp.MustCompile(`^(cpu=\d+ *\t).*`), by: func(m []string) string {
		return m[1] + regexp.MustCompile(`=\d+`).ReplaceAllString(m[0][len(m[1]):], "=N")
	}},
	{why: "timeouts run down; those of the cases are hundreds of seconds apart",
		what: regexp.MustCompile(`^((?:\S+ +\d+ )?\S+ +\d+ )(\d+)( (?:[A-Z][A-Z_0-9]* )?src=)`), by: roundTimeout},
	{why: "the same in expectations", what: regexp.MustCompile(`^()(\d+)( proto=)`), by: roundTimeout},
	{why: "the same in save lines", what: regexp.MustCompile(`^(-[AUD] -t )(\d+)( )`), by: roundTimeout},
	{why: "the same in XML", what: regexp.MustCompile(`(<timeout>)(\d+)(</timeout>)`), by: roundTimeout},

	{
		why:  "docs/compat.md #19: save lines carry the mark",
		what: regexp.MustCompile(`^(-[AUD] .*?) -m \S+( .*-p )`),
		with: "$1$2",
	},
	{
		why:  "docs/compat.md #19: and the labels",
		what: regexp.MustCompile(`^(-[AUD] .*?) --label-add (?:"[^"]*"|\S+)`),
		with: "$1",
	},
	{why: "docs/compat.md #19: and not EXPECTED", what: regexp.MustCompile(`^(-[AUD] .*-u \S*)EXPECTED,?`), with: "$1"},
	{why: "docs/compat.md #19: and what -p dccp needs", what: regexp.MustCompile(`^(-[AUD] .* -p dccp) --.*`), with: "$1"},
	{
		why:  "docs/compat.md #19: and the translated destination with its port",
		what: regexp.MustCompile(`^(-[AUD] .* )(?:-g|-r) (\S+)( -(?:q|n) .*-p )`),
		by:   func(m []string) string { return m[1] + "-r " + bare(m[2]) + m[3] },
	},
	{why: "docs/compat.md #19: and the translated source", what: regexp.MustCompile(`^(-[AUD] .* )(?:-n|-q) (\S+)( -p )`),
		by: func(m []string) string { return m[1] + "-q " + bare(m[2]) + m[3] }},
}

// bare returns an address without its port and brackets.
func bare(addr string) string {
	if v6, _, ok := strings.Cut(strings.TrimPrefix(addr, "["), "]"); ok {
		return v6
	}
	if v4, _, ok := strings.Cut(addr, ":"); ok && strings.Count(addr, ":") == 1 {
		return v4
	}
	return addr
}

func roundTimeout(m []string) string {
	n, err := strconv.ParseUint(m[2], 10, 64)
	if err != nil {
		return m[0]
	}
	return m[1] + strconv.FormatUint((n+99)/100*100, 10) + m[3]
}

// An observation is a result ready to be compared.
type observation struct {
	status int
	stdout []string // sorted
	stderr string
	raw    result
}

var (
	unknownOption = regexp.MustCompile("(?s)unknown option `.*'\n")
	// docs/compat.md, "Messages that differ": what was wrong, after a refusal.
	cause = regexp.MustCompile(`(: Operation failed: .*\n)(?:conntrack v1\.4\.9 \(conntrack-tools\): (?:` +
		`type \d+ is not tracked|icmp\S* belongs to IPv|an entry has a zone|the status EXPECTED cannot|with all four|` +
		`the list of --status|another entry has|the master connection|--\S+ .* is read as \d+).*\n)+`)
	helpStart = "Command line interface for the connection tracking system."
)

// observe prepares the result of a program, which may be the older one.
func observe(r result, older bool) observation {
	o := observation{status: r.status, stderr: r.stderr, raw: r}
	stdout := r.stdout
	if older {
		o.stderr = strings.ReplaceAll(o.stderr, "v1.4.7 (conn", "v1.4.9 (conn")
		if stdout == "conntrack v1.4.7 (conntrack-tools)\n" {
			stdout = "conntrack v1.4.9 (conntrack-tools)\n"
		}
	}
	if !older {
		o.stderr = cause.ReplaceAllString(o.stderr, "$1")
	}
	// docs/classic.md 1.7: the word that is named is a quirk of getopt.
	o.stderr = unknownOption.ReplaceAllString(o.stderr, "unknown option `WORD'\n")
	o.stdout = normalise(stdout)
	return o
}

// normalise returns the lines of a program's output, in an order of their own.
func normalise(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = normaliseLine(l)
	}
	slices.Sort(lines)
	return lines
}

func normaliseLine(l string) string {
	for _, r := range rules {
		l = r.apply(l)
	}
	return l
}

func (r rule) apply(l string) string {
	if r.by == nil {
		return r.what.ReplaceAllString(l, r.with)
	}
	m := r.what.FindStringSubmatch(l)
	if m == nil {
		return l
	}
	return strings.Replace(l, m[0], r.by(m), 1)
}

// aspect is a set of the things that are compared.
type aspect uint

const (
	exit aspect = 1 << iota
	stdout
	stderr
	contents // of the table, afterwards
	all      = exit | stdout | stderr | contents
)

func (a aspect) String() string {
	var names []string
	for i, n := range []string{"exit status", "stdout", "stderr", "table"} {
		if a&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// differing returns in what two observations differ. The help is ours: only
// that it was printed is compared.
func differing(ref, our observation) aspect {
	var a aspect
	if ref.status != our.status {
		a |= exit
	}
	if strings.HasPrefix(ref.raw.stdout, helpStart) {
		if our.raw.stdout == "" {
			a |= stdout
		}
	} else if !slices.Equal(ref.stdout, our.stdout) {
		a |= stdout
	}
	if ref.stderr != our.stderr {
		a |= stderr
	}
	return a
}
