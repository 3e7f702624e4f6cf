package daemon

import (
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
)

// jobs are what runs beside the node for a request: what are children of
// conntrack-tools' daemon. Its zero value has none.
type jobs struct {
	mu    sync.Mutex
	last  int
	types map[int]string
}

// begin adds a job and returns what ends it.
func (j *jobs) begin(kind string) (end func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.types == nil {
		j.types = map[int]string{}
	}
	j.last++
	n := j.last
	j.types[n] = kind
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.types, n)
	}
}

// append appends the lines of -s process.
func (j *jobs) append(b []byte) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(j.types)) {
		b = show.AppendProcess(b, os.Getpid(), j.types[n])
	}
	return b
}
