package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Listen calls changed with the id of every requirement that is written while it
// listens, one after the other. The first call has an empty id: from then on
// nothing is missed, so what the caller shows is to be read then. It takes a
// connection of its own. It returns nil when ctx ends, and [ErrUnreachable] when
// the connection is lost: then the caller listens, and reads, anew.
func (l *Ledger) Listen(ctx context.Context, changed func(id string)) error {
	conn, err := pgx.ConnectConfig(ctx, l.pool.Config().ConnConfig)
	if err != nil {
		return failed("listen to the ledger", err)
	}
	// The context may be what ended the listening.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{Channel}.Sanitize()); err != nil {
		return failed("listen to the ledger", err)
	}
	changed("")
	for {
		told, err := conn.WaitForNotification(ctx)
		switch {
		case err == nil:
			changed(told.Payload)
		case ctx.Err() != nil:
			return nil
		default:
			return fmt.Errorf("listen to the ledger: %w: %w", ErrUnreachable, err)
		}
	}
}
