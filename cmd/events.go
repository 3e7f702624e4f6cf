package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// events prints what happens until it is interrupted.
func (p *program) events(r *Request) error {
	// Signals are caught before there is anything to miss.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	l, err := p.listen(r)
	if err != nil {
		return err
	}
	if r.has(optBufferSize) {
		fmt.Fprintf(p.stderr, "NOTICE: Netlink socket buffer size has been set to %d bytes.\n", l.ReadBuffer())
	}
	if err := r.judgeFilter(); err != nil {
		return err
	}
	// The first signal ends the listening: what was received is still
	// printed. A second one ends the program.
	go func() {
		<-signals
		first := time.Now()
		l.Stop()
		for s := range signals {
			// timeout(1) sends its signal twice: that is still the first.
			if n, ok := s.(syscall.Signal); ok && time.Since(first) > time.Second {
				os.Exit(128 + int(n))
			}
		}
	}()
	w := &eventWriter{program: p, flowPrinter: p.flows(r), listener: l, request: r, match: r.filter()}
	if format.IsRecordStyle(r.Output.Style) {
		w.open() // the names of CSV's columns do not wait for an event
		if err := p.out.flush(); err != nil {
			return err
		}
	}
	if err := w.follow(); err != nil {
		return err
	}
	return w.end()
}

// listen opens the socket for the kinds of events that -e names.
func (p *program) listen(r *Request) (listener, error) {
	kinds := r.Groups
	if !r.has(optEventMask) {
		kinds = eventAll
	}
	first := ctnetlink.GroupNew
	q := ctnetlink.ListenRequest{ReadBuffer: r.BufferSize, Queue: r.Queue << 20}
	if r.Table == tableExpect {
		first = ctnetlink.GroupExpectNew
	} else {
		q.Filter = r.filter().Events()
	}
	for i, kind := range []eventMask{eventNew, eventUpdate, eventDestroy} {
		if kinds&kind != 0 {
			q.Groups = append(q.Groups, first+ctnetlink.Group(i))
		}
	}
	l, err := p.listenEverywhere(q)
	if err == nil {
		return l, nil
	}
	if text := tableFileText(err); text != "" {
		return nil, failuref("%s", text)
	}
	if r.Table == tableExpect {
		return nil, failuref("Can't open handler")
	}
	text := err.Error()
	if errno, ok := ctnetlink.AsErrno(err); ok {
		text = errno.Error()
	}
	fmt.Fprintf(p.stderr, "mnl_socket_bind: %s\n", text)
	return nil, failuref("Can't open netlink socket")
}

// eventWriter prints events as they come.
type eventWriter struct {
	*program
	*flowPrinter
	listener listener
	request  *Request
	match    *filter.Filter
	names    *processNames  // in the program's own namespace; nil: not asked for yet
	recorded ctnetlink.Loss // what stands among the events
	warned   ctnetlink.Loss // what was told
	next     time.Time      // when more may be told
	resync   resync
}

// follow prints events until the listener was stopped.
func (w *eventWriter) follow() error {
	var events ctnetlink.Events
	for {
		batch, err := w.listener.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return w.request.refused(err)
		}
		if batch.Gap {
			w.warn()
		}
		if m, ok := w.listener.(*merged); ok {
			w.enter(w.spaces[m.from])
		}
		w.resync.note(batch, w.listener.ReadBuffer())
		w.context.Now = time.Now()
		if batch.Gap {
			w.record()
		}
		for events.Reset(batch); events.Next(); {
			if err := w.event(&events); err != nil {
				return err
			}
		}
		// One event shows at once, many in large blocks.
		idle := !w.listener.Ready()
		if w.request.Resync && w.resync.due(idle) {
			if err := w.showTable(); err != nil {
				return err
			}
		}
		if idle {
			if err := w.program.out.flush(); err != nil {
				return err
			}
		}
	}
}

func (w *eventWriter) event(e *ctnetlink.Events) error {
	if e.Expectation {
		x := e.Expect()
		w.caused(format.Event(x.Event()), x.PortID)
		return w.expect(x)
	}
	f := e.Flow()
	if !w.match.Match(f) {
		return nil
	}
	w.caused(format.Event(f.Event()), f.PortID)
	return w.flow(f)
}

// caused notes what happened, and which process did it.
func (w *eventWriter) caused(e format.Event, portID uint32) {
	w.context.Event, w.context.Verb = e, 0
	w.context.PortID, w.context.Program = portID, ""
	if portID != 0 && (w.request.Output.Style == format.StyleClassic || format.IsRecordStyle(w.request.Output.Style)) {
		w.context.Program = w.processName(portID)
	}
}

// processName returns the name of the program that a port id in the current
// event's namespace belongs to.
func (w *eventWriter) processName(portID uint32) string {
	if w.file != nil {
		return "" // the port ids of a table file are no process's
	}
	names := &w.names
	if w.where != nil {
		names = &w.where.names
	}
	if *names == nil {
		*names = newProcessNames(w.where)
	}
	return (*names).name(portID)
}

// record writes among the events that some were lost here, in the styles that
// have a record for it.
func (w *eventWriter) record() {
	if loss := w.listener.Loss(); loss != w.recorded && format.IsRecordStyle(w.request.Output.Style) {
		w.open()
		w.recorded, w.context.Now = loss, time.Now()
		w.program.out.buf = w.AppendLost(w.program.out.buf, loss, &w.context)
	}
}

// warn tells that events are being lost: in full at first, then at most once a
// second with what is known by then.
func (w *eventWriter) warn() {
	loss := w.listener.Loss()
	now := time.Now()
	switch {
	case loss == w.warned || now.Before(w.next):
		return
	case w.warned.Overruns == 0 && loss.Overruns > 0:
		fmt.Fprint(w.stderr, "WARNING: We have hit ENOBUFS! We are losing events.\n"+
			"This message means that the current netlink socket buffer size is too small.\n"+
			"Please, check --buffer-size in conntrack(8) manpage.\n")
	default:
		fmt.Fprintf(w.stderr, "WARNING: %s so far.\n", lossText(loss))
	}
	w.warned, w.next = loss, now.Add(time.Second)
}

// lossText says what is known of lost events.
func lossText(loss ctnetlink.Loss) string {
	var parts []string
	switch {
	case loss.Lost > 0:
		parts = append(parts, fmt.Sprintf("%d events were lost because the socket's buffer was full", loss.Lost))
	case loss.Overruns > 0:
		parts = append(parts, fmt.Sprintf("events were lost %d times because the socket's buffer was full", loss.Overruns))
	}
	if loss.Dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d events were dropped because the output is too slow", loss.Dropped))
	}
	return strings.Join(parts, ", and ")
}

// end closes the document and says how many events were shown, and what is
// known to be missing.
func (w *eventWriter) end() error {
	if w.spaces != nil {
		w.context.NetNS = "" // counts are of all namespaces
	}
	w.record() // what became known since the last
	w.flowPrinter.end()
	count := "%d flow events have been shown"
	if w.request.Table == tableExpect {
		count = "%d expectation events have been shown"
	}
	if loss := w.listener.Loss(); loss != (ctnetlink.Loss{}) {
		count += "; " + lossText(loss)
	}
	return w.counted(w.n, count+".", false)
}
