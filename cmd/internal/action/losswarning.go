package action

import (
	"fmt"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// lossWarning reports on standard error, while events are printed, that events are
// being lost. It has a goroutine of its own: an output that nobody reads is a
// cause of losses, and must not hold up the warning.
type lossWarning struct {
	stderr  *console.Messages
	file    bool          // the events are of a table file
	news    chan struct{} // more events were lost
	ending  chan struct{} // closed by end
	stopped chan struct{} // the goroutine has ended
}

func newLossWarning(stderr *console.Messages, file bool) *lossWarning {
	return &lossWarning{
		stderr: stderr, file: file,
		news: make(chan struct{}, 1), ending: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// note notes that more events were lost. It does not block.
func (w *lossWarning) note() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// run reports what loss returns: in full the first time, then at most once a
// second how many losses are known.
func (w *lossWarning) run(loss func() ctnetlink.Loss) {
	defer close(w.stopped)
	var warned ctnetlink.Loss
	for {
		select {
		case <-w.news:
		case <-w.ending:
			if warned != (ctnetlink.Loss{}) {
				return // the count line has the rest
			}
			select {
			case <-w.news:
			default:
				return
			}
		}
		now := loss()
		switch {
		case now == warned:
			continue
		case warned.Overruns == 0 && now.Overruns > 0 && !w.file:
			w.stderr.Printf("WARNING: We have hit ENOBUFS! We are losing events.\n" +
				"This message means that the current netlink socket buffer size is too small.\n" +
				"Please, check --buffer-size in conntrack(8) manpage.\n")
		default:
			w.stderr.Printf("WARNING: so far %s.\n", lossText(now, w.file))
		}
		warned = now
		select {
		case <-time.After(time.Second):
		case <-w.ending:
		}
	}
}

// end ends run, and returns when it has.
func (w *lossWarning) end() {
	close(w.ending)
	<-w.stopped
}

// lossText describes the losses that are known, of the kernel's table or of one
// in a file.
func lossText(loss ctnetlink.Loss, file bool) string {
	var parts []string
	cause := "the socket's buffer was full"
	if file {
		cause = "the file in which they wait was full or damaged, or another program replaced the table"
	}
	switch {
	case loss.Lost > 0:
		parts = append(parts, fmt.Sprintf("%d events were lost because %s", loss.Lost, cause))
	case loss.Overruns > 0:
		parts = append(parts, fmt.Sprintf("events were lost %d times because %s", loss.Overruns, cause))
	}
	if loss.Dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d events were dropped because the output is too slow", loss.Dropped))
	}
	return strings.Join(parts, ", and ")
}
