package worker

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"closeloop/contract"
)

// ensureSearchAttributes registers the search attributes that are missing. One
// that has another type is an error: Temporal would accept it in silence and
// fail the workflows later. Where the service lets nobody register them, as
// managed services do, they have to be there.
func ensureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	wanted := map[string]enumspb.IndexedValueType{}
	for _, key := range contract.SearchAttributeKeys {
		wanted[key.GetName()] = key.GetValueType()
	}
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes of namespace %s: %w", namespace, err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range wanted {
		got, ok := have.GetCustomAttributes()[name]
		switch {
		case !ok:
			missing[name] = kind
		case got != kind:
			return fmt.Errorf("search attribute %s is a %s in namespace %s and has to be a %s: remove it there, or use another namespace", name, got, namespace, kind)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	var there *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("register %d search attributes in namespace %s: %w", len(missing), namespace, err)
	}
	return nil
}
