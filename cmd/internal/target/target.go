// Package target opens the tables that a command is about: the kernel's, those
// of other network namespaces, or one in a file.
package target

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// FileVariable is the environment variable that names the table file to use
// where neither a file nor a network namespace was named. Empty: none.
const FileVariable = "CONNTRACK_TABLE"

// Choice says which tables are meant. The zero value is the default table.
type Choice struct {
	// File is the table's file where HasFile is set.
	File    string
	HasFile bool
	// NetNS is a network namespace, by name, path or process, where HasNetNS is
	// set.
	NetNS    string
	HasNetNS bool
	// Now lets the timeouts in a file run until now.
	Now bool
	// AllNetNS means the current network namespace and all that have names.
	AllNetNS bool
}

// Table is one table. Conn asks it, wherever it is.
type Table struct {
	Conn *ctnetlink.Conn
	// File is the table's file, nil for a table of the kernel.
	File *tablefile.File
	// Name is that of the table's network namespace, "" where none was named.
	Name string

	netns *os.File         // by which the namespace is entered; nil: it is the current one
	clock func() time.Time // of a copy in memory; nil: not a copy

	namesMu sync.Mutex
	names   *processNames // of the namespace's sockets; nil: not asked for yet
}

// Set is the tables of a run.
type Set struct {
	// Tables has one element, or with AllNetNS one for each namespace.
	Tables []*Table
	// Several reports whether all namespaces were chosen, however many there are.
	Several bool

	streams *console.Streams
	held    *heldOutput // of a table file; nil: none
}

// Open opens the tables of a choice. What is written to the streams after
// changes of a table file is held back until the file has them; Close ends that.
func Open(c Choice, s *console.Streams) (*Set, error) {
	set := &Set{streams: s}
	switch {
	case c.AllNetNS:
		if err := console.MayOpen("/run/netns"); err != nil {
			return nil, err
		}
		tables, err := allNamespaces(s.Err)
		if err != nil {
			return nil, err
		}
		set.Tables, set.Several = tables, true
		return set, nil
	case c.HasNetNS:
		if err := console.MayOpen("network namespace " + c.NetNS); err != nil {
			return nil, err
		}
		t, err := openNamespace(c.NetNS)
		if err != nil {
			return nil, err
		}
		set.Tables = []*Table{t}
		return set, nil
	}
	path, optional, err := c.file()
	switch {
	case err != nil:
		return nil, err
	case path == "":
		set.Tables = []*Table{{Conn: ctnetlink.Open()}}
		return set, nil
	}
	if err := console.MayOpen(path); err != nil {
		return nil, err
	}
	if optional && console.IsTerminal(s.Err) {
		s.Err.Printf("NOTICE: this system has no connection tracking table of its own; using the one in %s\n", path)
	}
	stderr := *s.Err // not what holds output back, below: that asks the file
	file, err := tablefile.Open(path, tablefile.Options{Optional: optional, Now: c.Now, Waiting: func(lock string) {
		stderr.Printf("NOTICE: waiting for another process, which has locked %s\n", lock)
	}})
	if err != nil {
		return nil, errors.New(FileErrorText(err))
	}
	set.Tables = []*Table{{Conn: ctnetlink.NewConn(file.Dial), File: file}}
	set.held = holdOutput(file, s)
	return set, nil
}

// file returns the path of the file whose table is meant, "" for the kernel's
// table. optional: the file need not exist to be read.
func (c *Choice) file() (path string, optional bool, err error) {
	path = c.File
	if !c.HasFile && !c.HasNetNS && !c.AllNetNS {
		path = os.Getenv(FileVariable)
	}
	if path == "" && runtime.GOOS != "linux" {
		return defaultFile()
	}
	return path, false, nil
}

// Close commits what was changed in a table file, writes the output that was
// held back for that, and closes the tables. err is the error that the run ended
// with; Close returns the one to report, which is that of the commit if it
// failed.
func (s *Set) Close(err error) error {
	if s == nil {
		return err
	}
	if s.held != nil {
		werr := s.held.settle()
		s.streams.Unwrap()
		s.tellPast()
		switch {
		case s.held.failed != nil:
			err = fmt.Errorf("%s; changes that were not reported are lost", FileErrorText(s.held.failed))
		case err == nil:
			err = console.WriteError(werr)
		}
	}
	for _, t := range s.Tables {
		t.close()
	}
	return err
}

// tellPast says on a terminal that a listing was of the past.
func (s *Set) tellPast() {
	past := s.Tables[0].File.Past()
	if past.Ended > 0 && console.IsTerminal(s.streams.Err) {
		s.streams.Err.Printf("NOTICE: the table is as it was on %s; %d of its entries would have timed out since "+
			"(--now leaves them out)\n", past.Time.Format(time.ANSIC), past.Ended)
	}
}

// Now returns the time that the table's clock shows.
func (t *Table) Now() time.Time {
	switch {
	case t.clock != nil:
		return t.clock()
	case t.File != nil:
		return t.File.Now()
	}
	return time.Now()
}

func (t *Table) close() {
	_ = t.Conn.Close()
	if t.netns != nil {
		_ = t.netns.Close()
	}
}

// InCurrentNetNS reports whether the files of /proc describe the table.
func (t *Table) InCurrentNetNS() bool { return t.File == nil && t.netns == nil }

// InKernel reports whether the table is one of the kernel, whose settings act on it.
func (t *Table) InKernel() bool { return t.File == nil && t.clock == nil }

// FileErrorText returns the message for an error of a table file, "" when err
// is about something else.
func FileErrorText(err error) string {
	var file *tablefile.Error
	if !errors.As(err, &file) {
		return ""
	}
	return fmt.Sprintf("table file %s: %s", file.Path, file.Err)
}
