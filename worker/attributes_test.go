package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"closeloop/contract"
)

// namespace makes a namespace of the test's own and returns a connection to it.
func namespace(t *testing.T) (client.Client, string) {
	t.Helper()
	name := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	if testing.Short() {
		t.Skip("needs Temporal")
	}
	require.NotEmpty(t, os.Getenv("TEMPORAL_ADDRESS"), "needs Temporal: run make test, or start make dev and source .closeloop/env")
	options := envconfig.MustLoadDefaultClientOptions()
	options.Namespace = name
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.NewLazyClient(options)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx := context.Background()
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		_, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: name})
		require.NoError(collect, err)
	}, 30*time.Second, 100*time.Millisecond)
	return c, name
}

func TestSearchAttributesAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	c, name := namespace(t)
	ctx := context.Background()
	for range 2 {
		require.NoError(t, ensureSearchAttributes(ctx, c, name))
	}
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: name})
	require.NoError(t, err)
	for _, key := range contract.SearchAttributeKeys {
		require.Equal(t, key.GetValueType(), have.GetCustomAttributes()[key.GetName()], key.GetName())
	}
}

func TestSearchAttributeOfAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	c, name := namespace(t)
	ctx := context.Background()
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        name,
		SearchAttributes: map[string]enumspb.IndexedValueType{contract.AttrStage: enumspb.INDEXED_VALUE_TYPE_TEXT},
	})
	require.NoError(t, err)
	err = ensureSearchAttributes(ctx, c, name)
	require.ErrorContains(t, err, contract.AttrStage+" is a Text")
}
