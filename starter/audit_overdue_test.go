package starter

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
)

func TestOverdue(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"our time is up":             {over, errors.New("cut off"), true},
		"the server was first":       {context.Background(), fmt.Errorf("get: %w", serviceerror.NewDeadlineExceeded("context deadline exceeded")), true},
		"the client library was":     {context.Background(), fmt.Errorf("get: %w", context.DeadlineExceeded), true},
		"it failed before its time":  {context.Background(), errors.New("the audit failed"), false},
		"another word of the server": {context.Background(), serviceerror.NewUnavailable("no connection"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, overdue(c.ctx, c.err))
		})
	}
}
