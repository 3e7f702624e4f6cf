package pair

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

// EnvLong makes the tests long: every combination, for as long as it takes.
const EnvLong = "PAIR_LONG"

// EnvOnly, a regular expression, chooses combinations by their names. EnvOld adds pairs of
// conntrack-tools' daemons.
const (
	EnvOnly = "PAIR_ONLY"
	EnvOld  = "PAIR_OLD"
)

var skipped atomic.Int32

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "pair-programs")
		if err == nil {
			defer os.RemoveAll(dir)
			err = Build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		if n := skipped.Load(); n > 0 {
			fmt.Fprintf(os.Stderr, "\n*** %d TESTS WERE SKIPPED: no network namespaces, or no old program ***\n\n", n)
		}
		return code
	}())
}

func skip(t *testing.T, why string) {
	t.Helper()
	skipped.Add(1)
	t.Skip("SKIPPED: " + why)
}

// lab makes a Lab, or skips.
func lab(t *testing.T, c Config) *Lab {
	t.Helper()
	l, why := New(t, c)
	if why != "" {
		skip(t, why)
	}
	return l
}

// needs skips unless a program is there.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := os.Stat(p); err != nil {
			skip(t, err.Error())
		}
	}
}
