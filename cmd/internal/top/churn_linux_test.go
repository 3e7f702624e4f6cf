package top

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
)

// kernelTable returns the table of a network namespace that ends with the test.
func kernelTable(t testing.TB, settings map[string]uint64) *ctnetlink.Conn {
	t.Helper()
	file, err := netlab.Namespace(settings)
	if err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	conn := ctnetlink.OpenIn(file)
	if _, _, err := conn.Count(); err != nil {
		t.Skipf("SKIPPED, no connection tracking: %v", err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = file.Close()
	})
	return conn
}

// TestChurnKernel is the churn over the kernel's table, where an entry that takes the
// place of another often has its id, and no time of its beginning is known.
func TestChurnKernel(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	conn := kernelTable(t, map[string]uint64{"nf_conntrack_timestamp": 0})
	churn(t, conn, &target.Table{Conn: conn.Beside()}, true, rounds, 50*time.Microsecond)
}
