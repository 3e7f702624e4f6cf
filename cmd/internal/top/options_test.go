package top

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/format"
)

func parseLine(line string) (*options, error) {
	return parse(strings.Fields(line), console.NewStreams(strings.NewReader(""), io.Discard, io.Discard).Err)
}

// Command lines that are right, and what they say.
func TestParse(t *testing.T) {
	for line, check := range map[string]func(o *options) bool{
		"":                       func(o *options) bool { return o.interval == time.Second && !o.once && !o.batch },
		"-p tcp --dport 443":     func(o *options) bool { return o.request.Has(cmdline.OptProtoNum) },
		"--dport 443 -p tcp":     func(o *options) bool { return o.request.Selects() },
		"--interval 500ms":       func(o *options) bool { return o.interval == 500*time.Millisecond },
		"--interval 2":           func(o *options) bool { return o.interval == 2*time.Second },
		"--interval 0.5":         func(o *options) bool { return o.interval == 500*time.Millisecond },
		"-d 2":                   func(o *options) bool { return o.interval == 2*time.Second && !o.request.Has(cmdline.OptDst) },
		"--interval 1m":          func(o *options) bool { return o.interval == time.Minute },
		"--interval 100ms":       func(o *options) bool { return o.interval == minInterval },
		"--once --limit 5":       func(o *options) bool { return o.once && o.request.View().Limit == 5 },
		"--batch -n 10 -d 2":     func(o *options) bool { return o.times == 10 && o.interval == 2*time.Second },
		"-n 10 -d .5 --batch":    func(o *options) bool { return o.times == 10 && o.interval == 500*time.Millisecond },
		"-b -n10 -d2":            func(o *options) bool { return o.batch && o.times == 10 && o.interval == 2*time.Second },
		"-bn 3":                  func(o *options) bool { return o.batch && o.times == 3 },
		"-d 500ms":               func(o *options) bool { return o.interval == 500*time.Millisecond },
		"-d1m":                   func(o *options) bool { return o.interval == time.Minute },
		"--batch -n 1 -n 1":      func(o *options) bool { return o.times == 1 },
		"--batch --iterations=4": func(o *options) bool { return o.times == 4 && !o.request.Has(cmdline.OptSrcNAT) },
		"--batch -n 192.0.2.1 -d 10.0.0.1": func(o *options) bool {
			return o.times == 0 && o.request.Has(cmdline.OptSrcNAT) && o.request.Has(cmdline.OptDst)
		},
		"--batch -n":         func(o *options) bool { return o.request.Has(cmdline.OptSrcNAT) },
		"--batch -d 2 -d ::": func(o *options) bool { return o.interval == 2*time.Second && o.request.Has(cmdline.OptDst) },
		"-n 192.0.2.1":       func(o *options) bool { return o.request.Has(cmdline.OptSrcNAT) },
		"--by src/24 --sort -bytes": func(o *options) bool {
			return len(o.request.View().By) == 1 && o.request.View().Order[0].Descending
		},
		"--by proto --sort byte_rate":   func(o *options) bool { return o.request.View().Order[0].Descending },
		"--sort bytes":                  func(o *options) bool { return o.request.View().Order[0].Descending },
		"--sort bytes:asc,src":          func(o *options) bool { return !o.request.View().Order[0].Descending },
		"--sort src":                    func(o *options) bool { return !o.request.View().Order[0].Descending },
		"--columns process,byte_rate":   func(o *options) bool { return o.request.WantsProcesses() },
		"--sort orig_byte_rate":         func(o *options) bool { return o.request.View().Order[0].Descending },
		"--columns src,dst":             func(o *options) bool { return len(o.request.Output.Columns) == 2 },
		"--names --services":            func(o *options) bool { return o.request.Has(cmdline.OptNames) },
		"--processes":                   func(o *options) bool { return o.request.Output.Processes },
		"--read-only --all-netns":       func(o *options) bool { return o.readOnly && o.request.Has(cmdline.OptAllNetNS) },
		"--once -o json --table x":      func(o *options) bool { return o.request.TableFile == "x" },
		"--once --by proto -o csv":      func(o *options) bool { return o.request.View().By != nil },
		"--batch -o json":               func(o *options) bool { return o.request.Output.Style == format.StyleJSONL },
		"-h --once --batch -o xml what": func(o *options) bool { return o.help },
	} {
		o, err := parseLine(line)
		if err != nil || !check(o) {
			t.Errorf("%q: %+v, %v", line, o, err)
		}
	}
}

// Command lines that are wrong, and what is said of them.
func TestParseWrong(t *testing.T) {
	for line, want := range map[string]string{
		"expect":                               "`expect' is one word too many for `top'",
		"-n 10":                                "--iterations (-n NUMBER) can only be used with --batch",
		"--once -n 10":                         "can only be used with --batch",
		"-d x":                                 "`x' is not an IP address",
		"--batch -n 0":                         "at least 1",
		"--batch -n 5s":                        "a number of at least 1 is required",
		"--batch -n 1.5":                       "a number of at least 1 is required",
		"--batch -n 1 -n 2":                    "--iterations is given twice, with `1' and `2'",
		"--batch -d 2 --interval 3":            "--interval is given twice, with `2' and `3'",
		"--batch -d 0":                         "too short",
		"--interval 99ms":                      "an interval of 99ms is too short: at least 100ms are needed",
		"--interval 0":                         "too short",
		"--interval -1":                        "is no interval",
		"--interval 25h":                       "is no interval",
		"--interval 1e300":                     "is no interval",
		"--interval NaN":                       "is no interval",
		"--interval soon":                      "is no interval",
		"--interval=":                          "is no interval",
		"--interval":                           "requires an argument",
		"--iterations 2":                       "can only be used with --batch",
		"--once --batch":                       "--once cannot be used with --batch",
		"--once=yes":                           "unknown option",
		"--inter 2":                            "unknown option `--inter'",
		"-o json":                              "-o can only be used with --once and --batch",
		"--limit 3":                            "--limit can only be used with --once and --batch",
		"--once -o xml":                        "takes table, json, jsonl and csv only",
		"--once -o save":                       "takes table, json, jsonl and csv only",
		"--once -o netlink":                    "takes table, json, jsonl and csv only",
		"--once --by proto -o prom":            "takes table, json, jsonl and csv only",
		"--watch":                              "unknown option `--watch'",
		"--explain":                            "unknown option `--explain'",
		"--growing 2":                          "unknown option `--growing'",
		"-z":                                   "unknown option `-z'",
		"--dry-run":                            "dry-run",
		"-L":                                   "unknown option `-L'",
		"-t 5":                                 "timeout",
		"--once -o json --columns src":         "--columns can only be used with -o table and -o csv",
		"--by proto --sort src":                "packet_rate, byte_rate and the keys (proto)",
		"--by proto --sort proto,-bytes":       "groups are sorted by one key",
		"--sort what":                          "unknown field `what'",
		"--netns a --all-netns":                "--netns cannot be used with --all-netns",
		"--dport 443":                          "needs -p",
		"-p tcp --state nonsense":              "nonsense",
		"--mask-src 255.0.0.0":                 "--mask-src without --src",
		"--columns":                            "requires an argument",
		"--once --names -o json":               "--names can only be used with -o table",
		"--by proto --processes":               "process is a key",
		"--table x --netns y":                  "--table cannot be used with --netns",
		"--sort process":                       "`process' is found for the entries that are shown only",
		"--by orig_process":                    "top cannot sort or group by it",
		"--sort role":                          "top does not keep `role'",
		"--columns src,orig_vtag":              "top does not keep `orig_vtag'",
		"--by byte_rate":                       "entries cannot be grouped by `byte_rate'",
		"--interval 1 --interval 2 --help":     "--interval is given twice",
		"--batch --iterations 99999999999 -d2": "at least 1",
	} {
		if _, err := parseLine(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// FuzzParse reads any command line: it is refused, or it is one that can be carried out.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"--once -o json", "--batch -n 10 -d 2", "-n 192.0.2.1 -d.5", "--by src/24 --sort -bytes", "--columns src,byte_rate", "-bn1",
		"--sort :asc,-", "--interval=1h1s -p tcp --dport 80", "-- x", "--by nat --sort nat_src", "--sort source --names", "-d", "-d 1..2",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "/@") && strings.Contains(line, "--") { // names files
			line = strings.NewReplacer("/", "", "@", "").Replace(line)
		}
		o, err := parseLine(line)
		switch {
		case err != nil && o == nil, err == nil && o.help:
		case err != nil:
			t.Errorf("%q: %v, and options", line, err)
		case o.interval < minInterval || o.once && o.batch || o.request.View().By != nil && len(o.request.View().Order) != 1:
			t.Errorf("%q: %+v", line, o)
		}
	})
}
