package action

import (
	"errors"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// events prints events until it is interrupted.
func events(e *Env, r *cmdline.Request) error {
	// Signals are caught before there is anything to miss.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	warning := newLossWarning(e.Err, e.table().File != nil)
	l, err := listen(e, r, warning.note)
	if err != nil {
		return err
	}
	if err := showEvents(e, r, l, warning, signals); err != nil {
		l.Stop() // which removes the listener's file beside a table file
		return err
	}
	return nil
}

// showEvents prints the events of a listener until a signal arrives.
func showEvents(e *Env, r *cmdline.Request, l target.Listener, warning *lossWarning, signals <-chan os.Signal) error {
	if r.Has(cmdline.OptBufferSize) {
		e.Err.Printf("NOTICE: Netlink socket buffer size has been set to %d bytes.\n", l.ReadBuffer())
	}
	if err := r.ValidateFilter(); err != nil {
		return refused(r, err)
	}
	go stopOnSignal(l.Stop, signals)
	go warning.run(l.Loss)
	w := &eventWriter{env: e, flowPrinter: e.Report.printer(e, r), listener: l, request: r, match: r.Filter()}
	if format.IsRecordStyle(r.Output.Style) {
		w.open() // the names of CSV's columns do not wait for an event
		if err := e.Out.Flush(); err != nil {
			return err
		}
	}
	err := w.follow()
	warning.end()
	if err != nil {
		return err
	}
	return w.end()
}

// stopOnSignal calls stop at the first signal: what was received is
// still printed. A second one ends the program.
func stopOnSignal(stop func(), signals <-chan os.Signal) {
	<-signals
	first := time.Now()
	stop()
	for s := range signals {
		// timeout(1) sends its signal twice: that is still the first.
		if n, ok := s.(syscall.Signal); ok && time.Since(first) > time.Second {
			os.Exit(128 + int(n))
		}
	}
}

// bytesOf returns a number of MiB in bytes, or the largest int.
func bytesOf(mib int) int { return int(min(int64(mib)<<20, math.MaxInt)) }

// listen listens to the kinds of events that -e names, in all tables. lost is
// called when some were lost.
func listen(e *Env, r *cmdline.Request, lost func()) (target.Listener, error) {
	kinds := r.Groups
	if !r.Has(cmdline.OptEventMask) {
		kinds = cmdline.EventAll
	}
	first := ctnetlink.GroupNew
	q := ctnetlink.ListenRequest{ReadBuffer: r.BufferSize, Queue: bytesOf(r.Queue), OnLoss: lost}
	if r.Table == cmdline.TableExpect {
		first = ctnetlink.GroupExpectNew
	} else {
		q.Filter = r.Filter().Events()
	}
	for i, kind := range []cmdline.EventMask{cmdline.EventNew, cmdline.EventUpdate, cmdline.EventDestroy} {
		if kinds&kind != 0 {
			q.Groups = append(q.Groups, first+ctnetlink.Group(i))
		}
	}
	var listeners []*ctnetlink.Listener
	for _, t := range e.Tables {
		l, err := t.Conn.Listen(q)
		if err != nil {
			for _, l := range listeners {
				l.Stop()
			}
			err = listenError(e, r, err)
			if e.Several {
				err = inNamespace(t, err)
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return target.Merge(e.Tables, listeners), nil
}

// listenError returns the error to report when events cannot be listened to.
func listenError(e *Env, r *cmdline.Request, err error) error {
	if text := target.FileErrorText(err); text != "" {
		return cmdline.Failuref("%s", text)
	}
	if r.Table == cmdline.TableExpect {
		return cmdline.Failuref("Can't open handler")
	}
	text := err.Error()
	if errno, ok := ctnetlink.AsErrno(err); ok {
		text = errno.Error()
	}
	e.Err.Printf("mnl_socket_bind: %s\n", text)
	return cmdline.Failuref("Can't open netlink socket")
}

// eventWriter prints events as they come.
type eventWriter struct {
	*flowPrinter
	env      *Env // of the table whose events are printed
	listener target.Listener
	request  *cmdline.Request
	match    *filter.Filter
	recorded ctnetlink.Loss // what is recorded among the events
	resync   ctnetlink.Resync
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
			return refused(w.request, w.env.at(w.listener.From()).failed(err))
		}
		w.context.NetNS = w.env.at(w.listener.From()).netns()
		w.resync.Observe(batch, w.listener.ReadBuffer())
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
		if w.request.Resync && w.resync.Due(w.listener.Idle) {
			if err := w.showTable(); err != nil {
				return err
			}
		}
		if idle {
			if err := w.out.Flush(); err != nil {
				return err
			}
		}
	}
}

func (w *eventWriter) event(e *ctnetlink.Events) error {
	if e.Expectation {
		x := e.Expect()
		w.setCause(format.Event(x.EventType()), x.PortID())
		return w.expect(x)
	}
	f := e.Flow()
	if !w.match.Match(f) {
		return nil
	}
	w.setCause(format.Event(f.EventType()), f.PortID())
	return w.flow(f)
}

// setCause sets the kind of the event that is printed next, and the process that
// caused it.
func (w *eventWriter) setCause(e format.Event, portID uint32) {
	w.context.Event, w.context.Verb = e, 0
	w.context.PortID, w.context.Program = portID, ""
	if portID != 0 && (w.request.Output.Style == format.StyleClassic || format.IsRecordStyle(w.request.Output.Style)) {
		w.context.Program = w.listener.From().ProcessName(portID)
	}
}

// record writes a record of lost events among the events, in the styles that have
// one.
func (w *eventWriter) record() {
	if loss := w.listener.Loss(); loss != w.recorded && format.IsRecordStyle(w.request.Output.Style) {
		w.open()
		w.recorded, w.context.Now = loss, time.Now()
		w.out.Buf = w.AppendLost(w.out.Buf, loss, &w.context)
	}
}

// end closes the document and reports how many events were shown, and how many
// are known to be missing.
func (w *eventWriter) end() error {
	w.context.NetNS = "" // the counts are of all namespaces
	w.record()           // what became known since the last
	w.flowPrinter.end()
	count := "%d flow events have been shown"
	if w.request.Table == cmdline.TableExpect {
		count = "%d expectation events have been shown"
	}
	if loss := w.listener.Loss(); loss != (ctnetlink.Loss{}) {
		count += "; " + lossText(loss, w.env.table().File != nil)
	}
	return w.env.Report.count(w.env, w.n, count+".", false)
}
