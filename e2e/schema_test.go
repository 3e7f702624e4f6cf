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

// envSchemas is where the schemas of the documentation are.
const envSchemas = "E2E_SCHEMAS"

// schemaMain holds the JSON documents of stdin against a schema of docs/schema: schema NAME. It says how many there were.
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

// check ends a small program that cannot go on.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
