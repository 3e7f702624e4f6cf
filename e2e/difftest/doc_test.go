// Package difftest runs random and systematic command lines with two programs,
// ours and the installed reference, each in a network namespace of its own, and
// compares their output and their tables.
//
// A case is a short sequence of commands. After every command the exit status,
// the standard output (as a multiset of lines) and the standard error must
// agree; after the last one the two tables must agree. Some of the cases begin
// with programs that listen for events while the other commands run; their
// output is compared at the end, in the same way. Differences that are meant are
// listed in two places:
//
//   - normalise_linux_test.go: what is never compared (ids, clocks, counters);
//   - exceptions_linux_test.go: where the two programs are known to differ, and
//     on which command lines.
//
// Everything else that differs is shrunk to a minimal sequence and reported.
//
// Environment variables control the test: DIFFTEST_SEED chooses the cases,
// DIFFTEST_SECONDS bounds the random part, DIFFTEST_ALL runs all of the
// systematic part instead of a sample, DIFFTEST_OURS and DIFFTEST_REFERENCE name
// the two programs. scripts/difftest sets them. With -short nothing is compared.
package difftest
