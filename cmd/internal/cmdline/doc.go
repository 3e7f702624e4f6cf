// Package cmdline turns the words of a command line, or of a line in a file for
// -R, into a Request: options and their legality, numbers and lists, filters and
// what is shown.
package cmdline
