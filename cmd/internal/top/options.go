package top

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// options are a command line.
type options struct {
	request  *cmdline.Request // filters, --by, --sort, tables, the output of --once
	interval time.Duration
	once     bool
	batch    bool
	times    int // of --batch, 0: without end
	readOnly bool
}
