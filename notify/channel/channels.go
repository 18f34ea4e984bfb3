package channel

import (
	"fmt"
	"log/slog"

	"closeloop/notify"
	"closeloop/policy"
)

// EnvSMTP is the environment variable with the URL of the mail server; see
// [SMTPFromURL].
const EnvSMTP = "CLOSELOOP_SMTP_URL"

// FromEnv returns the channels that are set up in the environment. The log and
// webhooks are always there; systems that webhooks go to are those of the policy.
// Without a mail server the e-mail routes of people are passed over, and the
// logger says so once.
func FromEnv(getenv func(string) string, rules policy.InForce, logger *slog.Logger) (notify.Channels, error) {
	channels := notify.Channels{}
	add := func(c notify.Channel) { channels[c.Name()] = c }

	add(Log(logger))
	hooks, err := Webhook(rules, getenv, logger)
	if err != nil {
		return nil, err
	}
	add(hooks)
	if url := getenv(EnvSMTP); url == "" {
		logger.Warn("No mail server is set up: notices for e-mail go to the next channel, or to this log",
			"set", EnvSMTP+"=smtp://user:password@host:587?from=desk@example.com")
	} else {
		config, err := SMTPFromURL(url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EnvSMTP, err)
		}
		mail, err := SMTP(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EnvSMTP, err)
		}
		add(mail)
	}
	return channels, nil
}
