package tablefile

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// envWriter makes the test binary a writer of the file that its argument names.
// The value is the number of its first entry.
const envWriter = "TABLEFILE_WRITER"

// envKills is the number of writers to kill.
const envKills = "TABLEFILE_KILLS"

func TestMain(m *testing.M) {
	if first := os.Getenv(envWriter); first != "" {
		writer(os.Args[1], first)
	}
	os.Exit(m.Run())
}

// writer creates entries, and prints the number of each after committing it,
// until it is killed.
func writer(path, first string) {
	i, err := strconv.Atoi(first)
	for ; err == nil; i++ {
		var f *File
		if f, err = Open(path, Options{}); err != nil {
			break
		}
		c := ctnetlink.NewConn(f.Dial)
		if err = c.Create(entry(i, 100_000)); err != nil {
			break
		}
		if err = f.Close(); err != nil {
			break
		}
		c.Close()
		fmt.Println(i)
	}
	fmt.Fprintln(os.Stderr, "writer:", err)
	os.Exit(1)
}

// TestKill kills writers, two of which run at a time. The file is always
// complete. It has all entries that were committed, and at most one more for
// each killed writer. A follower receives events of exactly the entries in the
// file.
//
//	TABLEFILE_KILLS=1000 go test ./ctnetlink/tablefile -run Kill -v
func TestKill(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 20
	}
	if n, err := strconv.Atoi(os.Getenv(envKills)); err == nil {
		kills = n
	}
	path := filepath.Join(t.TempDir(), "table")
	e := listen(t, path)
	r := rand.New(rand.NewPCG(1, uint64(kills)))
	const span = 1 << 12 // range of numbers for each writer
	confirmed := map[int]bool{}
	var mu sync.Mutex
	run := func(first int, life time.Duration) {
		cmd := exec.Command(os.Args[0], path)
		cmd.Env = append(os.Environ(), envWriter+"="+strconv.Itoa(first))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Error(err)
			return
		}
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		lines := bufio.NewScanner(out)
		said := func() bool {
			if !lines.Scan() {
				return false
			}
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				mu.Lock()
				confirmed[n] = true
				mu.Unlock()
			}
			return true
		}
		// The time until the kill starts with the first commit, so that a slow
		// machine kills during writes too.
		if !said() {
			t.Error("a writer wrote nothing")
		}
		timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		for said() {
		}
		_ = cmd.Wait()
	}
	// Writing this many entries takes some time.
	const before = 500
	entries := make([]*ctnetlink.FlowSpec, before)
	for i := range entries {
		entries[i] = entry(1<<27+i, 100_000)
		confirmed[1<<27+i] = true
	}
	change(t, path, entries...)
	_, c := open(t, path)
	last := map[int]uint32{}
	for n := 0; n < kills; n += 2 {
		var wait sync.WaitGroup
		for k := range 2 {
			life := time.Duration(r.Int64N(int64(15 * time.Millisecond)))
			wait.Go(func() { run((n+k)*span, life) })
		}
		wait.Wait()
		all := list(t, c)
		for i := range last {
			if _, there := all[i]; !there {
				t.Fatalf("after %d kills entry %d, which was there, is lost", n+2, i)
			}
		}
		unsaid := 0
		for i := range all {
			if !confirmed[i] {
				unsaid++
			}
		}
		for i := range confirmed {
			if _, there := all[i]; !there {
				t.Fatalf("after %d kills entry %d, which was confirmed, is lost", n+2, i)
			}
		}
		if unsaid > n+2 {
			t.Fatalf("%d unconfirmed entries after %d kills", unsaid, n+2)
		}
		if last = all; t.Failed() {
			return
		}
	}
	e.l.Stop()
	seen := map[string]int{}
	for s := range e.seen {
		seen[s]++
	}
	for i := range last {
		if what := fmt.Sprintf("new %d", i); seen[what] != 1 {
			t.Errorf("%q was seen %d times", what, seen[what])
		}
	}
	if len(seen) != len(last) {
		t.Errorf("%d different events for %d entries", len(seen), len(last))
	}
	t.Logf("%d writers were killed, %d changes were confirmed, %d more are in the file", kills, len(confirmed)-before,
		len(last)-len(confirmed))
}
