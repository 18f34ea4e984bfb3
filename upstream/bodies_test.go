package upstream

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// folders of real bodies, by the kind of system that they are of.
var folders = map[string]policy.UpstreamKind{
	"github": policy.GitHub, "jira-cloud": policy.Jira, "zendesk": policy.Zendesk,
	"freshdesk": policy.Freshdesk, "servicenow": policy.ServiceNow,
}

// realBodies are the webhooks and answers that are there to try with.
func realBodies(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "data", "webhooks", "*", "*.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("there are no bodies in ../shared/data/webhooks")
	}
	return files
}

// TestRealBodies compares what is read in each of them with what was once looked
// at and found right.
func TestRealBodies(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, file := range realBodies(t) {
		folder, name := filepath.Base(filepath.Dir(file)), filepath.Base(file)
		u := policy.Upstream{Name: folder, Kind: folders[folder]}
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		d, err := Read(u, "", body)
		require.NoError(t, err, file)
		fmt.Fprintf(&b, "%s/%s: %s\n", folder, name, d.Event)
		for _, i := range d.Items {
			s := Submission(u, i, policy.Default().Process)
			require.NoError(t, s.Fill(policy.Default().Defaults).Valid(policy.Default().Process), file)
			fmt.Fprintf(&b, "  %s  %s  at %s", s.Ref, or(string(i.State), "-"), i.At.Format("2006-01-02T15:04:05.000Z07:00"))
			if !i.Whole {
				b.WriteString("  no snapshot")
			}
			if i.Passing {
				b.WriteString("  in passing")
			}
			if i.By != Somebody {
				fmt.Fprintf(&b, "  by %s", i.By)
			}
			if i.Moved != "" {
				fmt.Fprintf(&b, "  to %s", i.Moved)
			}
			b.WriteByte('\n')
			if i.Whole {
				fmt.Fprintf(&b, "    %q of %q <%s> %s/%s/%s %q %v\n", s.Title, s.Customer, s.Contact, or(s.Priority, "-"), or(s.Urgency, "-"), or(s.Type, "-"), cut(s.Description, 60), s.Attachments)
			}
			for _, c := range i.Comments {
				by := c.By
				if by == Somebody {
					by = sameSide(c.Author, i.Customer)
				}
				fmt.Fprintf(&b, "    comment %s by %s (%s): %q\n", c.ID, or(string(by), "somebody"), c.Name, cut(c.Text, 60))
			}
		}
	}
	const golden = "testdata/bodies.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}
