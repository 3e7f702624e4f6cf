//go:build !linux

// Package daemon is the program conntrackd, which needs Linux.
package daemon
