package e2e

import (
	"fmt"
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// A place is where a scenario's commands run: network namespaces. A table file needs none, but there it also shows that the kernel
// is not asked.
type place struct {
	netns map[string]*netns // "" is the script's own
}

// enter makes the script's own namespace.
func (p *place) enter() error {
	own, err := newNetns()
	p.netns = map[string]*netns{"": own}
	return err
}

// start starts a command in a namespace.
func (p *place) start(netns string, cmd *exec.Cmd) error {
	ns := p.netns[netns]
	if ns == nil {
		return fmt.Errorf("no namespace %s", netns)
	}
	return ns.start(cmd)
}

func (p *place) leave() {
	for _, ns := range p.netns {
		ns.file.Close()
	}
}

// kernelCommands are the commands of scripts that the kernel is needed for.
func (st *stage) kernelCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"sysctl": st.sysctl,
		"lab":    st.lab,
	}
}
