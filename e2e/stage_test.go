package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An ending is how a command is told to end.
type ending int

const (
	interrupt ending = iota // as Ctrl-C does
	terminate
	kill
)

// Bounds: how long a command may take, and how long the script waits for what must come.
const (
	commandTimeout = 60 * time.Second
	patience       = 20 * time.Second
	pollInterval   = 20 * time.Millisecond
)

// A stage is where one scenario is played by one contestant: its place, its processes and what placeholders have matched.
type stage struct {
	contestant
	*scenario
	place
	bin     string // holds the contestant as conntrack
	table   string // the table's file, where it is in one
	env     []string
	running map[string]*process
	matcher matcher
}

// setup prepares the stage before the script's first line.
func (st *stage) setup(env *testscript.Env) error {
	tally.count(st.contestant.name)
	if err := st.enter(); err != nil {
		return err
	}
	st.running = make(map[string]*process)
	st.matcher = matcher{version: st.version, bound: make(map[string]string)}
	env.Setenv("PATH", st.bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("LC_ALL", "C")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // or a tool of the test binary ends a second late
	env.Setenv("TZ", "UTC")
	schemas, err := filepath.Abs("../docs/schema")
	if err != nil {
		return err
	}
	env.Setenv(envSchemas, schemas)
	env.Defer(st.clear)
	if st.onFile() {
		if err := st.lay(env); err != nil {
			return err
		}
	}
	st.env = env.Vars
	return nil
}

// lay makes an empty table in a file, in a directory of its own, and every conntrack use it.
func (st *stage) lay(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, ".table")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	st.table = filepath.Join(dir, "table")
	env.Setenv("CONNTRACK_TABLE", st.table)
	cmd := exec.Command(st.program, "-F", "--table", st.table)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("an empty table: %w: %s", err, out)
	}
	return nil
}

// clear ends what the script has started.
func (st *stage) clear() {
	for _, p := range st.running {
		p.end(kill)
	}
	st.leave()
}

// condition tells whether [ours], [reference], [engine] or [kernel] holds.
func (st *stage) condition(name string) (bool, error) {
	switch name {
	case "ours", "reference", "engine", "kernel":
		return holds(name, st.contestant.name), nil
	}
	return false, fmt.Errorf("unknown condition")
}

// commands are those that scripts have beside testscript's own.
func (st *stage) commands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := st.kernelCommands()
	commands["step"] = st.step
	commands["listening"] = st.listening
	return commands
}

// listening waits until sockets of the script's namespace have joined netfilter's multicast groups, or as many follow the table's
// file: listening [N].
func (st *stage) listening(ts *testscript.TestScript, _ bool, args []string) {
	want := 1
	if len(args) > 0 {
		fmt.Sscan(args[0], &want)
	}
	count := st.listeners
	if st.onFile() {
		count = st.followers
	}
	var seen string
	if !eventually(func() bool {
		var n int
		var err error
		n, seen, err = count()
		ts.Check(err)
		for name, p := range st.running {
			if p.ended() {
				ts.Fatalf("%s has ended: %s", name, p.soFar().stderr)
			}
		}
		return n >= want
	}) {
		ts.Fatalf("too few listen:\n%s", seen)
	}
}

// followers counts those who follow the table's file.
func (st *stage) followers() (n int, seen string, err error) {
	list, err := filepath.Glob(st.table + ".events-*")
	return len(list), strings.Join(list, "\n"), err
}

// step carries out a step of the scenario: step INDEX TEXT.
func (st *stage) step(ts *testscript.TestScript, _ bool, args []string) {
	index, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := st.steps[index]
	switch {
	case s.command == "":
		st.stop(ts, s)
	case s.background != "":
		st.begin(ts, s)
	default:
		deadline := time.Now().Add(patience)
		for {
			p, err := st.spawn(ts, s)
			ts.Check(err)
			difference := st.matcher.compare(s.want, p.wait(commandTimeout))
			if difference == "" {
				return
			}
			if !s.eventually || time.Now().After(deadline) {
				ts.Fatalf("line %d: $ %s\n%s", s.lineno, s.command, difference)
			}
			time.Sleep(pollInterval)
		}
	}
}

// begin starts a background command and waits until it has said what stands below it.
func (st *stage) begin(ts *testscript.TestScript, s step) {
	if st.running[s.background] != nil {
		ts.Fatalf("line %d: %s is running already", s.lineno, s.background)
	}
	s.command = "exec " + s.command // signals must reach the command, not its shell
	p, err := st.spawn(ts, s)
	ts.Check(err)
	st.running[s.background] = p
	var difference string
	if len(s.want.stdout)+len(s.want.stderr) == 0 {
		return
	}
	if !eventually(func() bool {
		difference = st.matcher.compare(s.want, p.soFar())
		return difference == "" || p.ended()
	}) || difference != "" {
		ts.Fatalf("line %d: $ %s\n%s", s.lineno, s.command, difference)
	}
}

// stop ends a background command, once it has said as much as is expected, and compares.
func (st *stage) stop(ts *testscript.TestScript, s step) {
	p := st.running[s.background]
	if p == nil {
		ts.Fatalf("line %d: no %s is running", s.lineno, s.background)
	}
	delete(st.running, s.background)
	eventually(func() bool { return p.ended() || len(splitLines(p.soFar().stdout)) >= s.want.beforeSignal() })
	for range 5 { // for a line too many, or an end of its own
		if p.ended() {
			break
		}
		time.Sleep(pollInterval)
	}
	how := interrupt
	if s.terminate {
		how = terminate
	}
	if difference := st.matcher.compare(s.want, p.end(how)); difference != "" {
		ts.Fatalf("line %d: stop %s\n%s", s.lineno, s.background, difference)
	}
}

// eventually repeats a test until it holds or patience ends.
func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(patience); ; time.Sleep(pollInterval) {
		if holds() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// A process is a command that was started, with what it has said so far.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr buffer
	done           chan struct{}
}

// spawn starts a step's command in its namespace, as the leader of a process group.
func (st *stage) spawn(ts *testscript.TestScript, s step) (*process, error) {
	p := &process{cmd: exec.Command("sh", "-c", s.command), done: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = append([]string(nil), st.env...)
	for name, value := range st.matcher.bound {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	ownGroup(p.cmd)
	if err := st.start(s.netns, p.cmd); err != nil {
		return nil, fmt.Errorf("line %d: %w", s.lineno, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// wait waits for the end, which it enforces when it does not come.
func (p *process) wait(timeout time.Duration) result {
	select {
	case <-p.done:
	case <-time.After(timeout):
		fmt.Fprintf(&p.stderr, "killed after %v\n", timeout)
		signalGroup(p.cmd, kill)
		<-p.done
	}
	r := p.soFar()
	r.status = p.cmd.ProcessState.ExitCode()
	return r
}

// end sends a signal to the process and its children, and waits.
func (p *process) end(how ending) result {
	if err := signalGroup(p.cmd, how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(&p.stderr, err)
	}
	return p.wait(patience)
}

// ended tells whether the process is no more.
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

// A buffer may be read while a command writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Clone(b.b.String())
}
