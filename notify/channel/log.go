package channel

import (
	"context"
	"log/slog"
	"strings"

	"closeloop/notify"
	"closeloop/policy"
)

// Log returns the channel that writes a line for each message, for trying out
// and for recipients who have no other. The text itself, which may be a
// customer's, is written at debug level only.
func Log(logger *slog.Logger) notify.Channel { return logChannel{logger} }

type logChannel struct{ logger *slog.Logger }

func (logChannel) Name() string { return policy.ChannelLog }

func (c logChannel) Send(ctx context.Context, m notify.Message) error {
	told := []any{
		"requirement", m.Requirement, "seq", m.Seq, "recipient", m.Recipient, "subject", m.Subject,
	}
	if c.logger.Enabled(ctx, slog.LevelDebug) {
		text := m.Text
		if m.Link != "" {
			// Whoever has the link may answer, and logs are read by many.
			text = strings.ReplaceAll(text, m.Link, "(link)")
		}
		told = append(told, "text", text)
	}
	c.logger.InfoContext(ctx, "Notice", told...)
	return nil
}
