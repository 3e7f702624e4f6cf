package ctnetlink

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Tests on the live kernel run in network namespaces of their own, made by
// namespace. Root may make them at once. An ordinary user needs a user
// namespace around them, which only a single-threaded process can enter:
// TestMain starts the test binary again inside one.

// insideVar is set in the environment of the test binary's second start.
const insideVar = "CTNETLINK_TEST_INSIDE"

// skipped counts the tests that found no namespace.
var skipped atomic.Int32

func TestMain(m *testing.M) {
	if os.Getuid() != 0 && os.Getenv(insideVar) == "" {
		if code, ok := runInside(); ok {
			os.Exit(code)
		}
	}
	flag.Parse()
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "\n*** %d TESTS OF THE LIVE KERNEL WERE SKIPPED: no network namespace, netfilter or nft ***\n\n", n)
	}
	os.Exit(code)
}

// runInside runs the test binary in new user and network namespaces; ok is
// false when the system refuses them.
func runInside() (code int, ok bool) {
	runtime.LockOSThread() // Pdeathsig is about the thread that started it
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "no user namespace:", err)
		return 0, false
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return max(cmd.ProcessState.ExitCode(), 0), true
}

// namespace moves the rest of the test, which must stay on this goroutine (no
// t.Run), into a fresh network namespace whose loopback device is up. Its
// table has accounting and time stamps on. The thread is given up afterwards.
func namespace(t testing.TB) *Conn {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		skipped.Add(1)
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	needNetfilter(t)
	loopbackUp(t)
	sysctl(t, "net/netfilter/nf_conntrack_acct", "1")
	sysctl(t, "net/netfilter/nf_conntrack_timestamp", "1")
	c := Open()
	t.Cleanup(func() { c.Close() })
	return c
}

// needNetfilter skips the test where there are no netfilter sockets: in a
// program for another processor that qemu-user runs.
func needNetfilter(t testing.TB) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		skipped.Add(1)
		t.Skipf("SKIPPED, no netfilter sockets: %v", err)
	}
	unix.Close(fd)
}

func loopbackUp(t testing.TB) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		t.Fatal(err)
	}
}

// sysctl writes a file below /proc/sys, which shows the namespace of the
// calling thread.
func sysctl(t testing.TB, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// nft loads a rule set into the namespace.
func nft(t testing.TB, rules string) {
	t.Helper()
	path := ""
	for _, p := range []string{"nft", "/usr/sbin/nft", "/sbin/nft"} {
		if p, err := exec.LookPath(p); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		skipped.Add(1)
		t.Skip("SKIPPED, no nft command")
	}
	cmd := exec.Command(path, "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
}
