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
		programs: []program{
			{"conntrack", "/usr/sbin"}, {"conntrack-top", "/usr/libexec/gonntrack"}, {"conntrackd", "/usr/sbin"},
		},
	}
	for name, text := range map[string]string{
		"conntrack": "program", "conntrack-top": "another", "LICENSE": "licence", "README.md": "readme",
		"CHANGELOG.md":   "changes",
		"docs/compat.md": "compat", "docs/schema/entry.json": "{}",
		"man/conntrack.8": ".TH", "man/conntrack-filters.7": ".TH",
		"completion/conntrack.bash": "b", "completion/conntrack.zsh": "z", "completion/conntrack.fish": "f",
		"completion/conntrack.powershell": "p",
		"conntrackd":                      "daemon", "docs/conntrackd.md": "daemon", "docs/conntrackd-protocol.md": "wire",
		"man/conntrackd.8": ".TH", "man/conntrackd.conf.5": ".TH",
		"conntrackd.d/examples/ftfw.conf": "Sync", "conntrackd.d/examples/failover": "#!/bin/sh",
		"conntrackd.d/install/conntrackd.service": "[Unit]", "conntrackd.d/install/conntrackd.openrc": "#!openrc",
		"conntrackd.d/install/conntrackd.procd":    "#!procd",
		"conntrackd.d/install/conntrackd.postinst": "#!/bin/sh\nafter\n",
		"conntrackd.d/install/conntrackd.prerm":    "#!/bin/sh\nbefore\n",
	} {
		path := filepath.Join(j.stage, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600) // the package has modes of its own
		if strings.HasPrefix(text, "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
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
	"/usr/share/doc/gonntrack/docs/conntrackd-protocol.md -rw-r--r--",
	"/usr/share/doc/gonntrack/docs/conntrackd.md -rw-r--r--",
	"/usr/share/doc/gonntrack/docs/schema/entry.json -rw-r--r--",
	"/usr/share/fish/vendor_completions.d/conntrack.fish -rw-r--r--",
	"/usr/share/man/man7/conntrack-filters.7.gz -rw-r--r--",
	"/usr/share/man/man8/conntrack.8.gz -rw-r--r--",
}

// daemonContents are the files of the daemon's package but the router's.
var daemonContents = []string{
	"/usr/sbin/conntrackd -rwxr-xr-x",
	"/usr/share/doc/gonntrack-conntrackd/conntrackd-protocol.md -rw-r--r--",
	"/usr/share/doc/gonntrack-conntrackd/conntrackd.md -rw-r--r--",
	"/usr/share/doc/gonntrack-conntrackd/examples/failover -rwxr-xr-x",
	"/usr/share/doc/gonntrack-conntrackd/examples/ftfw.conf -rw-r--r--",
	"/usr/share/man/man5/conntrackd.conf.5.gz -rw-r--r--",
	"/usr/share/man/man8/conntrackd.8.gz -rw-r--r--",
}

// The daemon's packages in the list of those made.
const (
	debDaemon = 2*iota + 1
	rpmDaemon
	apkDaemon
	ipkDaemon
)

func with(all []string, more ...string) []string {
	all = slices.Concat(all, more)
	slices.Sort(all)
	return all
}

func TestNames(t *testing.T) {
	want := []string{
		"gonntrack_1.2.3-1_amd64.deb", "gonntrack-conntrackd_1.2.3-1_amd64.deb",
		"gonntrack-1.2.3-1.x86_64.rpm", "gonntrack-conntrackd-1.2.3-1.x86_64.rpm",
		"gonntrack_1.2.3-r1_x86_64.apk", "gonntrack-conntrackd_1.2.3-r1_x86_64.apk",
		"gonntrack_1.2.3-1_x86_64.ipk", "gonntrack-conntrackd_1.2.3-1_x86_64.ipk",
	}
	if got := made(t, stage(t)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	j := stage(t)
	j.arch = "mips"
	want = []string{"gonntrack_1.2.3-1_mips_24kc.ipk", "gonntrack-conntrackd_1.2.3-1_mips_24kc.ipk"}
	if got := made(t, j); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	j.arch = "wasm"
	if err := run(j, io.Discard); err == nil {
		t.Error("a package for wasm")
	}
	pages, err := filepath.Glob(filepath.Join(j.stage, "man", "*"))
	if err != nil || len(pages) != 4 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		if err := os.Remove(page); err != nil {
			t.Fatal(err)
		}
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

// deb returns the files of a package for Debian, and its control files with their text.
func deb(t *testing.T, b []byte) (list []string, control map[string]string) {
	t.Helper()
	parts := map[string][]byte{}
	r := ar.NewReader(bytes.NewReader(b))
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
	list, _ = untar(t, x)
	_, control = untar(t, gunzip(t, parts["control.tar.gz"]))
	return list, control
}

// TestDeb looks into the packages for Debian.
func TestDeb(t *testing.T) {
	j := stage(t)
	names := made(t, j)
	got, control := deb(t, read(t, j, names[0]))
	want := with(contents, "/usr/share/doc/gonntrack/copyright -rw-r--r--",
		"/usr/share/zsh/vendor-completions/_conntrack -rw-r--r--")
	if !slices.Equal(got, want) {
		t.Errorf("contents %q, want %q", got, want)
	}
	hasLines(t, control["/control"], "Package: gonntrack", "Version: 1.2.3-1", "Architecture: amd64",
		"Conflicts: conntrack", "Replaces: conntrack", "Provides: conntrack (= 1:1.4.9)")
	for name := range control {
		if name != "/control" && name != "/md5sums" {
			t.Errorf("a script or list %s", name)
		}
	}
	got, control = deb(t, read(t, j, names[debDaemon]))
	want = with(daemonContents, "/usr/share/doc/gonntrack-conntrackd/copyright -rw-r--r--",
		"/usr/lib/systemd/system/conntrackd.service -rw-r--r--")
	if !slices.Equal(got, want) {
		t.Errorf("contents %q, want %q", got, want)
	}
	hasLines(t, control["/control"], "Package: gonntrack-conntrackd", "Version: 1.2.3-1",
		"Conflicts: conntrackd", "Replaces: conntrackd", "Provides: conntrackd (= 1:1.4.9)")
	hasLines(t, control["/postinst"], "after")
	hasLines(t, control["/prerm"], "before")
}

// TestAPK looks into the packages for Alpine: streams of gzip, one after the
// other, that are one tar file.
func TestAPK(t *testing.T) {
	j := stage(t)
	names := made(t, j)
	for _, tt := range []struct {
		file    string
		want    []string
		control []string
	}{
		{
			names[apkDaemon-1],
			with(contents, "/usr/share/licenses/gonntrack/LICENSE -rw-r--r--",
				"/usr/share/zsh/site-functions/_conntrack -rw-r--r--"),
			[]string{"pkgname = gonntrack", "provides = cmd:conntrack=1.4.9"},
		},
		{
			names[apkDaemon],
			with(daemonContents, "/usr/share/licenses/gonntrack-conntrackd/LICENSE -rw-r--r--",
				"/etc/init.d/conntrackd -rwxr-xr-x"),
			[]string{"pkgname = gonntrack-conntrackd", "provides = cmd:conntrackd=1.4.9"},
		},
	} {
		got, files := untar(t, gunzip(t, read(t, j, tt.file)))
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "/.PKGINFO ") })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: contents %q, want %q", tt.file, got, tt.want)
		}
		hasLines(t, files["/.PKGINFO"], append(tt.control, "pkgver = 1.2.3-r1", "arch = x86_64",
			"depend = !conntrack-tools")...)
		for line := range strings.Lines(files["/.PKGINFO"]) {
			if !strings.Contains(line, " = ") {
				t.Errorf("%s: .PKGINFO has %q", tt.file, line)
			}
		}
	}
}

// TestIPK looks into the packages for OpenWrt.
func TestIPK(t *testing.T) {
	j := stage(t)
	names := made(t, j)
	for _, tt := range []struct {
		file, program, text string
		want, control       []string
	}{
		{
			names[ipkDaemon-1], "/usr/sbin/conntrack", "program",
			[]string{
				"/usr/libexec/gonntrack/conntrack-top -rwxr-xr-x", "/usr/sbin/conntrack -rwxr-xr-x",
				"/usr/share/doc/gonntrack/LICENSE -rw-r--r--",
			},
			[]string{"Package: gonntrack", "Conflicts: conntrack", "Provides: conntrack"},
		},
		{
			names[ipkDaemon], "/etc/init.d/conntrackd", "#!procd",
			[]string{
				"/etc/init.d/conntrackd -rwxr-xr-x", "/usr/sbin/conntrackd -rwxr-xr-x",
				"/usr/share/doc/gonntrack-conntrackd/LICENSE -rw-r--r--",
			},
			[]string{"Package: gonntrack-conntrackd", "Conflicts: conntrackd", "Provides: conntrackd"},
		},
	} {
		_, parts := untar(t, gunzip(t, read(t, j, tt.file)))
		got, files := untar(t, gunzip(t, []byte(parts["/data.tar.gz"])))
		if !slices.Equal(got, tt.want) || files[tt.program] != tt.text {
			t.Errorf("%s: contents %q, want %q", tt.file, got, tt.want)
		}
		_, control := untar(t, gunzip(t, []byte(parts["/control.tar.gz"])))
		hasLines(t, control["/control"], append(tt.control, "Architecture: x86_64",
			"Depends: kmod-nf-conntrack-netlink")...)
	}
}

// TestRPM lets rpm look into the packages.
func TestRPM(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		t.Skip("SKIPPED, no rpm command")
	}
	j := stage(t)
	names := made(t, j)
	for _, tt := range []struct {
		file          string
		want, control []string
	}{
		{
			names[rpmDaemon-1],
			with(contents, "/usr/share/licenses/gonntrack/LICENSE -rw-r--r--",
				"/usr/share/zsh/site-functions/_conntrack -rw-r--r--"),
			[]string{"conntrack-tools", "conntrack = 1.4.9", "gonntrack = 1.2.3-1"},
		},
		{
			names[rpmDaemon],
			with(daemonContents, "/usr/share/licenses/gonntrack-conntrackd/LICENSE -rw-r--r--",
				"/usr/lib/systemd/system/conntrackd.service -rw-r--r--"),
			[]string{"conntrack-tools", "conntrackd = 1.4.9", "gonntrack-conntrackd = 1.2.3-1", "after", "before"},
		},
	} {
		query := func(args ...string) []string {
			t.Helper()
			args = append(append([]string{"-q", "-p"}, args...), filepath.Join(j.output, tt.file))
			out, err := exec.Command(rpm, args...).Output()
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
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: contents %q, want %q", tt.file, got, tt.want)
		}
		hasLines(t, strings.Join(query("--conflicts", "--provides", "--scripts"), "\n"), tt.control...)
	}
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
