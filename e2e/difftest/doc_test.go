// Package difftest runs random and systematic command lines through two
// programs, ours and the installed reference, each in a network namespace of
// its own, and compares what they say and what they leave in the table.
//
// A case is a short sequence of commands. After every command the exit status,
// the standard output (as a multiset of lines) and the standard error must
// agree; after the last one the two tables must. Some of the cases begin with
// programs that listen for events while the other commands run; what they told
// is compared at the end, in the same way. What differs by design is written
// down in two tables:
//
//   - normalise_linux_test.go: what is never compared (ids, clocks, counters);
//   - excuses_linux_test.go: where the two programs are known to differ, and
//     on which command lines.
//
// Everything else that differs is shrunk to a minimal sequence and reported.
//
// The environment steers the test: DIFFTEST_SEED repeats a run,
// DIFFTEST_SECONDS bounds the random part, DIFFTEST_ALL asks for all of the
// systematic part in place of a sample, DIFFTEST_OURS and
// DIFFTEST_REFERENCE name the two programs. scripts/difftest sets them.
package difftest
