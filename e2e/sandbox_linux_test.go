package e2e

import (
	"fmt"
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// A sandbox holds the network namespaces that a scenario's commands run in. With a table file they also show that the
// kernel's table is not used.
type sandbox struct {
	netns map[string]*netns // "" is the script's own
}

// create makes the script's own namespace.
func (s *sandbox) create() error {
	own, err := newNetns()
	s.netns = map[string]*netns{"": own}
	return err
}

// start starts a command in a namespace.
func (s *sandbox) start(netns string, cmd *exec.Cmd) error {
	ns := s.netns[netns]
	if ns == nil {
		return fmt.Errorf("no namespace %s", netns)
	}
	return ns.start(cmd)
}

func (s *sandbox) close() {
	for _, ns := range s.netns {
		ns.file.Close()
	}
}

// kernelCommands returns the commands of scripts that need the kernel.
func (run *scenarioRun) kernelCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"sysctl": run.sysctl,
		"lab":    run.lab,
		"tun":    run.tun,
	}
}
