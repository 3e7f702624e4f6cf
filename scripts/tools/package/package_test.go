package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blakesmith/ar"
	"github.com/ulikunitz/xz"
)

// stage fills a directory as scripts/release does.
func stage(t *testing.T) *job {
	t.Helper()
	j := &job{
		stage: t.TempDir(), arch: "amd64", version: "v1.2.3", compatible: "1.4.9",
		programs: []program{{"conntrack", "/usr/sbin"}, {"conntrack-top", "/usr/libexec/gonntrack"}},
	}
	for name, text := range map[string]string{
		"conntrack": "program", "conntrack-top": "another", "LICENSE": "licence", "README.md": "readme",
		"CHANGELOG.md":   "changes",
		"docs/compat.md": "compat", "docs/schema/entry.json": "{}",
		"man/conntrack.8": ".TH", "man/conntrack-filters.7": ".TH",
		"completion/conntrack.bash": "b", "completion/conntrack.zsh": "z", "completion/conntrack.fish": "f",
		"completion/conntrack.powershell": "p",
	} {
		path := filepath.Join(j.stage, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil { // the package has modes of its own
			t.Fatal(err)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	return j
}

// made makes the packages and returns their names.
func made(t *testing.T, j *job) []string {
	t.Helper()
	j.output = t.TempDir()
	var out bytes.Buffer
	if err := run(j, &out); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out.String())
}

// contents are the files of every package but the router's.
var contents = []string{
	"/usr/libexec/gonntrack/conntrack-top -rwxr-xr-x",
	"/usr/sbin/conntrack -rwxr-xr-x",
	"/usr/share/bash-completion/completions/conntrack -rw-r--r--",
	"/usr/share/doc/gonntrack/CHANGELOG.md -rw-r--r--",
	"/usr/share/doc/gonntrack/README.md -rw-r--r--",
	"/usr/share/doc/gonntrack/docs/compat.md -rw-r--r--",
	"/usr/share/doc/gonntrack/docs/schema/entry.json -rw-r--r--",
	"/usr/share/fish/vendor_completions.d/conntrack.fish -rw-r--r--",
	"/usr/share/man/man7/conntrack-filters.7.gz -rw-r--r--",
	"/usr/share/man/man8/conntrack.8.gz -rw-r--r--",
}

func with(more ...string) []string {
	all := slices.Concat(contents, more)
	slices.Sort(all)
	return all
}

func TestNames(t *testing.T) {
	want := []string{"gonntrack_1.2.3-1_amd64.deb", "gonntrack-1.2.3-1.x86_64.rpm", "gonntrack_1.2.3-r1_x86_64.apk",
		"gonntrack_1.2.3-1_x86_64.ipk"}
	if got := made(t, stage(t)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	j := stage(t)
	j.arch = "mips"
	if got := made(t, j); !slices.Equal(got, []string{"gonntrack_1.2.3-1_mips_24kc.ipk"}) {
		t.Errorf("%q", got)
	}
	j.arch = "wasm"
	if err := run(j, io.Discard); err == nil {
		t.Error("a package for wasm")
	}
	if err := os.Remove(filepath.Join(j.stage, "man", "conntrack.8")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(j.stage, "man", "conntrack-filters.7")); err != nil {
		t.Fatal(err)
	}
	j.arch = "amd64"
	if err := run(j, io.Discard); err == nil || !strings.Contains(err.Error(), "man is empty") {
		t.Errorf("without a manual: %v", err)
	}
}

// TestSame: the same files give the same packages, at another time and from
// another directory.
func TestSame(t *testing.T) {
	a, b := stage(t), stage(t)
	names := made(t, a)
	time.Sleep(1100 * time.Millisecond) // archives have times in seconds
	if got := made(t, b); !slices.Equal(got, names) {
		t.Fatalf("%q, then %q", names, got)
	}
	for _, name := range names {
		if !bytes.Equal(read(t, a, name), read(t, b, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

func read(t *testing.T, j *job, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(j.output, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDeb looks into the package for Debian.
func TestDeb(t *testing.T) {
	j := stage(t)
	parts := map[string][]byte{}
	r := ar.NewReader(bytes.NewReader(read(t, j, made(t, j)[0])))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if parts[strings.TrimSuffix(h.Name, "/")], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	x, err := xz.NewReader(bytes.NewReader(parts["data.tar.xz"]))
	if err != nil {
		t.Fatal(err)
	}
	want := with("/usr/share/doc/gonntrack/copyright -rw-r--r--",
		"/usr/share/zsh/vendor-completions/_conntrack -rw-r--r--")
	if got, _ := untar(t, x); !slices.Equal(got, want) {
		t.Errorf("contents %q, want %q", got, want)
	}
	_, control := untar(t, gunzip(t, parts["control.tar.gz"]))
	hasLines(t, control["/control"], "Package: gonntrack", "Version: 1.2.3-1", "Architecture: amd64",
		"Conflicts: conntrack", "Replaces: conntrack", "Provides: conntrack (= 1:1.4.9)")
	for name := range control {
		if name != "/control" && name != "/md5sums" {
			t.Errorf("a script or list %s", name)
		}
	}
}

// TestAPK looks into the package for Alpine: streams of gzip, one after the
// other, that are one tar file.
func TestAPK(t *testing.T) {
	j := stage(t)
	z := gunzip(t, read(t, j, made(t, j)[2]))
	got, files := untar(t, z)
	got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "/.PKGINFO ") })
	want := with("/usr/share/licenses/gonntrack/LICENSE -rw-r--r--", "/usr/share/zsh/site-functions/_conntrack -rw-r--r--")
	if !slices.Equal(got, want) {
		t.Errorf("contents %q, want %q", got, want)
	}
	hasLines(t, files["/.PKGINFO"], "pkgname = gonntrack", "pkgver = 1.2.3-r1", "arch = x86_64",
		"depend = !conntrack-tools", "provides = cmd:conntrack=1.4.9")
	for line := range strings.Lines(files["/.PKGINFO"]) {
		if !strings.Contains(line, " = ") {
			t.Errorf(".PKGINFO has %q", line)
		}
	}
}

// TestIPK looks into the package for OpenWrt.
func TestIPK(t *testing.T) {
	j := stage(t)
	_, parts := untar(t, gunzip(t, read(t, j, made(t, j)[3])))
	got, files := untar(t, gunzip(t, []byte(parts["/data.tar.gz"])))
	want := []string{
		"/usr/libexec/gonntrack/conntrack-top -rwxr-xr-x", "/usr/sbin/conntrack -rwxr-xr-x",
		"/usr/share/doc/gonntrack/LICENSE -rw-r--r--",
	}
	if !slices.Equal(got, want) || files["/usr/sbin/conntrack"] != "program" {
		t.Errorf("contents %q, want %q", got, want)
	}
	_, control := untar(t, gunzip(t, []byte(parts["/control.tar.gz"])))
	hasLines(t, control["/control"], "Package: gonntrack", "Architecture: x86_64",
		"Conflicts: conntrack", "Provides: conntrack", "Depends: kmod-nf-conntrack-netlink")
}

// TestRPM lets rpm look into the package.
func TestRPM(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		t.Skip("SKIPPED, no rpm command")
	}
	j := stage(t)
	names := made(t, j)
	name := filepath.Join(j.output, names[1])
	query := func(args ...string) []string {
		t.Helper()
		out, err := exec.Command(rpm, append(append([]string{"-q", "-p"}, args...), name)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	var got []string
	for _, line := range query("--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME}\n]") {
		if file, ok := strings.CutSuffix(line, " root:root"); !ok {
			t.Errorf("the owner of %s", line)
		} else if !strings.Contains(file, " d") {
			got = append(got, file)
		}
	}
	slices.Sort(got)
	want := with("/usr/share/licenses/gonntrack/LICENSE -rw-r--r--", "/usr/share/zsh/site-functions/_conntrack -rw-r--r--")
	if !slices.Equal(got, want) {
		t.Errorf("contents %q, want %q", got, want)
	}
	hasLines(t, strings.Join(query("--conflicts", "--provides"), "\n"),
		"conntrack-tools", "conntrack = 1.4.9", "gonntrack = 1.2.3-1")
}

func TestVersion(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct{ described, deb, apk string }{
		{"v1.2.3", "1.2.3", "1.2.3"},
		{"v1.2.3-rc1", "1.2.3~rc1", "1.2.3_rc1"},
		{"v1.2.3-rc.2", "1.2.3~rc2", "1.2.3_rc2"},
		{"v1.2.3-17-g0123abc", "1.2.3+17", "1.2.3_p17"},
		{"0123abc", "0.0.0~20260102030405", "0.0.0_git20260102030405"},
		{"v1.2.3-dirty-tree", "", ""},
		{"", "", ""},
	} {
		for i, want := range []string{tt.deb, tt.apk} {
			got, err := formats[i*2].version(tt.described, when)
			if got != want || (err == nil) != (want != "") {
				t.Errorf("%s of %q is %q, error %v, want %q", formats[i*2].name, tt.described, got, err, want)
			}
		}
	}
}

func hasLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.Contains(strings.Split(text, "\n"), line) {
			t.Errorf("no line %q in:\n%s", line, text)
		}
	}
}

func gunzip(t *testing.T, b []byte) io.Reader {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// untar returns the names and modes of the files, sorted, and their text by name.
func untar(t *testing.T, r io.Reader) (list []string, text map[string]string) {
	t.Helper()
	text = map[string]string{}
	for a := tar.NewReader(r); ; {
		h, err := a.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		b, err := io.ReadAll(a)
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(h.Name, "./"), "/")
		list = append(list, name+" "+h.FileInfo().Mode().String())
		text[name] = string(b)
	}
	slices.Sort(list)
	return list, text
}
