package format

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// inNamespace runs the test that calls it again, alone in a process of its own
// with an empty conntrack table, and returns true there. It skips when no such
// namespace can be created, or without a conntrack to compare with.
func inNamespace(t *testing.T) bool {
	const mark = "FORMAT_TEST_IN_NAMESPACE"
	if os.Getenv(mark) != "" {
		return true
	}
	if _, err := exec.LookPath("conntrack"); err != nil {
		t.Skipf("NOT COMPARED with the reference: %v", err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case len(out) == 0 && err != nil:
		t.Skipf("NOT COMPARED with the reference: no namespace: %v", err)
	case err != nil:
		t.Errorf("%s", out)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("%s", out)
	}
	return false
}

// reference runs conntrack and returns its output.
func reference(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("conntrack", args...)
	cmd.Env = append(os.Environ(), "TZ=EET-2") // as TestMain has it
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("conntrack %v: %v: %s", args, err, &stderr)
	}
	return string(out)
}

// liveEntries are made by the reference.
const liveEntries = `
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state ESTABLISHED -u ASSURED,SEEN_REPLY
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 2 --dport 2 --state SYN_SENT2
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 3 --dport 2 --state TIME_WAIT -u SEEN_REPLY,FIXED_TIMEOUT
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 65535 --dport 9 --state NONE -m 4294967295
-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2
-p udp -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.9 -q 10.0.0.8 --sport 7 --dport 2 --reply-port-src 8 --reply-port-dst 9
-p udplite -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2
-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2
-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 2 --dport 2 --state COOKIE_WAIT --orig-vtag 4294967295 --reply-vtag 305419896
-p dccp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state OPEN --role client
-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77
-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 13 --icmp-code 0 --icmp-id 65535
-p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77
-p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 1 --dstkey 0xbeef
-p 99 -s 10.0.0.1 -d 10.0.0.2
-p igmp -s ::10.0.0.1 -d ::ffff:10.0.0.2
-p esp -s fe80::1:0:0:1 -d ff02::1 -u ASSURED
-p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1 --dport 2 -n 1.2.3.4
-p udp -s 10.0.0.1 -d 10.0.0.4 --sport 1 --dport 2 -n 1.2.3.4:50
-p udp -s 10.0.0.1 -d 10.0.0.5 --sport 1 --dport 2 -n 10.0.0.1:51
-p udp -s 10.0.0.1 -d 10.0.0.6 --sport 1 --dport 2 -g 1.2.3.4:50
-p udp -s 10.0.0.1 -d 10.0.0.7 --sport 1 --dport 2 -g 10.0.0.7:80
-p tcp -s 10.0.0.1 -d 10.0.0.8 --sport 1 --dport 2 -n 1.2.3.4:51 -g 1.2.3.5:52 --state ESTABLISHED -u SEEN_REPLY,ASSURED
-p tcp -s 10.0.0.1 -d 10.0.0.9 --sport 1 --dport 2 -n 1.2.3.4 -g 1.2.3.5:80 --state ESTABLISHED -m 7
-p udplite -s 10.0.0.1 -d 10.0.1.0 --sport 1 --dport 2 -g 1.2.3.5:80
-p sctp -s 10.0.0.1 -d 10.0.1.1 --sport 1 --dport 2 -n 1.2.3.4:52 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2
-p icmp -s 10.0.0.1 -d 10.0.1.2 --icmp-type 8 --icmp-code 0 --icmp-id 78 -n 1.2.3.4
-p gre -s 10.0.0.1 -d 10.0.1.3 --srckey 1 --dstkey 2 -g 1.2.3.4
-p 99 -s 10.0.0.1 -d 10.0.1.4 -n 1.2.3.4
-p udp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -n [fd00::99]:55 -u SEEN_REPLY
-p tcp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -g fd00::98 --state CLOSE
-p udp -s 10.0.0.1 -d 10.0.1.5 --sport 1 --dport 2 -w 7
-p udp -s 10.0.0.1 -d 10.0.1.6 --sport 1 --dport 2 --orig-zone 7
-p udp -s 10.0.0.1 -d 10.0.1.7 --sport 1 --dport 2 --reply-zone 65535
`

// fillTable makes the live entries.
func fillTable(t *testing.T) {
	for _, name := range []string{"acct", "timestamp"} {
		// An ordinary user may not; then there is less to compare.
		_ = os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_"+name, []byte("1"), 0)
	}
	for line := range strings.Lines(strings.TrimSpace(liveEntries)) {
		reference(t, append([]string{"-I", "-t", "3000"}, strings.Fields(line)...)...)
	}
}

// listed returns the lines that a printer makes of the table.
func listed(t *testing.T, o Options) (lines []string) {
	conn := ctnetlink.Open()
	defer conn.Close()
	p := NewPrinter(o)
	for f, err := range conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(p.AppendFlow(nil, f, nil)))
	}
	return lines
}

// diff returns the lines that only one of two listings has.
func diff(got, want []string) string {
	var b strings.Builder
	for _, l := range got {
		if !slices.Contains(want, l) {
			fmt.Fprintf(&b, "  ours      %s", l)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			fmt.Fprintf(&b, "  reference %s", l)
		}
	}
	return b.String()
}

// running matches the numbers that change while time passes: timeouts and ages.
var running = regexp.MustCompile(`^(?:ipv[46] +\d+ )?[a-z0-9]+ +\d+ +(\d+) |^(\d+) proto=|-t (\d+) |` +
	`<timeout>(\d+)</timeout>|delta-time=(\d+)|<deltatime>(\d+)</deltatime>`)

// split returns the line with N in place of each running number, and these
// numbers.
func split(line string) (text string, numbers []int) {
	end := 0
	for _, at := range running.FindAllStringSubmatchIndex(line, -1) {
		for i := 2; i < len(at); i += 2 {
			if at[i] < 0 {
				continue
			}
			n, _ := strconv.Atoi(line[at[i]:at[i+1]])
			numbers = append(numbers, n)
			text += line[end:at[i]] + "N"
			end = at[i+1]
		}
	}
	return text + line[end:], numbers
}

// compare compares the reference's listing of a table with ours. However long
// that takes, the running numbers of the reference are between those of our
// listings just before and just after its own.
func compare(t *testing.T, what string, ours, theirs func() []string) {
	t.Helper()
	before, want, after := ours(), theirs(), ours()
	if len(before) == 0 || len(before) != len(want) || len(after) != len(want) {
		t.Fatalf("%s: %d lines, then %d, the reference has %d", what, len(before), len(after), len(want))
	}
	texts := func(lines []string) (texts []string, numbers map[string][]int) {
		numbers = map[string][]int{}
		for _, l := range lines {
			text, n := split(l)
			texts = append(texts, text)
			numbers[text] = n
		}
		return texts, numbers
	}
	gotTexts, low := texts(before)
	wantTexts, numbers := texts(want)
	_, high := texts(after)
	if d := diff(gotTexts, wantTexts); d != "" {
		t.Errorf("%s:\n%s", what, d)
		return
	}
	for text, list := range numbers {
		for i, n := range list {
			a, b := low[text][i], high[text][i]
			if n < min(a, b) || n > max(a, b) {
				t.Errorf("%s: number %d of the reference is %d, ours was %d, then %d:\n%s", what, i+1, n, a, b, text)
			}
		}
	}
}

var (
	stateElement = regexp.MustCompile("<state>.*</state>")
	markOption   = regexp.MustCompile(" -m [0-9]+")
	natPort      = regexp.MustCompile(`( -[ng] )(?:\[(.*)\]|([0-9.]+)):[0-9]+`)
)

// TestLiveFlows compares every line of a table with the reference's.
func TestLiveFlows(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	fillTable(t)
	for _, x := range []struct {
		args string
		o    Options
		// mend takes away what is different on purpose: docs/compat.md.
		mend func(string) string
	}{
		{"", Options{}, nil},
		{"extended,id", Options{Extended: true, ID: true}, nil},
		{"ktimestamp,timestamp", Options{KTimestamp: true, Timestamp: true}, nil},
		{"xml", Options{Style: StyleXML}, mendXML},
		{"xml,ktimestamp,timestamp,extended", Options{Style: StyleXML, KTimestamp: true, Timestamp: true, Extended: true}, mendXML},
		{"save", Options{Style: StyleSave}, mendSave},
	} {
		run := func(lines []string) []string {
			var out []string
			for _, l := range lines {
				if x.mend != nil {
					l = x.mend(l)
				}
				if strings.TrimSpace(l) != "" {
					out = append(out, l)
				}
			}
			return out
		}
		args := []string{"-L"}
		if x.args != "" {
			args = append(args, "-o", x.args)
		}
		compare(t, "-L -o "+x.args,
			func() []string {
				p := NewPrinter(x.o)
				return run(slices.Concat(
					slices.Collect(strings.Lines(string(p.AppendHeader(nil)))), listed(t, x.o), slices.Collect(strings.Lines(string(p.AppendFooter(nil))))))
			},
			func() []string { return run(slices.Collect(strings.Lines(reference(t, args...)))) })
	}
}

// mendXML: the reference names the states of sctp as those of tcp.
func mendXML(l string) string {
	if strings.Contains(l, `protoname="sctp"`) {
		return stateElement.ReplaceAllString(l, "")
	}
	return l
}

// mendSave: the reference loses marks, ports, and translations of ports alone,
// swaps the bytes of tags, and leaves out what dccp needs.
func mendSave(l string) string {
	if strings.Contains(l, "-p sctp") || strings.Contains(l, "-p dccp") || strings.Contains(l, "-d 10.0.0.5 ") || strings.Contains(l, "-d 10.0.0.7 ") {
		return ""
	}
	return natPort.ReplaceAllString(markOption.ReplaceAllString(l, ""), "$1$2$3")
}

// TestLiveSave: the reference can load what is saved, and that gives the same
// table again.
func TestLiveSave(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	fillTable(t)
	table := func() (lines []string) {
		conn := ctnetlink.Open()
		defer conn.Close()
		p := NewPrinter(Options{})
		for f, err := range conn.Dump(&ctnetlink.DumpRequest{}) {
			if err != nil {
				t.Fatal(err)
			}
			status, _ := f.Status()
			line := string(p.AppendFlow(nil, f, nil))
			// The status has the translation as it is applied to packets.
			line, _ = split(line)
			const translation = ctnetlink.StatusSrcNAT | ctnetlink.StatusDstNAT | ctnetlink.StatusFixedTimeout
			lines = append(lines, fmt.Sprintf("%#x ", status&translation)+line)
		}
		return lines
	}
	before := table()
	file := filepath.Join(t.TempDir(), "saved")
	if err := os.WriteFile(file, []byte(strings.Join(listed(t, Options{Style: StyleSave}), "")), 0o600); err != nil {
		t.Fatal(err)
	}
	reference(t, "-F")
	if n := len(table()); n != 0 {
		t.Fatalf("%d entries after -F", n)
	}
	reference(t, "-R", file)
	after := table()
	if d := diff(after, before); d != "" || len(after) != len(before) {
		t.Errorf("%d entries, there were %d:\n%s", len(after), len(before), d)
	}
}

// TestLiveExpectations compares every line of a table of expectations with the
// reference's, where the kernel has a helper.
func TestLiveExpectations(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	conn := ctnetlink.Open()
	defer conn.Close()
	tuple := func(src, dst string, sport, dport uint16) ctnetlink.Tuple {
		return ctnetlink.Tuple{
			Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoTCP,
			Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), SrcPort: sport, DstPort: dport,
		}
	}
	for i, a := range [][3]string{{"10.0.0.1", "10.0.0.2", "255.255.255.255"}, {"fd00::1", "fd00::2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}} {
		family := []ctnetlink.Family{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6}[i]
		master := ctnetlink.FlowSpec{Family: family, Orig: tuple(a[0], a[1], 32874, 21), Reply: tuple(a[1], a[0], 21, 32874), Timeout: 3000 * time.Second, Helper: "ftp"}
		master.Set = master.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrHelp)
		if err := conn.Create(&master); err != nil {
			t.Skipf("NOT COMPARED with the reference: no connection with ftp's helper: %v", err)
		}
		if err := conn.CreateExpect(&ctnetlink.ExpectSpec{Family: family, Master: master.Orig,
			Tuple: tuple(a[1], a[0], 0, 51210), Mask: tuple(a[2], a[2], 0, 65535)}); err != nil {
			t.Fatal(err)
		}
	}
	reference(t, "-L") // a helper's name on a line
	for _, family := range []ctnetlink.Family{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6} {
		name := map[ctnetlink.Family]string{ctnetlink.FamilyIPv4: "ipv4", ctnetlink.FamilyIPv6: "ipv6"}[family]
		for args, o := range map[string]Options{"id": {}, "save": {Style: StyleSave}, "xml": {Style: StyleXML}} {
			compare(t, "-L expect -o "+args,
				func() (lines []string) {
					o.Expect = true
					p := NewPrinter(o)
					lines = slices.Collect(strings.Lines(string(p.AppendHeader(nil))))
					for e, err := range conn.DumpExpect(family) {
						if err != nil {
							t.Fatal(err)
						}
						lines = append(lines, string(p.AppendExpect(nil, e, nil)))
					}
					return append(lines, slices.Collect(strings.Lines(string(p.AppendFooter(nil))))...)
				},
				func() []string {
					return slices.Collect(strings.Lines(reference(t, "-L", "expect", "-f", name, "-o", args)))
				})
		}
	}
	compare(t, "helpers", func() []string { return listed(t, Options{}) },
		func() []string { return slices.Collect(strings.Lines(reference(t, "-L"))) })
}
