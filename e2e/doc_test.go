// Package e2e runs the built program as a user does. It imports no package of the program.
//
// Each file of testdata is a scenario: a terminal session with a comment. README.md describes the notation, where
// scenarios run, and how to add one.
package e2e
