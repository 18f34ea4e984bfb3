package worker

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
)

func TestPatiently(t *testing.T) {
	t.Parallel()
	calls := 0
	err := patiently(context.Background(), func(context.Context) error {
		if calls++; calls < 3 {
			return serviceerror.NewUnavailable("starting")
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, calls)

	wrong := errors.New("not allowed")
	calls = 0
	err = patiently(context.Background(), func(context.Context) error { calls++; return wrong })
	require.ErrorIs(t, err, wrong)
	require.Equal(t, 1, calls, "what will not change is not tried again")

	ctx, cancel := context.WithCancel(context.Background())
	err = patiently(ctx, func(context.Context) error { cancel(); return serviceerror.NewUnavailable("starting") })
	require.Error(t, err, "it ends when it is told to")
}
