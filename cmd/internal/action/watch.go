package action

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// watching repeats a request: --watch. On a terminal each look at the table is
// shown in place of the one before. Elsewhere text is separated by lines with the
// time, and records contain it.
type watching struct {
	streams *console.Streams
	request *cmdline.Request
	screen  *console.Screen // nil: there is none
	set     *target.Set     // nil: to be opened
	look    look
	limited bool // --limit is the user's
}

// watch repeats a request until it is interrupted.
func watch(s *console.Streams, r *cmdline.Request) error {
	w := &watching{streams: s, request: r, limited: r.View().Limit > 0}
	var changes <-chan struct{}
	if !format.IsRecordStyle(r.Output.Style) {
		w.screen = console.NewScreen(s.Out)
	}
	if w.screen != nil {
		w.streams = w.screen.Streams(s)
		changes = w.screen.Changes()
		w.screen.CloseOnFatal()
		defer w.screen.Close()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stopped := make(chan struct{})
	go stopOnSignal(func() {
		if w.screen != nil { // nobody waits for the rest of a look
			w.screen.Close()
			os.Exit(0)
		}
		close(stopped)
	}, signals)
	for {
		begun := time.Now()
		if err := w.take(begun); err != nil {
			return w.close(err)
		}
		took := time.Since(begun)
		select {
		case <-stopped:
			return w.close(nil)
		case <-changes:
		case <-time.After(max(r.Watch-took, took)): // a large table is not read all the time
		}
	}
}

// take takes a look at the table and shows it.
func (w *watching) take(now time.Time) error {
	if w.set == nil {
		var err error
		if w.set, err = target.Open(choice(w.request), w.streams); err != nil {
			return err
		}
	}
	w.look.begin(now)
	out := w.streams.Out
	title := ""
	switch {
	case w.screen != nil:
		w.fit(w.screen.Begin())
	case !format.IsRecordStyle(w.request.Output.Style):
		title = w.title() + "\n"
	}
	do := func(e *Env, r *cmdline.Request) error {
		out.Buf = append(out.Buf, title...)
		err := perform(e, r)
		if err != nil && string(out.Buf) == title {
			out.Buf = out.Buf[:0] // nothing is shown
		}
		return err
	}
	if err := runOn(w.set, w.streams, w.request, do, &w.look); err != nil {
		return err
	}
	if w.set.Several { // namespaces come and go
		if err := w.close(nil); err != nil {
			return err
		}
	}
	switch {
	case w.screen != nil:
		return w.screen.Draw(w.title() + ", every " + w.request.Watch.String())
	case !format.IsRecordStyle(w.request.Output.Style):
		return out.Print("\n")
	}
	return nil
}

// fit limits the entries or groups that are shown to a number of lines, so that
// what is not seen is not formatted.
func (w *watching) fit(lines int) {
	r := w.request
	around := 1 // the message
	switch {
	case w.limited:
		return
	case r.View().By != nil:
		around += 3 // the heading, what is left out, the totals
	case !r.ShowsEntries():
		return
	case r.Output.Style == format.StyleTable || r.ByName && !r.Has(cmdline.OptOutput):
		around += 2 // the heading, columns that are left out
	}
	r.SetLimit(max(lines-around, 1))
}

// title returns the time of the look.
func (w *watching) title() string {
	layout := time.DateTime
	if w.request.Watch%time.Second != 0 {
		layout += ".000"
	}
	return w.look.at.Format(layout)
}

// close closes the tables.
func (w *watching) close(err error) error {
	set := w.set
	w.set = nil
	return set.Close(err)
}

// look is one of several looks at the table, and what is kept from one to the
// next. A nil look is the only one.
type look struct {
	at time.Time
	// printer and records write the records of all looks.
	printer *flowPrinter
	records *format.Records
	grouped bool // a summary has written the names of its columns
	// before and now are the numbers of each network namespace.
	before, now map[string][]stats.Counter
}

func (l *look) begin(now time.Time) {
	l.at = now
	l.before, l.now = l.now, map[string][]stats.Counter{}
}

// changes returns how numbers have changed since the look before, nil if there
// was none.
func (l *look) changes(netns string, numbers []stats.Counter) []stats.Change {
	if l == nil {
		return nil
	}
	l.now[netns] = numbers
	before, ok := l.before[netns]
	if !ok {
		return nil
	}
	return stats.Changes(before, numbers)
}
