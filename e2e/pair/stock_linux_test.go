package pair

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// What Debian installs.
const (
	keepalived  = "/usr/sbin/keepalived"
	stockScript = "/usr/share/doc/conntrackd/examples/sync/primary-backup.sh"
)

// A machine is what runs at a Node that keepalived looks after: it has process numbers,
// /etc/conntrackd and /run of its own, and its /usr/sbin/conntrackd is the program under
// test. When it is switched off, all ends at once.
type machine struct {
	*Node
	dir   string
	start string // what starts the daemon, unless the script does
	out   *testwait.Buffer
	init  *exec.Cmd
}

// vrrp is keepalived's configuration. The script is that of conntrack-tools, as it comes.
const vrrp = `global_defs {
	router_id node%d
	script_user root
	vrrp_version 3
	vrrp_garp_master_delay 1
}
vrrp_sync_group G1 {
	group {
		VI_1
	}
	notify_master "/etc/conntrackd/primary-backup.sh primary"
	notify_backup "/etc/conntrackd/primary-backup.sh backup"
	notify_fault "/etc/conntrackd/primary-backup.sh fault"
}
vrrp_instance VI_1 {
	interface sy1
	state BACKUP
	nopreempt
	virtual_router_id 61
	priority %d
	advert_int 0.5
%s}
`

// The addresses of the pair are keepalived's, or those of commit-first, which has them in a
// file; keepalived has one that nobody uses then.
const (
	vrrpAddresses = `	virtual_ipaddress {
		10.0.0.1/24 dev lan
		192.0.2.1/24 dev wan
	}
	virtual_ipaddress_excluded {
		fd01::1/64 dev lan
		fd02::1/64 dev wan
	}
`
	vrrpNoAddresses = "\tvirtual_ipaddress {\n\t\t169.254.61.1/32 dev lan\n\t}\n"
	commitFirst     = "../../cmd/conntrackd/examples/commit-first"
)

// boot is the first program of a machine.
const boot = `set -e
mount -t proc proc /proc
mount --bind DIR/run /run
mount --bind DIR/etc /etc/conntrackd
mount --bind PROGRAM /usr/sbin/conntrackd
START
exec KEEPALIVED --vrrp --dont-fork --log-console --log-detail --use-file DIR/keepalived.conf \
	--pid /run/keepalived.pid --vrrp_pid /run/vrrp.pid
`

func newMachine(l *Lab, n *Node, program, hook string, s Settings) *machine {
	l.t.Helper()
	m := &machine{Node: n, dir: filepath.Join(l.Dir, n.Name)}
	check := func(err error) {
		if err != nil {
			l.t.Fatalf("%v", err)
		}
	}
	check(os.MkdirAll(m.dir+"/run/lock", 0o755))
	check(os.MkdirAll(m.dir+"/etc", 0o755))
	script, err := os.ReadFile(hook)
	check(err)
	addresses := vrrpAddresses
	if hook == commitFirst {
		addresses, m.start = vrrpNoAddresses, "/usr/sbin/conntrackd -d"
		check(os.WriteFile(m.dir+"/etc/addresses", []byte(addressList()), 0o644))
	}
	check(os.WriteFile(m.dir+"/etc/primary-backup.sh", script, 0o755))
	check(os.WriteFile(m.dir+"/keepalived.conf", fmt.Appendf(nil, vrrp, n.Number, 110-10*n.Number, addresses), 0o644))
	s.LockFile = "/var/lock/conntrack.lock" // the script's
	n.Program = program
	n.Configure(s)
	conf, err := os.ReadFile(n.Configuration())
	check(err)
	check(os.WriteFile(m.dir+"/etc/conntrackd.conf", conf, 0o644))
	return m
}

// on switches the machine on.
func (m *machine) on() {
	m.t.Helper()
	script := strings.NewReplacer("DIR", m.dir, "PROGRAM", m.Program, "KEEPALIVED", keepalived, "START", m.start).Replace(boot)
	for _, path := range []string{"/run/keepalived.pid", "/run/vrrp.pid"} { // what keepalived left
		os.Remove(m.dir + path)
	}
	m.init = exec.Command("sh", "-c", script)
	m.out = new(testwait.Buffer)
	m.init.Stdout, m.init.Stderr = m.out, m.out
	m.init.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Cloneflags: unix.CLONE_NEWPID}
	m.init.WaitDelay = time.Second
	if err := m.Start(m.init); err != nil {
		m.t.Fatalf("%s: %v", m.Name, err)
	}
	init := m.init
	m.t.Cleanup(func() { init.Process.Kill() })
}

// off switches it off: its processes end, unprepared, and its links go down.
func (m *machine) off() {
	m.t.Helper()
	m.init.Process.Kill()
	m.init.Wait()
	for _, dev := range []string{"lan", "wan", "sy0", "sy1"} {
		m.IP("link set " + dev + " down\n")
	}
	m.Leave()
	m.Flush()
}

// up brings its links up again.
func (m *machine) up() {
	m.t.Helper()
	m.IP("link set lan up\nlink set wan up\n")
	m.Links()
}

// logged waits until the daemon's log has a line a number of times.
func (m *machine) logged(line string, times int) {
	m.t.Helper()
	if !testwait.For(15*time.Second, func() bool { return strings.Count(m.Log(), line) >= times }) {
		m.t.Fatalf("%s: not %d times %q:\n%s\n%s", m.Name, times, line, m.Log(), m.out)
	}
}

// keepalived and conntrack-tools' script, as they come, run the pair: connections survive
// the end of the first firewall, and then, when it has come back, that of the second.
func TestStock(t *testing.T) {
	needs(t, keepalived, stockScript, Old)
	pairs := [][2]string{{Daemon, Daemon}}
	if os.Getenv(EnvLong) != "" {
		pairs = append(pairs, [2]string{Daemon, Old}, [2]string{Old, Daemon})
	}
	for _, p := range pairs {
		t.Run(name(p[0])+"-"+name(p[1]), func(t *testing.T) { stock(t, stockScript, p) })
	}
	if os.Getenv(EnvLong) != "" {
		t.Run("commit-first", func(t *testing.T) { stock(t, commitFirst, pairs[0]) })
	}
}

// commits are the lines about commits.
var commits = regexp.MustCompile("Committed .*|.* can't be committed|commit has .*")

func stock(t *testing.T, hook string, programs [2]string) {
	l := lab(t, Config{NAT: SourceNAT, Switched: true})
	l.Nodes[0].Leave()
	for _, h := range []*Host{l.Client, l.Server} {
		h.IP("neigh flush all nud permanent\n") // keepalived tells them where the addresses are
	}
	var m [2]*machine
	for i, n := range l.Nodes {
		m[i] = newMachine(l, n, programs[i], hook, Settings{Mode: FTFW, Channel: UDP})
	}
	go echo(l.Server.Listen("tcp", "[::]:7"))
	m[0].on()
	m[0].logged("sending bulk update", 1)
	m[1].on()
	m[1].logged("resync requested\n", 1)
	var conns []net.Conn
	for range 20 {
		for _, to := range []string{ServerV4, ServerV6} {
			c, err := l.Client.Dial("tcp", "", net.JoinHostPort(to, "7"), testwait.Scale(5*time.Second))
			if err != nil {
				t.Fatalf("%v\n%s", err, m[0].out)
			}
			defer c.Close()
			if got, err := say(c, "hello"); got != "hello" {
				t.Fatalf("%q, %v", got, err)
			}
			conns = append(conns, c)
		}
	}
	for round, from := range []*machine{m[0], m[1]} {
		to := m[1-round]
		to.Await(10*time.Second, "external entries", func() bool { return to.Counts().External >= len(conns) })
		bulks := strings.Count(to.Log(), "sending bulk update")
		from.off()
		to.logged("sending bulk update", bulks+1)
		for _, m := range commits.FindAllString(to.Log(), -1) {
			t.Logf("%s: %s", to.Name, m)
		}
		for i, c := range conns {
			if got, err := say(c, "again"); got != "again" {
				t.Fatalf("connection %d of %d, %v: %q, %v\n%s\n%s", i, len(conns), c.RemoteAddr(), got, err, to.Log(), to.out)
			}
		}
		from.up()
		asked := strings.Count(from.Log(), "resync requested\n")
		from.on() // the script finds its lock file, removes it and starts the daemon
		from.logged("resync requested\n", asked+1)
	}
}
