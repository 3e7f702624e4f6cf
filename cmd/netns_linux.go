package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// netnsDirs are where ip-netns(8) keeps the names of namespaces.
var netnsDirs = []string{"/run/netns", "/var/run/netns"}

// openNamespace opens the namespace of a name, a path, or a process. A name
// that is a number goes before the process of that number.
func openNamespace(spec string) (*namespace, error) {
	switch {
	case spec == currentNetNS:
		return &namespace{name: spec, table: ctnetlink.Open()}, nil
	case strings.Contains(spec, "/"):
		return openNamespaceFile(spec, spec)
	case spec != "" && spec != "..":
		for _, dir := range netnsDirs {
			ns, err := openNamespaceFile(spec, filepath.Join(dir, spec))
			if !errors.Is(err, fs.ErrNotExist) {
				return ns, err
			}
		}
		if strings.Trim(spec, "0123456789") != "" {
			break
		}
		ns, err := openNamespaceFile(spec, "/proc/"+spec+"/ns/net")
		if !errors.Is(err, fs.ErrNotExist) {
			return ns, err
		}
		return nil, failuref("network namespace `%s': no such name in %s, and no such process", format.AppendName(nil, spec), netnsDirs[0])
	}
	return nil, failuref("network namespace `%s': no such name in %s", format.AppendName(nil, spec), netnsDirs[0])
}

// openNamespaceFile opens the namespace that a file stands for.
func openNamespaceFile(name, path string) (*namespace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &namespaceError{name, err}
	}
	if kind, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		_ = file.Close()
		return nil, failuref("network namespace `%s': %s is not a network namespace", format.AppendName(nil, name), format.AppendName(nil, path))
	}
	return &namespace{name: name, file: file, table: ctnetlink.OpenIn(file)}, nil
}

// namespaceError is a namespace that cannot be opened.
type namespaceError struct {
	name string
	err  error
}

func (e *namespaceError) Unwrap() error { return e.err }

func (e *namespaceError) Error() string {
	return fmt.Sprintf("network namespace `%s': %s", format.AppendName(nil, e.name), systemText(e.err))
}

// allNamespaces returns the current namespace and those with names, in the
// order of the names, each once. One that has a name goes under it.
func (p *program) allNamespaces() ([]*namespace, error) {
	type inode struct{ dev, ino uint64 }
	identify := func(path string) (id inode, ok bool) {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		return inode{st.Dev, st.Ino}, err == nil
	}
	current, _ := identify("/proc/thread-self/ns/net")
	seen := map[inode]bool{}
	var spaces []*namespace
	for _, dir := range netnsDirs {
		entries, _ := os.ReadDir(dir) // sorted; no such directory: no names
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			id, ok := identify(path)
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			ns, err := openNamespaceFile(e.Name(), path)
			if err != nil {
				// A name that outlived its namespace, perhaps.
				fmt.Fprintf(p.stderr, "WARNING: %s\n", err)
				continue
			}
			if id == current {
				ns.close()
				ns.file, ns.table = nil, ctnetlink.Open()
			}
			spaces = append(spaces, ns)
		}
	}
	if !seen[current] {
		here := &namespace{name: currentNetNS, table: ctnetlink.Open()}
		spaces = append([]*namespace{here}, spaces...)
	}
	return spaces, nil
}

// openFile opens a file as it is in the namespace: what /proc/net shows is that
// of the thread that opens it.
func (ns *namespace) openFile(path string) (*os.File, error) {
	if ns == nil || ns.file == nil {
		return os.Open(path)
	}
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result)
	go func() {
		// The thread is not given back: it ends with the goroutine.
		runtime.LockOSThread()
		err := unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET)
		var file *os.File
		if err == nil {
			file, err = os.Open(path)
		}
		opened <- result{file, err}
	}()
	r := <-opened
	return r.file, r.err
}

// etc returns the path of a file of /etc as `ip netns exec' would show it in
// the namespace.
func etcIn(netns, path string) string {
	if netns == "" || netns == currentNetNS || netns == ".." || strings.Contains(netns, "/") {
		return path
	}
	own := filepath.Join("/etc/netns", netns, strings.TrimPrefix(path, "/etc"))
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return path
}
