package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// feed is what Run keeps beside the entries.
type feed struct {
	pace    pace
	history history
	log     eventLog
	parts   []*part // one for each source
	dumps   dumps
	chunk   chunk // for the dump that is under way
}

// part is what Run keeps of a source.
type part struct {
	Source
	t      *Table
	n      int // the index of the source
	events events
	dumped dumped
	asked  asked

	// beside makes requests while dumps are made with Conn. asking is held meanwhile.
	beside *ctnetlink.Conn
	asking sync.Mutex
}

// init prepares the feed of a table whose options are set.
func (f *feed) init(t *Table) {
	f.pace.init(t.options.Interval, t.options.Share)
	f.log.init(t.options.Events)
	for i := range t.sources {
		p := &part{Source: t.sources[i], t: t, n: i}
		if p.Conn != nil {
			p.beside = p.Conn.Beside()
		}
		if p.Now == nil {
			p.Now = time.Now
		}
		p.events.init()
		f.parts = append(f.parts, p)
	}
}

// SourceError is an error of one of several sources.
type SourceError struct {
	// Source is the index of the source, Name that of its network namespace.
	Source int
	Name   string
	Err    error
}

func (e *SourceError) Unwrap() error { return e.Err }

func (e *SourceError) Error() string {
	return fmt.Sprintf("network namespace `%s': %s", printable.String(e.Name), e.Err)
}

// fail returns an error of the source, with the source's name if it has one.
func (p *part) fail(err error) error {
	if err == nil || p.Name == "" {
		return err
	}
	return &SourceError{p.n, p.Name, err}
}

// problem is an error without the name of the request that failed.
type problem struct{ err error }

func (e *problem) Unwrap() error { return e.err }

func (e *problem) Error() string {
	var op *ctnetlink.OpError
	if errno, ok := ctnetlink.AsErrno(e.err); ok {
		return errno.Error()
	} else if errors.As(e.err, &op) {
		return op.Err.Error()
	}
	return e.err.Error()
}

// Run feeds the table until ctx ends, and returns nil then. It returns the error of
// the first dump if no source can be read: that of the first source, as a SourceError
// if it has a name. One of several sources that cannot be read is passed over, and read
// again at the time of each dump; Status says so. Without events, for lack of rights
// for example, it goes on with dumps, and Status says that too. Run must be called
// once.
func (t *Table) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	panics := make(chan string, 1)
	begin := func(do func()) {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					select {
					case panics <- fmt.Sprintf("%v\n\n%s", v, debug.Stack()):
					default: // another was first
					}
				}
			}()
			do()
		})
	}
	f := &t.feed
	f.history.begin(time.Now())
	for _, p := range f.parts {
		begin(func() { p.follow(ctx) })
	}
	begin(func() { t.watchCounters(ctx) })
	done := make(chan error, 1)
	begin(func() { done <- t.beginReading(ctx) })
	select {
	case text := <-panics:
		panic(text) // the others may wait for a lock that nobody gives up
	case err := <-done:
		cancel()
		all.Wait()
		f.close()
		return err
	}
}

// beginReading reads the tables when the events are listened to, unless that takes
// long: it does for a large table file.
func (t *Table) beginReading(ctx context.Context) error {
	const patience = 30 * time.Millisecond
	limit, give := context.WithTimeout(ctx, patience)
	defer give()
	for _, p := range t.feed.parts {
		select {
		case <-p.events.decided:
		case <-limit.Done():
		}
	}
	return t.keepReading(ctx)
}

// close closes the connections that were made beside those of the sources.
func (f *feed) close() {
	for _, p := range f.parts {
		p.asking.Lock()
		_ = p.beside.Close()
		p.asking.Unlock()
	}
}

// SetInterval changes the time from one dump to the next, to 100 ms at least.
func (t *Table) SetInterval(d time.Duration) { t.feed.pace.ask(d) }
