//go:build !linux

// Package kernel is conntrackd's side towards the kernel's table, which needs Linux.
package kernel
