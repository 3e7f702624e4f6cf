package replay

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/ruleset"
)

// readRules reads the rules of a machine from a file.
func readRules(path string, s engine.Sysctls) (engine.Ruleset, error) {
	if err := console.MayOpen(path); err != nil {
		return nil, err
	}
	text, err := console.ReadFile(path)
	if err != nil {
		return nil, cmdline.Failuref("%s: %s", path, console.ErrorText(err))
	}
	rules, err := ruleset.Parse(path, text, ruleset.Options{Sysctls: s})
	var wrong *ruleset.Error
	switch {
	case errors.As(err, &wrong):
		return nil, cmdline.Failuref("%s", wrong)
	case err != nil:
		return nil, cmdline.Failuref("%s: %s", path, err)
	}
	return rules, nil
}
