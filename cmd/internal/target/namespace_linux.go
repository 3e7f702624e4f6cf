package target

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// openNamespace opens the namespace of a name, a path, or a process. A name
// that is a number goes before the process of that number.
func openNamespace(spec string) (*Table, error) {
	switch {
	case spec == CurrentNetNS:
		return &Table{Name: spec, Conn: ctnetlink.Open()}, nil
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
		return nil, fmt.Errorf("network namespace `%s': no such name in %s, and no such process", spec, netnsDirs[0])
	}
	return nil, fmt.Errorf("network namespace `%s': no such name in %s", spec, netnsDirs[0])
}

// openNamespaceFile opens the namespace that a file stands for.
func openNamespaceFile(name, path string) (*Table, error) {
	file, err := console.Open(path)
	if err != nil {
		return nil, &namespaceError{name, err}
	}
	if kind, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		_ = file.Close()
		return nil, fmt.Errorf("network namespace `%s': %s is not a network namespace", name, path)
	}
	return &Table{Name: name, netns: file, Conn: ctnetlink.OpenIn(file)}, nil
}

// namespaceError is a namespace that cannot be opened.
type namespaceError struct {
	name string
	err  error
}

func (e *namespaceError) Unwrap() error { return e.err }

func (e *namespaceError) Error() string {
	return fmt.Sprintf("network namespace `%s': %s", e.name, console.ErrorText(e.err))
}

// allNamespaces opens the current namespace and those with names, in the order
// of the names, each once. A named one goes under its name. Names that lead to no
// namespace are reported on stderr.
func allNamespaces(stderr *console.Messages) ([]*Table, error) {
	type inode struct{ dev, ino uint64 }
	identify := func(path string) (id inode, ok bool) {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		return inode{uint64(st.Dev), st.Ino}, err == nil
	}
	current, _ := identify("/proc/thread-self/ns/net")
	seen := map[inode]bool{}
	var tables []*Table
	for _, dir := range netnsDirs {
		entries, _ := os.ReadDir(dir) // sorted; no such directory: no names
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			id, ok := identify(path)
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			t, err := openNamespaceFile(e.Name(), path)
			if err != nil {
				// Perhaps a name that outlived its namespace.
				stderr.Printf("WARNING: %s\n", err)
				continue
			}
			if id == current {
				t.close()
				t.netns, t.Conn = nil, ctnetlink.Open()
			}
			tables = append(tables, t)
		}
	}
	if !seen[current] {
		tables = append([]*Table{{Name: CurrentNetNS, Conn: ctnetlink.Open()}}, tables...)
	}
	return tables, nil
}

// openFile opens a file of /proc as it is in the table's network namespace:
// /proc/net shows the namespace of the thread that opens it.
func (t *Table) openFile(path string) (file *os.File, err error) {
	err = t.inside(func() (err error) {
		file, err = console.Open(path)
		return err
	})
	return file, err
}

// Sysctl returns the number that a setting net.netfilter.NAME has in the network
// namespace of the table. ok is false if it cannot be read.
func (t *Table) Sysctl(name string) (value uint64, ok bool) {
	file, err := t.openFile("/proc/sys/net/netfilter/" + name)
	if err != nil {
		return 0, false
	}
	defer func() { _ = file.Close() }()
	var text [32]byte
	n, _ := file.Read(text[:])
	value, err = strconv.ParseUint(strings.TrimSpace(string(text[:n])), 10, 64)
	return value, err == nil
}

// inside calls f on a thread in the network namespace of the table.
func (t *Table) inside(f func() error) error {
	if t.netns == nil {
		return f()
	}
	result := make(chan error)
	go func() {
		// The thread is not given back: it ends with the goroutine.
		runtime.LockOSThread()
		err := unix.Setns(int(t.netns.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			err = f()
		}
		result <- err
	}()
	return <-result
}
