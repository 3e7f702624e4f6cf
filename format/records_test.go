package format

import "testing"

func TestRecords(t *testing.T) {
	cpus := [][]Value{
		{Number("cpu", 0), Number("found", 18446744073709551615), Text("note", `a "b", c`)},
		{Number("cpu", 1), Number("found", 0), Text("note", "")},
	}
	for _, x := range []struct {
		style Style
		list  bool
		n     int
		want  string
	}{
		{StyleJSON, true, 0, "[]\n"},
		{StyleJSON, true, 1, "[\n{\"cpu\":0,\"found\":18446744073709551615,\"note\":\"a \\\"b\\\", c\"}\n]\n"},
		{StyleJSON, true, 2, "[\n{\"cpu\":0,\"found\":18446744073709551615,\"note\":\"a \\\"b\\\", c\"},\n{\"cpu\":1,\"found\":0,\"note\":\"\"}\n]\n"},
		{StyleJSON, false, 1, "{\"cpu\":0,\"found\":18446744073709551615,\"note\":\"a \\\"b\\\", c\"}\n"},
		{StyleJSONL, true, 0, ""},
		{StyleJSONL, true, 2, "{\"cpu\":0,\"found\":18446744073709551615,\"note\":\"a \\\"b\\\", c\"}\n{\"cpu\":1,\"found\":0,\"note\":\"\"}\n"},
		{StyleCSV, true, 0, ""},
		{StyleCSV, true, 2, "cpu,found,note\n0,18446744073709551615,\"a \"\"b\"\", c\"\n1,0,\n"},
	} {
		r := NewRecords(x.style, x.list)
		b := []byte("x")
		for _, values := range cpus[:x.n] {
			b = r.Append(b, values)
		}
		if got := string(r.AppendEnd(b)); got != "x"+x.want {
			t.Errorf("style %d, %d records: %q, want %q", x.style, x.n, got, x.want)
		}
	}
	r := NewRecords(StyleCSV, true)
	if got := string(r.Append(r.appendNames(nil, cpus[0]), cpus[1])); got != "cpu,found,note\n1,0,\n" {
		t.Errorf("names before the first: %q", got)
	}
}
