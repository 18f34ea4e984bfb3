package gateway

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/requirement"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

// document is what the tests read of the description.
type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
				Example any `json:"example"`
			} `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]any `json:"content"`
		} `json:"responses"`
		Security []map[string][]string `json:"security"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Description string   `json:"description"`
				Enum        []string `json:"enum"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"schemas"`
		SecuritySchemes map[string]any `json:"securitySchemes"`
	} `json:"components"`
}

// described returns what a gateway without services says at a path.
func described(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	New(Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w
}

// TestDescriptionIsCurrent compares the description that is served with the one
// that is checked in.
func TestDescriptionIsCurrent(t *testing.T) {
	t.Parallel()
	served := described(t, "/openapi.yaml")
	require.Equal(t, "application/openapi+yaml", served.Header().Get("Content-Type"))
	file := filepath.Join("..", "docs", "openapi.yaml")
	if *update {
		require.NoError(t, os.WriteFile(file, served.Body.Bytes(), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(kept), served.Body.String(), "go test ./gateway -run TestDescriptionIsCurrent -update")
}

func TestDescription(t *testing.T) {
	t.Parallel()
	var d document
	served := described(t, "/openapi.json")
	require.Equal(t, "application/openapi+json", served.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(served.Body.Bytes(), &d))
	require.True(t, strings.HasPrefix(d.OpenAPI, "3.1"))
	require.Contains(t, d.Components.SecuritySchemes, "bearer")
	require.NotContains(t, served.Body.String(), "$schema")
	require.Equal(t, codes, d.Components.Schemas["Problem"].Properties["code"].Enum, "every code is listed")

	for _, rule := range requirement.Table {
		op, ok := d.Paths["/v1/requirements/{id}/"+string(rule.Act)]["post"]
		require.True(t, ok, rule.Act)
		body := op.RequestBody.Content["application/json"]
		require.NotNil(t, body.Example, "%s has an example", rule.Act)
		schema := d.Components.Schemas[strings.TrimPrefix(body.Schema.Ref, "#/components/schemas/")]
		for _, field := range signed {
			require.NotContains(t, schema.Properties, field, rule.Act)
		}
		for name, field := range schema.Properties {
			require.NotEmpty(t, field.Description, "%s: %s", rule.Act, name)
		}
	}
	submission := d.Components.Schemas["Submission"]
	require.ElementsMatch(t, []string{"title", "customer"}, submission.Required)
	require.NotContains(t, submission.Properties, "submitted_by")
	require.NotContains(t, submission.Properties, "via")

	for path, methods := range d.Paths {
		for method, op := range methods {
			require.NotEmpty(t, op.Security, "%s %s", method, path)
			for status, r := range op.Responses {
				if status >= "400" {
					require.Contains(t, r.Content, "application/problem+json", "%s %s %s", method, path, status)
				}
			}
		}
	}
	var asYAML map[string]any
	require.NoError(t, yaml.Unmarshal(described(t, "/openapi.yaml").Body.Bytes(), &asYAML))
}

// TestProblemsHaveWords: each code in each language, and each refusal of the
// process has a status.
func TestProblemsHaveWords(t *testing.T) {
	t.Parallel()
	for _, code := range codes {
		require.GreaterOrEqual(t, traits[code].status, 400, code)
		require.NotEmpty(t, http.StatusText(traits[code].status), code)
		for _, lang := range locale.Languages {
			p := newProblem(code).in(lang)
			require.NotContains(t, p.Title+p.Detail, "problem.", "%s in %s", code, lang)
			require.NotContains(t, p.Title+p.Detail, "no value", "%s in %s", code, lang)
		}
	}
	for _, code := range []requirement.Code{
		requirement.CodeInvalid, requirement.CodeStage, requirement.CodeRole, requirement.CodeUnknown, requirement.CodeSelf,
		requirement.CodeDecided, requirement.CodeActID, requirement.CodeNotOnHold, requirement.CodeOnHold,
		requirement.CodeAppealed, requirement.CodeMergeCycle, requirement.CodeOver, requirement.CodeNotReady,
	} {
		require.True(t, slices.Contains(codes, string(code)), code)
	}
}
