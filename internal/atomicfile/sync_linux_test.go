package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSyncDir: a file system whose directories cannot be synced makes no change
// a failure; a disk that fails does.
func TestSyncDir(t *testing.T) {
	if err := syncDir("/proc"); err != nil { // it answers EINVAL
		t.Error(err)
	}
	if err := syncDir(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is missing: %v", err)
	}
	failure := fmt.Errorf("sync: %w", syscall.EIO)
	if err := ignoreUnsupported(failure); err != failure {
		t.Errorf("%v became %v", failure, err)
	}
}
