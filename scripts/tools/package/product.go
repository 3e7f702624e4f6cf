package main

import "strings"

// product is what becomes a package in each format.
type product struct {
	name        string
	replaces    string // the program of conntrack-tools whose place it takes
	description string
	daemon      bool
}

var products = []product{
	{
		name: "gonntrack", replaces: "conntrack",
		description: `shows and changes the kernel's connection tracking table
A drop-in replacement, in Go, for the command conntrack of conntrack-tools, with
filters that take lists and ranges, JSON, CSV and table output, summaries, table
files, and commands with names; with a screen of the busiest connections, and a
program that tracks the packets of captures. The programs are static.`,
	},
	{
		name: "gonntrack-conntrackd", replaces: "conntrackd", daemon: true,
		description: `keeps the connection tracking tables of firewalls alike
A drop-in replacement, in Go, for the daemon conntrackd of conntrack-tools: a
firewall takes over the connections of another. It reads the same configuration,
and works together with conntrack-tools' daemon. The program is static.`,
	},
}

// doc returns the directory of a product's documents.
func (p *product) doc() string { return "/usr/share/doc/" + p.name }

// license returns the file of the licence in a format.
func (p *product) license(f *format) string {
	return strings.ReplaceAll(f.license, "NAME", p.name)
}

// daemonFiles is the directory of the stage with what only the daemon's package has.
const daemonFiles = "conntrackd.d"

// daemonsProgram reports whether a program, or the manual page of one, is the daemon's.
func daemonsProgram(name string) bool {
	return name == "conntrackd" || strings.HasPrefix(name, "conntrackd.")
}
