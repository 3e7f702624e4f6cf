package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// stream builds the output of go test -json.
type stream struct{ bytes.Buffer }

func (s *stream) event(action, test, output string) {
	b, err := json.Marshal(event{Action: action, Package: "p", Test: test, Output: output})
	if err != nil {
		panic(err)
	}
	s.Write(append(b, '\n'))
}

// test adds a test that writes one line.
func (s *stream) test(name, result, output string) {
	s.event("run", name, "")
	s.event("output", name, "=== RUN   "+name+"\n")
	s.event("output", name, output+"\n")
	s.event("output", name, "--- "+strings.ToUpper(result)+": "+name+" (0.00s)\n")
	if result != "" {
		s.event(result, name, "")
	}
}

func run(t *testing.T, s *stream) (r *report, out string) {
	t.Helper()
	var b bytes.Buffer
	r = newReport(&b, regexp.MustCompile(`^kept: `))
	if err := r.read(s); err != nil {
		t.Fatal(err)
	}
	return r, b.String()
}

func TestReportPass(t *testing.T) {
	var s stream
	s.test("TestA", "pass", "log of a")
	s.test("TestB", "pass", "kept: b")
	s.test("TestC/x", "skip", "    c_test.go:12: no kernel")
	s.test("TestC", "pass", "")
	s.event("output", "", "kept: at the end\n")
	s.event("pass", "", "")
	r, out := run(t, &s)
	want := `ok    p (0.0 s): 2 passed, 1 skipped
    skipped: TestC/x: no kernel
    kept: b
    kept: at the end
`
	if out != want || r.passed != 2 || r.failed != 0 || r.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped, output:\n%s", r.passed, r.failed, r.skipped, out)
	}
}

func TestReportFail(t *testing.T) {
	var s stream
	s.test("TestA", "pass", "log of a")
	s.test("TestB/x", "pass", "log of x")
	s.test("TestB/y", "fail", "log of y")
	s.test("TestB", "fail", "log of b")
	s.event("output", "", "FAIL\n")
	s.event("fail", "", "")
	r, out := run(t, &s)
	want := `FAIL  p (0.0 s)
--- TestB/y failed; alone: go test p -run 'TestB$/y$'
    log of y

failed:
    p TestB/y
`
	if out != want || r.passed != 2 || r.failed != 1 {
		t.Errorf("%d passed, %d failed, output:\n%s", r.passed, r.failed, out)
	}
}

// TestReportDead: a process that ends without a result for every test.
func TestReportDead(t *testing.T) {
	var s stream
	s.event("run", "TestA", "")
	s.event("output", "TestA", "panic: test timed out after 1s\n")
	for i := range 1000 {
		s.event("output", "TestA", fmt.Sprintf("goroutine %d\n", i))
	}
	s.event("fail", "", "")
	r, out := run(t, &s)
	if r.failed != 1 || !strings.Contains(out, "TestA did not end") || !strings.Contains(out, "panic: test timed out") ||
		!strings.Contains(out, "goroutine 999") || strings.Count(out, "\n") > firstLines+lastLines+10 {
		t.Errorf("%d failed, output:\n%s", r.failed, out)
	}
}

// TestReportOther: a package that does not compile, one that fails outside its
// tests, and a run that is interrupted.
func TestReportOther(t *testing.T) {
	for what, text := range map[string]string{
		"x.go:1: error": `{"ImportPath":"p [p.test]","Action":"build-output","Output":"x.go:1: error\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`,
		"cannot start": `{"Action":"output","Package":"p","Output":"cannot start\n"}
{"Action":"fail","Package":"p"}
`,
		"not JSON": "not JSON\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\n",
	} {
		var b bytes.Buffer
		r := newReport(&b, regexp.MustCompile(`^$`))
		if err := r.read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if r.failed != 1 || !strings.Contains(b.String(), what) {
			t.Errorf("%s: %d failed, output:\n%s", what, r.failed, b.String())
		}
	}
}
