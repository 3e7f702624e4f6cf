package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// envSchemas names the directory of the JSON schemas, docs/schema.
const envSchemas = "E2E_SCHEMAS"

// schemaMain validates the JSON documents on stdin with a schema of docs/schema: schema NAME. It prints how many
// there were.
func schemaMain() {
	files, err := filepath.Glob(filepath.Join(os.Getenv(envSchemas), "*.json"))
	check(err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	var id string
	for _, file := range files {
		f, err := os.Open(file)
		check(err)
		doc, err := jsonschema.UnmarshalJSON(f)
		check(err)
		check(f.Close())
		url := doc.(map[string]any)["$id"].(string)
		check(c.AddResource(url, doc))
		if filepath.Base(file) == os.Args[1]+".json" {
			id = url
		}
	}
	schema, err := c.Compile(id)
	check(err)
	documents := json.NewDecoder(os.Stdin)
	documents.UseNumber()
	for n := 0; ; n++ {
		var doc any
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			fmt.Println(n, "valid")
			return
		case err != nil:
			check(err)
		}
		check(schema.Validate(doc))
	}
}

// check ends a small program with an error.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
