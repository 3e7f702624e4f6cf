package top

import "github.com/gonntrack/gonntrack/cmd/internal/target"

// actor changes the tables.
type actor struct {
	tables []*target.Table
}
