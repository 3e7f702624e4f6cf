// Package makes packages of a directory that scripts/release has filled: .deb
// for Debian, .rpm for Fedora and its relatives, .apk for Alpine, .ipk for
// OpenWrt. There is one package of the command, and one of the daemon. The same
// directory and SOURCE_DATE_EPOCH give the same bytes.
//
//	package -stage DIRECTORY -arch GOARCH -version VERSION -compatible 1.4.9
//	        -program conntrack=/usr/sbin -program conntrackd=/usr/sbin -output DIRECTORY
//
// It prints the names of the files that it wrote, and makes no package for a
// format that has no name for the processor.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/ipk"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// job is what to make packages of.
type job struct {
	stage      string
	arch       string // as Go names it
	version    string // as git describe prints it
	compatible string // the version of conntrack-tools whose command is replaced
	programs   []program
	output     string
	time       time.Time // of all files
}

// program is a file of the stage and the directory where a package installs it.
type program struct{ name, dir string }

func main() {
	var j job
	flag.StringVar(&j.stage, "stage", "", "the `directory` with programs, man, completion, docs")
	flag.StringVar(&j.arch, "arch", "", "the processor, as in `GOARCH`")
	flag.StringVar(&j.version, "version", "", "the `version`, as git describe prints it")
	flag.StringVar(&j.compatible, "compatible", "", "the `version` of conntrack-tools that is replaced")
	flag.StringVar(&j.output, "output", ".", "the `directory` for the packages")
	usage := "a program of the stage and where it is installed, `name=directory`; may be repeated"
	flag.Func("program", usage, func(s string) error {
		name, dir, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("it is not name=directory")
		}
		j.programs = append(j.programs, program{name, dir})
		return nil
	})
	flag.Parse()
	if err := run(&j, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// run makes the packages of a job and prints their names.
func run(j *job, out io.Writer) error {
	if j.stage == "" || j.version == "" || j.compatible == "" || len(j.programs) == 0 {
		return errors.New("-stage, -version, -compatible and -program are required")
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	j.time = time.Unix(epoch, 0).UTC()
	made := 0
	for _, f := range formats {
		if f.arch[j.arch] == "" {
			continue
		}
		for i := range products {
			name, err := j.make(&f, &products[i])
			if err != nil {
				return fmt.Errorf("%s of %s: %w", f.name, products[i].name, err)
			}
			fmt.Fprintln(out, name)
			made++
		}
	}
	if made == 0 {
		return fmt.Errorf("no format has packages for the processor %q", j.arch)
	}
	return nil
}

// make makes the package of a product in one format and returns the name of its file.
func (j *job) make(f *format, p *product) (string, error) {
	version, err := f.version(j.version, j.time)
	if err != nil {
		return "", err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name:          p.name,
		Platform:      "linux",
		Arch:          f.arch[j.arch],
		Version:       version,
		VersionSchema: "none",
		Release:       "1",
		Section:       "net",
		Priority:      "optional",
		Maintainer:    "The gonntrack authors <gonntrack@users.noreply.github.com>",
		Homepage:      "https://github.com/gonntrack/gonntrack",
		License:       "MIT",
		Description:   p.description,
		MTime:         j.time,
	})
	info.DisableGlobbing = true
	f.relate(info, p, j.compatible)
	if p.daemon && f.scripts {
		info.Scripts.PostInstall = filepath.Join(j.stage, daemonFiles, "install", "conntrackd.postinst")
		info.Scripts.PreRemove = filepath.Join(j.stage, daemonFiles, "install", "conntrackd.prerm")
	}
	// The formats' own names: nfpm would translate Go's.
	info.Deb.Arch, info.RPM.Arch, info.APK.Arch, info.IPK.Arch = info.Arch, info.Arch, info.Arch, info.Arch
	temporary, err := os.MkdirTemp("", "gonntrack-package")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if info.Contents, err = j.contents(f, p, temporary); err != nil {
		return "", err
	}
	if err := nfpm.PrepareForPackager(info, f.name); err != nil {
		return "", err
	}
	packager, err := nfpm.Get(f.name)
	if err != nil {
		return "", err
	}
	name := packager.ConventionalFileName(info)
	w, err := os.Create(filepath.Join(j.output, name))
	if err != nil {
		return "", err
	}
	defer w.Close()
	if err := packager.Package(info, w); err != nil {
		return "", err
	}
	return name, w.Close()
}
