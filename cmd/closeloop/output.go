package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// The output formats. The last two are for lists only.
const (
	formatTable  = "table"
	formatJSON   = "json"
	formatYAML   = "yaml"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

var (
	formats     = []string{formatTable, formatJSON, formatYAML}
	listFormats = append(formats[:len(formats):len(formats)], formatNDJSON, formatCSV)
	lineFormats = []string{formatNDJSON, formatJSON}
)

// Marks of commands that print something else than one value.
const (
	listing   = "listing"    // lists
	jsonLines = "json lines" // JSON lines and nothing else
)

func formatsOf(cmd *cobra.Command) []string {
	switch {
	case cmd.Annotations[listing] != "":
		return listFormats
	case cmd.Annotations[jsonLines] != "":
		return lineFormats
	default:
		return formats
	}
}

// print prints one value: for people by the function, otherwise through its
// JSON names.
func (a *app) print(value any, people func(*screen)) error {
	switch a.output {
	case formatJSON:
		return a.printJSON(value, "  ")
	case formatYAML:
		return a.printYAML(value)
	default:
		people(a.screen(a.out))
		return nil
	}
}

// printList prints values one by one. columns are the JSON names that CSV has,
// in their order.
func printList[T any](a *app, values []T, columns []string, people func(*screen)) error {
	if values == nil {
		values = []T{}
	}
	switch a.output {
	case formatNDJSON:
		for _, v := range values {
			if err := a.printJSON(v, ""); err != nil {
				return err
			}
		}
		return nil
	case formatCSV:
		return printCSV(a, values, columns)
	default:
		return a.print(values, people)
	}
}

func (a *app) printJSON(value any, indent string) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(value)
}

func (a *app) printYAML(value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		return fmt.Errorf("the answer cannot be written as YAML: %w", err)
	}
	_, err = a.out.Write(out)
	return err
}

func printCSV[T any](a *app, values []T, columns []string) error {
	w := csv.NewWriter(a.out)
	if err := w.Write(columns); err != nil {
		return err
	}
	for _, v := range values {
		encoded, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(encoded, &fields); err != nil {
			return err
		}
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = cell(fields[c])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cell returns a JSON value as the text of a CSV field. What a spreadsheet would
// take for a formula is made text.
func cell(value json.RawMessage) string {
	if len(value) == 0 || string(value) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
