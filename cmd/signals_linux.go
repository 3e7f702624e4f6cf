//go:build !mips && !mipsle && !mips64 && !mips64le

package cmd

import (
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// defaultSignals gives back to signals the meaning that they have for a C
// program: the default action, or none where the parent ignored them. Without it
// the Go runtime ignores some (SIGALRM, SIGUSR1), and prints stacks and exits
// with status 2 for others (SIGQUIT).
//
// What stays with the runtime: SIGINT, SIGHUP and SIGTERM, which end the program;
// SIGSEGV, SIGBUS and SIGFPE, which are panics; SIGXFSZ, because a write that fails
// is reported and its temporary file is removed; and SIGURG, which preempts.
func defaultSignals() {
	for _, s := range []syscall.Signal{unix.SIGILL, unix.SIGTRAP, unix.SIGSTKFLT, unix.SIGSYS, unix.SIGPROF} {
		var none sigaction // SIG_DFL, no flags
		rtSigaction(s, &none, nil)
	}
	for _, s := range []syscall.Signal{
		unix.SIGQUIT, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE, unix.SIGALRM,
		unix.SIGXCPU, unix.SIGVTALRM, unix.SIGIO, unix.SIGPWR,
	} {
		forward(s)
	}
	for s := syscall.Signal(firstRealTime); s <= lastRealTime; s++ {
		forward(s)
	}
}

// The real-time signals that are not reserved for libraries (signal(7)); 34 has
// its default action.
const (
	firstRealTime = 35
	lastRealTime  = 64
)

// forward makes the runtime do for a signal what it would have done without Go's
// handler. What that is only the runtime knows: it read the inherited action
// before it installed the handler. It goes by it if the signal is one that it does
// not handle, which it is after signal.Ignore; so the handler is put back.
func forward(s syscall.Signal) {
	var handler sigaction
	if !rtSigaction(s, nil, &handler) {
		return
	}
	signal.Ignore(s)
	rtSigaction(s, &handler, nil)
}

// sigaction has room for the kernel's structure on every architecture. Only the
// runtime looks into it.
type sigaction [8]uint64

func rtSigaction(s syscall.Signal, action, old *sigaction) bool {
	const setSize = 8 // bytes of a set of 64 signals
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(action)),
		uintptr(unsafe.Pointer(old)), setSize, 0, 0)
	return errno == 0
}
