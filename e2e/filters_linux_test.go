package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFilters compares what -L shows for random filters with an independent evaluation of the filter on each line
// of the whole table. -D must delete and -U must change the same entries. Both grammars are used. With -short there
// are fewer filters.
func TestFilters(t *testing.T) {
	program := os.Getenv(envProgram)
	if program == "" {
		t.Skip("E2E_ONLY=reference: the reference has no lists")
	}
	filters, deletions := 120, 12
	if testing.Short() {
		filters, deletions = 40, 4
	}
	seed := 6
	if n, err := strconv.Atoi(os.Getenv("E2E_SEED")); err == nil { // other filters, by hand
		seed = n
	}
	r := rand.New(rand.NewPCG(11, uint64(seed)))
	ns, err := newNetns()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.file.Close()
	k := &filterBench{t, r, ns, program}
	saved := k.fill(150)
	table := k.entries()
	shown, none, all := 0, 0, 0
	for i := range filters {
		lists := i%(filters/deletions) != 0
		f := k.filter(table)
		want := f.choose(table)
		shown += len(want)
		switch len(want) {
		case 0:
			none++
		case len(table):
			all++
		}
		lines, _ := k.conntrack("", f.line(r, "-L", "list", "-o", "id")...)
		k.same(f, "shown", lines, want)
		if lists {
			continue
		}
		// What is changed, what would be deleted, what is deleted.
		mark := strconv.Itoa(1000 + i)
		lines, _ = k.conntrack("", f.withoutValues().line(r, "-U", "update", "-o", "id", "-m", mark)...)
		k.same(f, "updated", lines, f.withoutValues().choose(table))
		table = k.entries()
		want = f.choose(table)
		lines, _ = k.conntrack("", f.line(r, "-D", "delete", "-o", "id", "--dry-run")...)
		k.same(f, "in a dry run", lines, want)
		lines, _ = k.conntrack("", f.line(r, "-D", "delete", "-o", "id")...)
		k.same(f, "deleted", lines, want)
		left := slices.DeleteFunc(table, func(e flowLine) bool { return slices.Contains(want, e.id()) })
		if now := k.entries(); len(now) != len(left) {
			t.Fatalf("%s: %d entries are left, not %d", f, len(now), len(left))
		}
		k.conntrack("", "-F")
		k.conntrack(saved, "-R", "-", "--keep-going")
		table = k.entries()
	}
	t.Logf("%d filters on %d entries: %d shown; %d filters selected nothing, %d everything",
		filters, len(table), shown, none, all)
	if none > filters/2 || all > filters/4 {
		t.Errorf("too few filters select something and not everything")
	}
}

// A filterBench runs filters in a namespace.
type filterBench struct {
	t       *testing.T
	r       *rand.Rand
	ns      *netns
	program string
}

// conntrack runs the program and returns its lines and its exit status.
func (k *filterBench) conntrack(stdin string, args ...string) (lines []string, status int) {
	k.t.Helper()
	cmd := exec.Command(k.program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := k.ns.start(cmd); err != nil {
		k.t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		k.t.Fatal(err)
	}
	if status > 1 {
		k.t.Fatalf("conntrack %q: exit status %d\n%s", args, status, &stderr)
	}
	for line := range strings.Lines(stdout.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, status
}

// same compares the ids of the entries in lines with those that are wanted.
func (k *filterBench) same(f filterLine, what string, lines, want []string) {
	k.t.Helper()
	var got []string
	for _, line := range lines {
		got = append(got, parseFlow(line).id())
	}
	slices.Sort(got)
	want = slices.Clone(want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		k.t.Fatalf("%s: %d entries %s, %d match\n%s", f, len(got), what, len(want), strings.Join(lines, "\n"))
	}
}

// entries reads the whole table.
func (k *filterBench) entries() (all []flowLine) {
	k.t.Helper()
	lines, _ := k.conntrack("", "-L", "-o", "extended,id")
	for _, line := range lines {
		all = append(all, parseFlow(line))
	}
	return all
}

// fill makes random entries, half of them with counters and times, and returns the lines that make them.
func (k *filterBench) fill(n int) (saved string) {
	for i := range 2 {
		for _, name := range []string{"nf_conntrack_acct", "nf_conntrack_timestamp"} {
			err := k.ns.do(func() error {
				return os.WriteFile("/proc/sys/net/netfilter/"+name, []byte{byte('0' + i)}, 0)
			})
			if err != nil && i == 1 {
				k.t.Log(err) // an ordinary user: no entry has any
			}
		}
		var b strings.Builder
		for range n / 2 {
			b.WriteString(k.entry() + "\n")
		}
		k.conntrack(b.String(), "-R", "-", "--keep-going")
		saved += b.String()
	}
	return saved
}

// The pools are small, so that filters and entries meet.
var (
	filterPorts  = []int64{1, 2, 53, 80, 443, 1000, 8080, 65535}
	filterStates = []string{"SYN_SENT", "ESTABLISHED", "TIME_WAIT", "CLOSE"}
	filterMarks  = []uint32{0, 0, 1, 7, 0x10, 0x17, 0xff00, 0xffffffff}
	filterZones  = []int{0, 0, 0, 5, 6, 9}
)

func (k *filterBench) addr(v6 bool) string {
	if v6 {
		return fmt.Sprintf("fd00:%d::%d", k.r.IntN(3), 1+k.r.IntN(5))
	}
	return fmt.Sprintf("10.0.%d.%d", k.r.IntN(3), 1+k.r.IntN(5))
}

func oneOf[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// entry is the line that makes a random entry.
func (k *filterBench) entry() string {
	r := k.r
	v6 := r.IntN(3) == 0
	proto := oneOf(r, []string{"tcp", "tcp", "udp", "udp", "sctp", "udplite", "icmp", "gre", "99"})
	line := fmt.Sprintf("-I -s %s -d %s -t %d", k.addr(v6), k.addr(v6), oneOf(r, []int{1000, 5000, 90000}))
	if v6 && proto == "icmp" {
		proto = "icmpv6"
	}
	line += " -p " + proto
	switch proto {
	case "tcp":
		line += fmt.Sprintf(" --sport %d --dport %d --state %s",
			oneOf(r, filterPorts), oneOf(r, filterPorts), oneOf(r, filterStates))
	case "sctp":
		line += fmt.Sprintf(" --sport %d --dport %d --state %s --orig-vtag 1 --reply-vtag 2",
			oneOf(r, filterPorts), oneOf(r, filterPorts), oneOf(r, []string{"CLOSED", "ESTABLISHED"}))
	case "udp", "udplite":
		line += fmt.Sprintf(" --sport %d --dport %d", oneOf(r, filterPorts), oneOf(r, filterPorts))
	case "icmp":
		line += fmt.Sprintf(" --icmp-type %d --icmp-code 0 --icmp-id %d", oneOf(r, []int{8, 13}), oneOf(r, filterPorts))
	case "icmpv6":
		line += fmt.Sprintf(" --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id %d", oneOf(r, filterPorts))
	case "gre":
		line += fmt.Sprintf(" --srckey %d --dstkey %d", oneOf(r, filterPorts), oneOf(r, filterPorts))
	}
	line += fmt.Sprintf(" -m %d", oneOf(r, filterMarks))
	if zone := oneOf(r, filterZones); zone != 0 {
		line += fmt.Sprintf(" -w %d", zone)
	}
	if status := oneOf(r, []string{"", "SEEN_REPLY", "SEEN_REPLY,ASSURED", "ASSURED"}); status != "" {
		line += " -u " + status
	}
	switch r.IntN(6) {
	case 0:
		line += " -n " + k.addr(v6)
	case 1:
		line += " -g " + k.addr(v6)
	}
	return line
}

// A flowLine is an entry as it was printed: the words of the line, and the fields of both directions by name.
type flowLine struct {
	words       []string
	orig, reply map[string]string
	rest        map[string]string
}

func (e flowLine) id() string    { return e.rest["id"] }
func (e flowLine) proto() string { return e.words[3] } // its number, in an extended line
func (e flowLine) v6() bool      { return e.words[0] == "ipv6" }

func (e flowLine) flag(name string) bool { return slices.Contains(e.words, "["+name+"]") }

func (e flowLine) direction(reply bool) map[string]string {
	if reply {
		return e.reply
	}
	return e.orig
}

// parseFlow reads a line.
func parseFlow(line string) flowLine {
	e := flowLine{
		words: strings.Fields(line),
		orig:  map[string]string{}, reply: map[string]string{}, rest: map[string]string{},
	}
	for _, w := range e.words {
		name, value, ok := strings.Cut(w, "=")
		switch {
		case !ok:
		case name == "mark" || name == "zone" || name == "use" || name == "delta-time" || len(e.rest) > 0:
			e.rest[name] = value
		case e.orig[name] == "" && len(e.reply) == 0:
			e.orig[name] = value
		default:
			e.reply[name] = value
		}
	}
	return e
}
