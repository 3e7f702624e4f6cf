package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2/files"
)

// contents returns the files of a package. Manual pages are compressed into a
// directory of the caller's.
func (j *job) contents(f *format, p *product, temporary string) (files.Contents, error) {
	c := collector{job: j}
	for _, program := range j.programs {
		if daemonsProgram(program.name) == p.daemon {
			c.file(filepath.Join(j.stage, program.name), path.Join(program.dir, program.name), 0o755)
		}
	}
	daemon := filepath.Join(j.stage, daemonFiles)
	if p.daemon {
		c.file(filepath.Join(daemon, "install", f.service), f.servicePath, f.serviceMode)
	}
	license := filepath.Join(j.stage, "LICENSE")
	if f.small {
		c.file(license, p.license(f), 0o644)
		return c.all, c.err
	}
	c.own(path.Dir(p.license(f)))
	c.file(license, p.license(f), 0o644)
	c.own(p.doc())
	if p.daemon {
		for _, name := range []string{"conntrackd.md", "conntrackd-protocol.md"} {
			c.file(filepath.Join(j.stage, "docs", name), path.Join(p.doc(), name), 0o644)
		}
		c.tree(filepath.Join(daemon, "examples"), p.doc()+"/examples")
	} else {
		for _, name := range []string{"README.md", "CHANGELOG.md"} {
			c.file(filepath.Join(j.stage, name), path.Join(p.doc(), name), 0o644)
		}
		c.tree(filepath.Join(j.stage, "docs"), p.doc()+"/docs")
		c.completions(filepath.Join(j.stage, "completion"), f.zsh)
	}
	c.manual(filepath.Join(j.stage, "man"), p.daemon, temporary)
	return c.all, c.err
}

// collector collects the files of a package until one fails.
type collector struct {
	job *job
	all files.Contents
	err error
}

// file adds a file.
func (c *collector) file(source, destination string, mode fs.FileMode) {
	if c.err != nil {
		return
	}
	info, err := os.Stat(source)
	if err != nil {
		c.err = err
		return
	}
	c.all = append(c.all, &files.Content{
		Source:      source,
		Destination: destination,
		FileInfo:    &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: c.job.time, Size: info.Size()},
	})
}

// own adds a directory that the package owns, so that it goes when the package
// goes: rpm keeps others.
func (c *collector) own(dir string) {
	for _, x := range c.all {
		if x.Destination == dir {
			return
		}
	}
	c.all = append(c.all, &files.Content{
		Destination: dir,
		Type:        files.TypeDir,
		FileInfo:    &files.ContentFileInfo{Owner: "root", Group: "root", Mode: 0o755, MTime: c.job.time},
	})
}

// tree adds a directory with all below it.
func (c *collector) tree(source, destination string) {
	err := filepath.WalkDir(source, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		to := path.Join(destination, filepath.ToSlash(below))
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			c.own(to)
		case info.Mode()&0o100 != 0:
			c.file(name, to, 0o755)
		default:
			c.file(name, to, 0o644)
		}
		return nil
	})
	if c.err == nil {
		c.err = err
	}
}

// list returns the names of a directory's files, sorted.
func (c *collector) list(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) == 0 {
		err = fmt.Errorf("%s is empty", dir)
	}
	if c.err == nil {
		c.err = err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// manual adds the pages of the daemon or the others, compressed, in the directories of
// their sections.
func (c *collector) manual(dir string, daemon bool, temporary string) {
	for _, name := range c.list(dir) {
		if daemonsProgram(name) != daemon {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // its level is a valid one
			_, _ = z.Write(text)                                  // a Buffer takes everything
			_ = z.Close()
			err = os.WriteFile(filepath.Join(temporary, name+".gz"), b.Bytes(), 0o644)
		}
		if err != nil {
			c.err = err
			return
		}
		section := strings.TrimPrefix(filepath.Ext(name), ".")
		c.file(filepath.Join(temporary, name+".gz"), "/usr/share/man/man"+section+"/"+name+".gz", 0o644)
	}
}

// completions adds the scripts of the shells: their names are those of the
// program and of the shell. Powershell has no place for them.
func (c *collector) completions(dir, zsh string) {
	for _, name := range c.list(dir) {
		shell := filepath.Ext(name)
		program := strings.TrimSuffix(name, shell)
		source := filepath.Join(dir, name)
		switch shell {
		case ".bash":
			c.file(source, "/usr/share/bash-completion/completions/"+program, 0o644)
		case ".zsh":
			c.file(source, zsh+"/_"+program, 0o644)
		case ".fish":
			c.file(source, "/usr/share/fish/vendor_completions.d/"+program+".fish", 0o644)
		}
	}
}
