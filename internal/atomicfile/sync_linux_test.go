package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSyncDir: that a file system cannot sync directories is no error; a
// failure of the disk is one.
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
