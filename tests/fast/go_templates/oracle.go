// Renders the templates of cases.json with Go's own text/template and writes the file anew.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"text/template"
)

type pair struct {
	key   string
	value any
}

type testCase struct {
	Template string  `json:"template"`
	Renders  *string `json:"renders,omitempty"`
	Fails    string  `json:"fails,omitempty"`
}

type document struct {
	Data  json.RawMessage `json:"data"`
	Cases []testCase      `json:"cases"`
}

// numbers turns whole numbers into integers, as answers to integer questions are.
func numbers(value any) any {
	switch typed := value.(type) {
	case json.Number:
		if whole, err := typed.Int64(); err == nil {
			return whole
		}
		float, _ := typed.Float64()
		return float
	case map[string]any:
		for key := range typed {
			typed[key] = numbers(typed[key])
		}
	case []any:
		for index := range typed {
			typed[index] = numbers(typed[index])
		}
	}
	return value
}

func data(raw json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	return numbers(value)
}

var functions = template.FuncMap{
	"fail":   func(text string, values ...any) (any, error) { return nil, errors.New(text) },
	"pair":   func(key string, value any) pair { return pair{key, value} },
	"regexp": regexp.Compile,
	"url":    url.Parse,
	"map": func(pairs ...pair) map[string]any {
		result := map[string]any{}
		for _, each := range pairs {
			result[each.key] = each.value
		}
		return result
	},
}

func render(text string, values any) testCase {
	parsed, err := template.New("root").Funcs(functions).Option("missingkey=error").Parse(text)
	if err != nil {
		return testCase{Template: text, Fails: err.Error()}
	}
	var output bytes.Buffer
	if err := parsed.Execute(&output, values); err != nil {
		return testCase{Template: text, Fails: err.Error()}
	}
	rendered := output.String()
	return testCase{Template: text, Renders: &rendered}
}

func main() {
	var input document
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		panic(err)
	}
	fmt.Printf("{\n\"data\": %s,\n\"cases\": [", input.Data)
	for number, each := range input.Cases {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(render(each.Template, data(input.Data))); err != nil {
			panic(err)
		}
		separator := ",\n"
		if number == 0 {
			separator = "\n"
		}
		fmt.Print(separator, string(bytes.TrimSpace(line.Bytes())))
	}
	fmt.Println("\n]\n}")
}
