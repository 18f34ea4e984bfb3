package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Errors to be recognised with [errors.Is].
var (
	// ErrUnreachable: the database does not answer. Trying again later may help.
	ErrUnreachable = errors.New("the ledger's database cannot be reached")
	// ErrNotFound: there is no such requirement, or whatever else was asked for.
	ErrNotFound = errors.New("not in the ledger")
	// ErrSchema: the database has not been brought to this release's schema.
	ErrSchema = errors.New("the ledger's schema is not up to date: run closeloop migrate")
	// ErrGap: earlier events are missing. It must not happen; should it, the
	// earlier transition has to be written first.
	ErrGap = errors.New("events are missing before these")
	// ErrConflict: the ledger has another event under the same number and of the
	// same instant. It must not happen: two writers were at work on one
	// requirement.
	ErrConflict = errors.New("the ledger tells another story")
	// ErrCursor: the cursor was not made by the ledger.
	ErrCursor = errors.New("the cursor is not one that a list gave out")
)

// failed says what could not be done and marks the reasons that callers tell
// apart; nil stays nil.
func failed(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	case unreachable(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrUnreachable, err)
	case undefinedTable(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrSchema, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

func undefinedTable(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.Code == "42P01" || answer.Code == "42703")
}

// unreachable reports whether the database did not answer, or said that it
// cannot now.
func unreachable(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		// Class 08 are connection exceptions; the others say that the server is
		// shutting down, starting, or out of connections.
		return strings.HasPrefix(answer.Code, "08") ||
			slices.Contains([]string{"57P01", "57P02", "57P03", "53300"}, answer.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var dial *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &dial) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
