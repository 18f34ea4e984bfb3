package starter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"closeloop/requirement"
)

// maxSummary is Temporal's limit for a summary, in bytes.
const maxSummary = 200

// maxQuoted bounds what the details quote of a text, in characters: the whole
// of it is in the ledger.
const maxQuoted = 500

// summary is the one line by which the Web UI shows a requirement; it reads it
// as Markdown, too.
func summary(s requirement.Submission) string {
	return clipBytes(plain(oneLine(s.Title)), maxSummary)
}

// details is what the Web UI shows of the intake, in Markdown. The words of a
// customer are quoted and cannot form links or markup.
func details(s requirement.Submission) string {
	var b strings.Builder
	line := func(label, text string) {
		if text = oneLine(text); text != "" {
			b.WriteString("- **" + label + "**: " + plain(clipRunes(text, maxQuoted)) + "\n")
		}
	}
	line("客户 Customer", s.Customer)
	line("客户等级 Tier", s.Tier)
	line("来源 Channel", s.Channel)
	line("类型 Type", s.Type)
	line("优先级 Priority", s.Priority)
	line("紧急程度 Urgency", s.Urgency)
	line("外部编号 Reference", s.Ref)
	line("记录人 Recorded by", s.SubmittedBy)
	line("使用场景 Scenario", s.Scenario)
	line("期望目标 Desired outcome", s.Outcome)
	line("当前痛点 Pain point", s.Pain)
	if text := strings.TrimSpace(s.Description); text != "" {
		b.WriteString("\n> " + plain(oneLine(clipRunes(text, maxQuoted))) + "\n")
	}
	return b.String()
}

// plain takes the meaning from characters that Markdown or HTML give one.
func plain(text string) string {
	return markdown.Replace(text)
}

var markdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`,
	"#", `\#`, "|", `\|`, "!", `\!`,
)

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// clipBytes cuts between characters, because half of one is no text.
func clipBytes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const more = "…"
	cut := most - len(more)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}

func clipRunes(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
