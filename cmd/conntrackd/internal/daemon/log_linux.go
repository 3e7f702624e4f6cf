package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/syslog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// logQueue is how many lines wait for a slow disk or syslog before lines are dropped.
const logQueue = 4096

// line is a line on its way to the log.
type line struct {
	level config.Level
	form  string // with the prefix and the newline
	text  string // without
	raw   bool   // for the file only
}

// logger is the log: the terminal, the file, and syslog, each if it is there. Lines are
// written by a goroutine once the daemon runs, so that who holds the main lock never
// waits for a disk.
type logger struct {
	stdout, stderr io.Writer // nil: there is no terminal

	mu      sync.Mutex
	file    *os.File
	syslog  *syslog.Writer
	lines   chan line // nil: lines are written at once
	dropped int
	done    chan struct{}
	crashes bool // the trace of a panic goes to the file
}

var levels = map[config.Level]string{
	config.Notice: "notice", config.Warning: "warning", config.Error: "ERROR",
}

// stamp appends the time as ctime(3) writes it.
func stamp(b []byte, t time.Time) []byte { return t.AppendFormat(b, time.ANSIC) }

// clean makes text printable, but for the newlines at its end.
func clean(text string) string {
	body := strings.TrimRight(text, "\n")
	return printable.String(body) + text[len(body):]
}

// log writes a line: [time] (pid=N) [level] text.
func (l *logger) log(level config.Level, text string) {
	name, ok := levels[level]
	if !ok {
		name = "?"
	}
	b := append(make([]byte, 0, 128), '[')
	b = append(stamp(b, time.Now()), "] (pid="...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(append(append(b, ") ["...), name...), "] "...)
	text = clean(text)
	l.put(line{level: level, form: string(b) + text + "\n", text: text})
}

func (l *logger) notice(form string, args ...any)  { l.log(config.Notice, fmt.Sprintf(form, args...)) }
func (l *logger) warning(form string, args ...any) { l.log(config.Warning, fmt.Sprintf(form, args...)) }
func (l *logger) error(form string, args ...any)   { l.log(config.Error, fmt.Sprintf(form, args...)) }

// bare writes an error without the prefix.
func (l *logger) bare(text string) {
	l.put(line{level: config.Error, form: clean(text) + "\n", text: clean(text)})
}

// catchCrashes has the trace of a panic written to the log file, where there is no
// terminal.
func (l *logger) catchCrashes() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashes = true
	debug.SetCrashOutput(l.file, debug.CrashOptions{})
}

// entry writes the line that follows an error about an entry: time, TAB, text.
func (l *logger) entry(text string) {
	b := append(stamp(nil, time.Now()), '\t')
	l.put(line{level: config.Error, form: string(b) + clean(text) + "\n", raw: true})
}

// put queues a line, or writes it if nobody takes the queue.
func (l *logger) put(n line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.write(n)
		return
	}
	select {
	case l.lines <- n:
	default:
		l.dropped++
	}
}

// write writes a line, with the lock held or from the goroutine of the queue.
func (l *logger) write(n line) {
	out := l.stdout
	if n.level != config.Notice {
		out = l.stderr
	}
	if out != nil {
		io.WriteString(out, n.form)
	}
	if l.file != nil {
		l.file.WriteString(n.form)
	}
	if l.syslog == nil || n.raw {
		return
	}
	switch n.level {
	case config.Notice:
		l.syslog.Notice(n.text)
	case config.Warning:
		l.syslog.Warning(n.text)
	default:
		l.syslog.Err(n.text)
	}
}

// run lets a goroutine write the lines from now on.
func (l *logger) run() {
	lines := make(chan line, logQueue)
	l.mu.Lock()
	l.lines, l.done = lines, make(chan struct{})
	l.mu.Unlock()
	go func() {
		defer close(l.done)
		for n := range lines {
			l.output(n)
		}
	}()
}

// output writes a line of the queue. The lock is not held while it waits for the disk:
// files change only between two lines, see open.
func (l *logger) output(n line) {
	l.mu.Lock()
	dropped := l.dropped
	l.dropped = 0
	to := &logger{stdout: l.stdout, stderr: l.stderr, file: l.file, syslog: l.syslog}
	l.mu.Unlock()
	if dropped > 0 {
		to.warning("%d lines of the log were dropped: it is too slow", dropped)
	}
	to.write(n)
}

// quiet ends the output to the terminal.
func (l *logger) quiet() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stdout, l.stderr = nil, nil
}

// open opens the log file and syslog, again if they were open.
func (l *logger) open(c *config.Config) error {
	var file *os.File
	if c.LogFile != "" {
		var err error
		if file, err = openLog(c.LogFile); err != nil {
			return err
		}
	}
	var s *syslog.Writer
	if c.Syslog {
		s = openSyslog(c.Facility, syslog.LOG_NOTICE)
	}
	l.mu.Lock()
	before, connection := l.file, l.syslog
	l.file, l.syslog = file, s
	if l.crashes {
		debug.SetCrashOutput(file, debug.CrashOptions{}) // it has the old file open, too
	}
	l.mu.Unlock()
	closeReplaced(before, connection)
	return nil
}

// closeReplaced closes what lines went to until now. Each may be nil.
func closeReplaced(file *os.File, connection *syslog.Writer) {
	if file != nil {
		file.Close() // a line that is being written is lost at most
	}
	if connection != nil {
		go connection.Close() // it waits for a line that is being written
	}
}

// close writes what waits and ends the log.
func (l *logger) close() {
	l.mu.Lock()
	lines := l.lines
	l.lines = nil
	l.mu.Unlock()
	if lines == nil {
		return
	}
	close(lines)
	select {
	case <-l.done:
	case <-time.After(5 * time.Second): // a disk or a syslog that hangs
	}
}

// logError is a log file that cannot be opened. Its message has a form of its own.
type logError struct {
	path string
	err  error
}

func (e *logError) Error() string {
	return fmt.Sprintf("ERROR: can't open logfile `%s'.Reason: %s", e.path, reason(e.err))
}

// openLog opens a log file to append to. The umask makes it 0600 if it is new.
func openLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, &logError{path, err}
	}
	return file, nil
}

// openSyslog connects to syslog, nil if it is not there.
func openSyslog(facility int, level syslog.Priority) *syslog.Writer {
	s, err := syslog.New(syslog.Priority(facility)|level, "conntrack-tools")
	if err != nil {
		return nil
	}
	return s
}

// reason returns what strerror(3) says of an error, for a message of the old form.
func reason(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
