package pair

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A failoverCase is a pair whose nodes take over from each other.
type failoverCase struct {
	combination
	key string // "", "signed" or "sealed"
}

func (c failoverCase) String() string {
	if c.key != "" {
		c.channel += "-" + c.key
	}
	return c.combination.String()
}

// failoverCases are FT-FW over UDP, or the combinations that PAIR_ONLY, a regular expression,
// names: those of the matrix, pairs of conntrack-tools' daemon, and pairs with a key, as
// FTFW/udp-sealed/ours-ours.
func failoverCases() []failoverCase {
	usual := failoverCase{combination: combination{mode: FTFW, channel: UDP, primary: Daemon, backup: Daemon}}
	if os.Getenv(EnvOnly) == "" {
		return []failoverCase{usual}
	}
	only := regexp.MustCompile(os.Getenv(EnvOnly))
	var list []failoverCase
	for _, c := range all(true) {
		list = append(list, failoverCase{combination: c})
		if c.primary == Daemon && c.backup == Daemon {
			list = append(list, failoverCase{c, "signed"}, failoverCase{c, "sealed"})
		}
	}
	return slices.DeleteFunc(list, func(c failoverCase) bool { return !only.MatchString(c.String()) })
}

// settings returns the configuration. The key is the same for all pairs.
func (c failoverCase) settings(t *testing.T) Settings {
	t.Helper()
	s := c.combination.settings()
	if c.key == "" {
		return s
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(hex.EncodeToString(make([]byte, 31))+"01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Sync = "KeyFile " + path
	if c.key == "sealed" {
		s.Sync += "\n\tEncrypt on"
	}
	return s
}

// A failoverRow is what became of connections of a pair.
type failoverRow struct {
	name      string
	failovers int
	old       map[Loss]Tally // those that the other node must know of
	young     Tally
	ftp       int // failovers after which FTP was not whole
	unready   int // failovers after which the pair was not alike soon
	slowest   float64
}

func (r *failoverRow) add(how Loss, o Outcome) {
	r.failovers++
	sum := r.old[how]
	sum.Add(o.Old)
	r.old[how] = sum
	r.young.Add(o.Young)
	if o.FTP != nil {
		r.ftp++
	}
	r.slowest = max(r.slowest, o.Took.Seconds())
}

// failoverRows are a table.
type failoverRows []*failoverRow

func (rows *failoverRows) add(c failoverCase, nat string) *failoverRow {
	r := &failoverRow{name: c.String() + " " + nat, old: map[Loss]Tally{}}
	*rows = append(*rows, r)
	return r
}

func (rows failoverRows) String() string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "%-52s %9s %7s %7s", "pair", "failovers", "opened", "old")
	for _, how := range Losses {
		fmt.Fprintf(b, " %14s", how)
	}
	fmt.Fprintf(b, " %6s %11s %4s %8s %8s\n", "resets", "young lost", "FTP", "not soon", "slowest")
	for _, r := range rows {
		var sum Tally
		for _, t := range r.old {
			sum.Add(t)
		}
		fmt.Fprintf(b, "%-52s %9d %7d %7d", r.name, r.failovers, sum.All()+r.young.All(), sum.All())
		for _, how := range Losses {
			t := r.old[how]
			fmt.Fprintf(b, " %14s", fmt.Sprintf("%d of %d", t.All()-t.Survived, t.All()))
		}
		fmt.Fprintf(b, " %6d %11s %4d %8d %6.2f s\n", sum.Reset, fmt.Sprintf("%d of %d",
			r.young.All()-r.young.Survived, r.young.All()), r.ftp, r.unready, r.slowest)
	}
	return b.String()
}
