package replay

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/help"
	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Exit statuses, those of conntrack.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// Main runs the command line of the process and returns the exit status.
func Main() int {
	s := console.NewStreams(os.Stdin, os.Stdout, os.Stderr)
	err := command(s, os.Args[1:])
	if ferr := s.Out.Flush(); err == nil {
		err = ferr
	}
	return report(s.Err, err)
}

// report prints an error as conntrack does and returns the exit status.
func report(w *console.Messages, err error) int {
	var usage *cmdline.UsageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, console.ErrQuiet):
		return exitFailure
	case errors.As(err, &usage):
		w.Printf("%s: %s\nTry 'conntrack replay --help' for more information.\n", cmdline.CompatVersion,
			printable.Lines(usage.Text))
		return exitUsage
	}
	w.Printf("%s: %s\n", cmdline.CompatVersion, err)
	return exitFailure
}

// run is a replay.
type run struct {
	*console.Streams
	options *options
	table   *engine.Table
	clock   time.Time // the latest time of a packet
	begun   bool
	end     time.Time // of --at; zero: the end of the captures
	locals  *locals
	files   []*capture.File
	live    *follower // standard input, nil: it is not read
	stopped atomic.Bool
	failed  []error // of captures that could not be read to the end

	packet  engine.Packet
	packets *packetWriter // nil: they are not shown
	events  *eventWriter
	leaving *leaving
	count   counts
	offload offload
	// histories are of the entries that are explained, in a second replay.
	histories *histories
	guess     *guess // nil: the machine's addresses are known, or have no meaning
}

// command runs a command line.
func command(s *console.Streams, args []string) error {
	o, err := parse(args, s.Err)
	if err != nil {
		return err
	}
	if o.help {
		return s.Out.Print(help.Replay)
	}
	if err := action.Check(s, o.request); err != nil {
		return err
	}
	r := &run{Streams: s, options: o}
	defer r.close()
	if err := r.prepare(); err != nil {
		return err
	}
	r.catchSignals()
	err = r.replay()
	if err == nil {
		err = r.finish()
	}
	return err
}

// now is the clock of the table.
func (r *run) now() time.Time { return r.clock }

// prepare opens the captures and makes the table.
func (r *run) prepare() error {
	o := r.options
	if o.guessLocal {
		if err := r.guessLocal(); err != nil {
			return err
		}
	} else if len(o.local) == 0 && !o.router && o.rules != "" {
		r.guess = &guess{}
	}
	e, err := o.machine()
	if err != nil {
		return err
	}
	if o.rules != "" {
		if e.Rules, err = readRules(o.rules, e.Sysctls); err != nil {
			return err
		}
	}
	e.Now = r.now
	if err := r.open(); err != nil {
		return err
	}
	r.table = engine.New(e)
	r.locals = newLocals(o.local)
	if o.write != "" {
		if r.leaving, err = newLeaving(o.write); err != nil {
			return err
		}
	}
	switch o.mode {
	case showPackets, showInvalid:
		r.packets = newPacketWriter(r)
	case showSummary:
		if o.request.Selects() {
			r.packets = newPacketWriter(r)
		}
	case showEvents:
		r.events, err = newEventWriter(r)
	}
	return err
}

// open opens the captures.
func (r *run) open() error {
	for _, name := range r.options.files {
		var in io.Reader
		if name == "-" {
			r.live = newFollower(r.In, func() { _ = r.Out.Flush() }) // which keeps its failure
			in = r.live
		} else {
			file, err := console.OpenNamed(name)
			if err != nil {
				return cmdline.Failuref("%s: %s", name, console.ErrorText(err))
			}
			in = file
		}
		f, err := capture.New(name, in)
		if err != nil {
			return cmdline.Failuref("%s", err)
		}
		f.Iface = r.options.interfaces[name]
		if f.Iface == "" {
			f.Iface = r.options.interfaces[""]
		}
		r.files = append(r.files, f)
	}
	return nil
}

// close closes what is open.
func (r *run) close() {
	if r.live != nil {
		r.live.stop()
	}
}

// catchSignals ends the replay at the first signal: what there is so far is shown.
// The second one ends the program.
func (r *run) catchSignals() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		r.stopped.Store(true)
		if r.live != nil {
			r.live.stop()
		}
		<-signals
		os.Exit(exitFailure)
	}()
}

// records are the records of all captures up to the end.
func (r *run) records() iter.Seq2[*capture.Record, error] {
	return func(yield func(*capture.Record, error) bool) {
		m := capture.NewMerge(r.files)
		m.Failed = func(err error) { r.failed = append(r.failed, err) }
		for !r.stopped.Load() {
			rec := m.Next()
			if rec == nil {
				return
			}
			if !r.begun {
				r.begun, r.clock = true, rec.Time
				if r.options.at != "" {
					var err error
					if r.end, err = moment(r.options.at, rec.Time); err != nil {
						yield(nil, err)
						return
					}
				}
			}
			if !r.end.IsZero() && rec.Time.After(r.end) {
				return
			}
			if rec.Time.After(r.clock) {
				r.clock = rec.Time
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// replay takes the records through the table.
func (r *run) replay() error {
	task := console.Task{Verb: "replaying", Unit: "packets", Prints: r.packets != nil && r.packets.printer != nil || r.events != nil}
	for rec, err := range console.Track2(r.Streams, task, r.records()) {
		if err == nil {
			err = r.take(rec)
		}
		if err != nil {
			return err
		}
	}
	if !r.end.IsZero() && !r.stopped.Load() {
		r.clock = r.end
		if r.events != nil {
			r.table.Expire()
			return r.events.take()
		}
	}
	return nil
}

// take takes a record through the table.
func (r *run) take(rec *capture.Record) error {
	var v *engine.Verdict
	switch {
	case rec.Data == nil:
	case rec.Version != 0 && (len(rec.Data) == 0 || rec.Data[0]>>4 != rec.Version):
		// The link layer names the version; the stack drops what has another.
		v = &engine.Verdict{Fate: engine.Dropped, Reason: engine.Reason{Code: engine.BadIPHeader}, DroppedBy: engine.BadIPHeader}
	default:
		p := &r.packet
		p.Data, p.Length, p.Time = rec.Data, rec.Length, rec.Time
		p.Where, p.In, p.Out = r.locals.where(rec.Data), rec.Interface, ""
		if p.Where == engine.Output {
			p.In, p.Out = "", rec.Interface
		}
		v = r.table.Track(p)
		r.offload.add(rec.Data, v)
		if r.guess != nil {
			r.guess.add(rec)
		}
	}
	r.count.add(rec, v)
	if r.leaving != nil && v != nil {
		for _, data := range v.Leaves {
			length := 0
			if len(v.Leaves) == 1 && len(data) == len(rec.Data) {
				length = rec.Length
			}
			r.leaving.packet(rec.Time, data, length)
		}
	}
	switch {
	case r.packets != nil:
		return r.packets.add(rec, v)
	case r.events != nil:
		return r.events.take()
	case r.histories != nil:
		r.histories.add(rec, v)
	}
	return nil
}

// say prints a message on standard error, after the output so far.
func (r *run) say(form string, args ...any) {
	_ = r.Out.Flush() // the Output keeps the failure
	r.Err.Printf(cmdline.CompatVersion+": "+form+"\n", args...)
}

// finish shows what there is at the end. Captures that could not be read to their
// end are reported after it.
func (r *run) finish() error {
	var err error
	o := r.options
	switch o.mode {
	case showTable:
		if o.tableFile == "" {
			err = r.showTable()
		}
	case showPackets, showInvalid:
		err = r.endPackets()
	case showEvents:
		r.events.end()
		if err = r.Out.Flush(); err == nil {
			r.say("%d flow events have been shown.", r.events.shown)
		}
	case showSummary:
		err = r.summary()
	}
	if err != nil {
		return err
	}
	if o.tableFile != "" {
		if err := r.writeTable(); err != nil {
			return err
		}
	}
	if r.leaving != nil {
		if err := r.leaving.close(); err != nil {
			return err
		}
	}
	r.hints()
	for _, err := range r.failed {
		r.say("%s", fmt.Sprint(err)+r.soFar())
	}
	if r.failed != nil {
		return console.ErrQuiet
	}
	return r.Out.Flush()
}

// soFar says what was done with a capture that could not be read to the end.
func (r *run) soFar() string { return "; what was read before it is shown" }
