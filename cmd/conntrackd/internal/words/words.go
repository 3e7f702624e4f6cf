// Package words parses conntrackd's command line, which is not one of getopt: the
// second letter of a word decides.
package words

// Action is what a command line asks for.
type Action uint8

// The actions.
const (
	Run     Action = iota // the daemon, in the foreground
	Detach                // -d: the daemon, in the background
	Request               // a request to the daemon that runs
	Check                 // --check: judge the configuration
	Status                // --status
	Diff                  // --diff
	Demote                // --demote
	Print                 // -v, -h: Text is printed, exit status 0
)

// Line is a command line.
type Line struct {
	Action Action
	// Config is the path of the configuration file.
	Config string
	// Request is the number that is sent to the daemon: package control.
	Request int
	// Output is the form of --status: "" for people, "json" or "prom".
	Output string
	// Text is what Print prints.
	Text string
}

// Parse parses a command line, the program's name first. An error is an *Error.
func Parse(args []string) (*Line, error) { panic("unwritten") }

// Error is a wrong command line.
type Error struct {
	// Usage reports whether the usage is printed, to standard output, before the
	// message.
	Usage bool
	// Text is the message, without the prefix of the log.
	Text string
}

func (e *Error) Error() string { return e.Text }
