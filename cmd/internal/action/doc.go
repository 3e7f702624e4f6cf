// Package action has the actions of the command, each in a file: a function that
// carries out a cmdline.Request on a target.Table and writes to the console.
package action
