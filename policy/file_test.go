package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/sla"
)

// followed is a policy file under way, and what was told of it.
type followed struct {
	*policy.File
	t      *testing.T
	path   string
	told   []*policy.Policy
	errors []error
	writes int
}

func follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{t: t, path: filepath.Join(t.TempDir(), "policy.yaml")}
	f.write("target: 2h # [E1, M2]")
	var err error
	f.File, err = policy.Follow(f.path, func(p *policy.Policy, err error) {
		f.told, f.errors = append(f.told, p), append(f.errors, err)
	})
	require.NoError(t, err)
	return f
}

// write writes the default policy with another first target.
func (f *followed) write(target string) {
	f.t.Helper()
	f.put(strings.Replace(string(policy.DefaultYAML()), "target: 2h # [E1, M2]", target, 1))
}

func (f *followed) put(text string) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(f.path, []byte(text), 0o600))
	// Two writes within one tick of the file system's clock would look the same.
	f.writes++
	at := time.Date(2026, 3, 2, 10, f.writes, 0, 0, time.UTC)
	require.NoError(f.t, os.Chtimes(f.path, at, at))
}

func (f *followed) response() sla.Duration {
	r, _ := f.Current().Clock(sla.Response)
	return r.Target
}

func TestFollow(t *testing.T) {
	t.Parallel()
	f := follow(t)
	require.Equal(t, sla.Exactly(2*time.Hour), f.response())
	require.Same(t, f.Current(), f.Current(), "nothing is read twice")
	require.Empty(t, f.told)

	f.write("target: 3h")
	require.Equal(t, sla.Exactly(3*time.Hour), f.response())
	require.Len(t, f.told, 1)
	require.NoError(t, f.errors[0])
	require.Same(t, f.Current(), f.told[0])

	f.write("target: 3 apples")
	require.Equal(t, sla.Exactly(3*time.Hour), f.response(), "the last good one stays")
	require.Equal(t, sla.Exactly(3*time.Hour), f.response())
	require.Len(t, f.told, 2, "told once")
	require.ErrorContains(t, f.errors[1], "policy.yaml:")

	require.NoError(t, os.Remove(f.path))
	require.Equal(t, sla.Exactly(3*time.Hour), f.response())
	require.Equal(t, sla.Exactly(3*time.Hour), f.response())
	require.Len(t, f.told, 3)
	require.ErrorIs(t, f.errors[2], os.ErrNotExist)

	f.write("target: 4h")
	require.Equal(t, sla.Exactly(4*time.Hour), f.response(), "it is back")
	require.Len(t, f.told, 4)
}

// TestFollowAReplacedFile: another file takes the place of the first, with the
// same size and time.
func TestFollowAReplacedFile(t *testing.T) {
	t.Parallel()
	f := follow(t)
	info, err := os.Stat(f.path)
	require.NoError(t, err)
	first := f.path
	f.path += ".new"
	f.write("target: 5h # [E1, M2]")
	require.NoError(t, os.Chtimes(f.path, info.ModTime(), info.ModTime()))
	require.NoError(t, os.Rename(f.path, first))
	require.Equal(t, sla.Exactly(5*time.Hour), f.response())
}

func TestFollowWhatIsNoPolicy(t *testing.T) {
	t.Parallel()
	_, err := policy.Follow(filepath.Join(t.TempDir(), "none.yaml"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFollowFromManySides(t *testing.T) {
	t.Parallel()
	f := follow(t)
	var busy sync.WaitGroup
	for range 8 {
		busy.Go(func() {
			for range 200 {
				if f.Current() == nil {
					t.Error("there is always a policy")
				}
			}
		})
	}
	f.write("target: 3h")
	busy.Wait()
	require.Equal(t, sla.Exactly(3*time.Hour), f.response())
}
