package main

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
)

// format is a format of packages.
type format struct {
	name string
	// arch has the format's names of processors, by Go's.
	arch map[string]string
	// relate sets how the package relates to the distribution's own.
	relate func(info *nfpm.Info, p *product, compatible string)
	// before and after join the parts of a version that is not a tag's: a
	// prerelease, and commits after a tag.
	before, after string
	zsh           string // directory of zsh's completions
	license       string // the file; NAME is the package
	small         bool   // for routers: no manual, completions and documents
	service       string // what starts the daemon, of its directory install
	servicePath   string // and where it is installed
	serviceMode   fs.FileMode
	scripts       bool // the package has scripts for systemd
}

// The distributions' packages have /usr/sbin/conntrack and /usr/sbin/conntrackd
// too, and two packages cannot own one file: these packages conflict with theirs
// and provide their names (docs/packages.md).
var formats = []format{
	{
		name: "deb",
		arch: map[string]string{
			"386": "i386", "amd64": "amd64", "arm": "armhf", "arm64": "arm64", "mipsle": "mipsel", "mips64le": "mips64el",
			"ppc64le": "ppc64el", "riscv64": "riscv64", "s390x": "s390x",
		},
		before: "~", after: "+",
		zsh:     "/usr/share/zsh/vendor-completions",
		license: "/usr/share/doc/NAME/copyright",
		service: "conntrackd.service", servicePath: unit, serviceMode: 0o644, scripts: true,
		relate: func(info *nfpm.Info, p *product, compatible string) {
			info.Conflicts = []string{p.replaces}
			info.Replaces = []string{p.replaces}
			info.Provides = []string{p.replaces + " (= 1:" + compatible + ")"} // Debian's has the epoch 1
			info.Deb.Compression = "xz"
		},
	},
	{
		name: "rpm",
		arch: map[string]string{
			"386": "i686", "amd64": "x86_64", "arm": "armv7hl", "arm64": "aarch64", "ppc64le": "ppc64le", "riscv64": "riscv64",
			"s390x": "s390x",
		},
		before: "~", after: "+",
		zsh:     "/usr/share/zsh/site-functions",
		license: "/usr/share/licenses/NAME/LICENSE",
		service: "conntrackd.service", servicePath: unit, serviceMode: 0o644, scripts: true,
		relate: func(info *nfpm.Info, p *product, compatible string) {
			// conntrack-tools has both programs. Neither package is all of it.
			info.Conflicts = []string{"conntrack-tools"}
			info.Provides = []string{p.replaces + " = " + compatible}
			info.RPM.Group = "System Environment/Base"
			info.RPM.BuildHost = "localhost" // the name of the machine is no part of it
			info.RPM.Compression = "xz"
			info.RPM.Summary, info.Description, _ = strings.Cut(info.Description, "\n")
		},
	},
	{
		name: "apk",
		arch: map[string]string{
			"386": "x86", "amd64": "x86_64", "arm": "armv7", "arm64": "aarch64", "ppc64le": "ppc64le", "riscv64": "riscv64",
			"s390x": "s390x",
		},
		before: "_", after: "_p",
		zsh:     "/usr/share/zsh/site-functions",
		license: "/usr/share/licenses/NAME/LICENSE",
		service: "conntrackd.openrc", servicePath: "/etc/init.d/conntrackd", serviceMode: 0o755,
		relate: func(info *nfpm.Info, p *product, compatible string) {
			info.Depends = []string{"!conntrack-tools"} // a conflict
			info.Provides = []string{"cmd:" + p.replaces + "=" + compatible}
			info.Description, _, _ = strings.Cut(info.Description, "\n")
		},
	},
	{
		// OpenWrt has a name for each kind of processor. These are common ones
		// that the program runs on; opkg --add-arch allows the package on others.
		name: "ipk",
		arch: map[string]string{
			"386": "i386_pentium4", "amd64": "x86_64", "arm": "arm_cortex-a7_neon-vfpv4", "arm64": "aarch64_cortex-a53",
			"mips": "mips_24kc", "mipsle": "mipsel_24kc", "mips64": "mips64_octeonplus",
			"riscv64": "riscv64_generic",
		},
		before: "~", after: "+",
		license: "/usr/share/doc/NAME/LICENSE",
		small:   true,
		service: "conntrackd.procd", servicePath: "/etc/init.d/conntrackd", serviceMode: 0o755,
		relate: func(info *nfpm.Info, p *product, _ string) {
			info.Depends = []string{"kmod-nf-conntrack-netlink"}
			info.Conflicts = []string{p.replaces}
			info.Provides = []string{p.replaces}
		},
	},
}

// unit is where systemd looks for the units of packages.
const unit = "/usr/lib/systemd/system/conntrackd.service"

// described is what git describe prints: a tag, perhaps with the number of
// commits after it and the last one's hash; or the hash alone.
var described = regexp.MustCompile(
	`^(?:v(\d+(?:\.\d+)*)(?:-([a-z]+)\.?(\d*))?(?:-(\d+)-g[0-9a-f]+)?|([0-9a-f]{7,40}))$`)

// version turns what git describe prints into the format's notation, in which
// versions that follow each other are in order. A commit without a tag before it
// has the time of the commit.
func (f *format) version(s string, t time.Time) (string, error) {
	m := described.FindStringSubmatch(s)
	switch {
	case m == nil:
		return "", fmt.Errorf("%q is not the version of a package: v1.2.3, v1.2.3-rc1, v1.2.3-4-g0123abc or a commit are", s)
	case m[5] != "":
		if f.before == "_" { // apk knows few words
			return "0.0.0_git" + t.Format("20060102150405"), nil
		}
		return "0.0.0" + f.before + t.Format("20060102150405"), nil
	}
	version := m[1]
	if m[2] != "" {
		version += f.before + m[2] + m[3]
	}
	if m[4] != "" {
		version += f.after + m[4]
	}
	return version, nil
}
