//go:build unix

package console

import (
	"os"
	"os/signal"
	"syscall"
)

// Changes returns a channel that gets a value when the screen must be drawn again:
// the size of the terminal has changed, or the program continues after it was
// stopped from the keyboard. While it is stopped the terminal is as it was before.
func (c *Screen) Changes() <-chan struct{} {
	changes := make(chan struct{}, 1)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGTSTP)
	go func() {
		for s := range signals {
			if s == syscall.SIGTSTP {
				c.suspend(func() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) })
			}
			select {
			case changes <- struct{}{}:
			default: // one is waiting
			}
		}
	}()
	return changes
}

// CloseOnFatal closes the screen before a signal ends the program that would leave
// the terminal as it is. The exit status is what the shell shows for the signal.
func (c *Screen) CloseOnFatal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		s := <-signals
		c.Close()
		if n, ok := s.(syscall.Signal); ok {
			os.Exit(128 + int(n))
		}
	}()
}
