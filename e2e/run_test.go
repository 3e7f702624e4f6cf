package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/rogpeppe/go-internal/testscript"
)

// An ending is how a command is made to end.
type ending int

const (
	interrupt ending = iota // as Ctrl-C does
	terminate
	kill
)

// Bounds on an idle machine; testwait.Scale makes them longer on a busy one.
const (
	commandTimeout = time.Minute      // how long a command may take
	patience       = 20 * time.Second // how long a script waits for something to happen
	pollInterval   = 20 * time.Millisecond
)

// A scenarioRun runs one scenario with one subject. It holds the sandbox, the processes that were started and what
// the placeholders have matched.
type scenarioRun struct {
	subject
	*scenario
	sandbox
	file      string // of testdata
	bin       string // directory that holds the program as conntrack
	tableFile string // the subject's table, if that is a file
	dir       string // where the commands run
	env       []string
	running   map[string]*process
	matcher   matcher
	updates   []update
}

// setup prepares everything before the script's first line.
func (run *scenarioRun) setup(env *testscript.Env) error {
	tally.count(run.subject.name)
	if err := run.sandbox.create(); err != nil {
		return err
	}
	run.running = make(map[string]*process)
	run.matcher = matcher{version: run.version, bound: make(map[string]string), start: time.Now()}
	env.Setenv("PATH", run.bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("LC_ALL", "C")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // a tool of the test binary would end a second late
	env.Setenv("TZ", "UTC")
	env.Setenv(testwait.EnvFactor, os.Getenv(testwait.EnvFactor))
	if dir := os.Getenv(envCoverage); dir != "" {
		env.Setenv(envCoverage, dir)
	}
	schemas, err := filepath.Abs("../docs/schema")
	if err != nil {
		return err
	}
	env.Setenv(envSchemas, schemas)
	env.Defer(run.close)
	if run.usesFile() {
		if err := run.createTableFile(env); err != nil {
			return err
		}
	}
	run.env, run.dir = env.Vars, env.WorkDir
	return nil
}

// createTableFile makes an empty table file, in a directory of its own, and makes every conntrack use it.
func (run *scenarioRun) createTableFile(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, ".table")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	run.tableFile = filepath.Join(dir, "table")
	env.Setenv("CONNTRACK_TABLE", run.tableFile)
	cmd := exec.Command(run.program, "-F", "--table", run.tableFile)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("an empty table: %w: %s", err, out)
	}
	return nil
}

// close ends what the script has started and has not stopped.
func (run *scenarioRun) close() {
	for _, p := range run.running {
		p.end(kill)
	}
	closeScreen(run.dir)
	run.sandbox.close()
	if err := run.writeUpdates(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// condition reports whether [ours], [reference], [tablefile] or [kernel] holds.
func (run *scenarioRun) condition(name string) (bool, error) {
	switch name {
	case "ours", "reference", "tablefile", "kernel":
		return holds(name, run.subject.name), nil
	}
	return false, fmt.Errorf("unknown condition")
}

// commands returns the commands that scripts have in addition to testscript's own.
func (run *scenarioRun) commands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := run.kernelCommands()
	commands["step"] = run.step
	commands["listening"] = run.listening
	return commands
}

// listening waits until N sockets of the script's namespace have joined netfilter's multicast groups, or N processes
// follow the table file: listening [N].
func (run *scenarioRun) listening(ts *testscript.TestScript, _ bool, args []string) {
	want := 1
	if len(args) > 0 {
		fmt.Sscan(args[0], &want)
	}
	count := run.listeners
	if run.usesFile() {
		count = run.followers
	}
	var seen string
	if !testwait.For(patience, func() bool {
		var n int
		var err error
		n, seen, err = count()
		ts.Check(err)
		for name, p := range run.running {
			if p.ended() {
				ts.Fatalf("%s has ended: %s", name, p.soFar().stderr)
			}
		}
		return n >= want
	}) {
		ts.Fatalf("too few listeners:\n%s", seen)
	}
}

// followers counts the processes that follow the table file.
func (run *scenarioRun) followers() (n int, seen string, err error) {
	list, err := filepath.Glob(run.tableFile + ".events-*")
	return len(list), strings.Join(list, "\n"), err
}

// step runs a step of the scenario: step INDEX TEXT.
func (run *scenarioRun) step(ts *testscript.TestScript, _ bool, args []string) {
	index, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := run.steps[index]
	switch {
	case s.command == "":
		run.stop(ts, s)
	case s.background != "":
		run.start(ts, s)
	default:
		run.wait(ts, s)
	}
}

// wait runs a command in the foreground and compares its result; with `eventually` it repeats the command until the
// result is as expected.
func (run *scenarioRun) wait(ts *testscript.TestScript, s step) {
	var got result
	var difference string
	once := func() bool {
		p, err := run.spawn(ts, s)
		ts.Check(err)
		got = p.wait(commandTimeout)
		difference = run.matcher.compare(s.want, got)
		return difference == ""
	}
	ok := false
	if s.eventually {
		ok = testwait.For(patience, once)
	} else {
		ok = once()
	}
	if !ok {
		run.fail(ts, s, "$ "+s.command, got, difference)
	}
}

// start starts a background command and waits until its output so far is as expected.
func (run *scenarioRun) start(ts *testscript.TestScript, s step) {
	if run.running[s.background] != nil {
		ts.Fatalf("line %d: %s is running already", s.lineno, s.background)
	}
	s.command = "exec " + s.command // signals must reach the command, not its shell
	p, err := run.spawn(ts, s)
	ts.Check(err)
	run.running[s.background] = p
	if len(s.want.stdout)+len(s.want.stderr) == 0 {
		return
	}
	var difference string
	testwait.For(patience, func() bool {
		difference = run.matcher.compare(s.want, p.soFar())
		return difference == "" || p.ended()
	})
	if difference != "" {
		ts.Fatalf("line %d: $ %s\n%s", s.lineno, s.command, difference)
	}
}

// stop waits until a background command has written as many lines as are expected, ends it and compares its output.
func (run *scenarioRun) stop(ts *testscript.TestScript, s step) {
	p := run.running[s.background]
	if p == nil {
		ts.Fatalf("line %d: no %s is running", s.lineno, s.background)
	}
	delete(run.running, s.background)
	testwait.For(patience, func() bool {
		return p.ended() || len(splitLines(p.soFar().stdout)) >= s.want.beforeSignal()
	})
	for range 5 { // for one line too many, or an end without a signal
		if p.ended() {
			break
		}
		time.Sleep(pollInterval)
	}
	how := interrupt
	if s.terminate {
		how = terminate
	}
	got := p.end(how)
	if difference := run.matcher.compare(s.want, got); difference != "" {
		run.fail(ts, s, "stop "+s.background, got, difference)
	}
}

// fail reports a result that is not as expected; with E2E_UPDATE the expectation is changed instead.
func (run *scenarioRun) fail(ts *testscript.TestScript, s step, what string, got result, difference string) {
	if os.Getenv(envUpdate) != "" {
		u, err := run.matcher.update(s, got)
		if err != nil {
			ts.Fatalf("line %d: %s\nnot updated: %v\n%s", s.lineno, what, err, difference)
		}
		run.updates = append(run.updates, u)
		return
	}
	ts.Fatalf("line %d: %s\n%s", s.lineno, what, difference)
}

// A process is a command that was started, with its output so far.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr testwait.Buffer
	done           chan struct{}
}

// spawn starts a step's command in its namespace, as the leader of a process group.
func (run *scenarioRun) spawn(ts *testscript.TestScript, s step) (*process, error) {
	p := &process{cmd: exec.Command("sh", "-c", s.command), done: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = append([]string(nil), run.env...)
	for name, value := range run.matcher.bound {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	ownGroup(p.cmd)
	if err := run.sandbox.start(s.netns, p.cmd); err != nil {
		return nil, fmt.Errorf("line %d: %w", s.lineno, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// wait waits for the end of the process and kills it when the timeout is over.
func (p *process) wait(timeout time.Duration) result {
	if timeout = testwait.Scale(timeout); !p.within(timeout) {
		fmt.Fprintf(&p.stderr, "killed after %v\n", timeout)
		signalGroup(p.cmd, kill)
		<-p.done
	}
	r := p.soFar()
	r.status = p.cmd.ProcessState.ExitCode()
	return r
}

// within reports whether the process ends before the timeout is over.
func (p *process) within(timeout time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(timeout):
		return false
	}
}

// end sends a signal to the process and its children, and waits.
func (p *process) end(how ending) result {
	if err := signalGroup(p.cmd, how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(&p.stderr, err)
	}
	return p.wait(patience)
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) soFar() result {
	return result{stdout: p.stdout.String(), stderr: p.stderr.String()}
}
