package ledger

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// maxCursor bounds what is decoded.
const maxCursor = 1_000

// cursorOf returns the place in a list as a text that is safe in a URL.
func cursorOf(place any) (string, error) {
	text, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("make a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// readCursor reads what [cursorOf] returned; the error is [ErrCursor].
func readCursor(cursor string, place any) error {
	if len(cursor) > maxCursor {
		return ErrCursor
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return ErrCursor
	}
	if err := json.Unmarshal(text, place); err != nil {
		return ErrCursor
	}
	return nil
}
