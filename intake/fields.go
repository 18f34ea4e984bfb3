package intake

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
)

// field is a field of the intake record.
type field struct {
	name string
	// known are the heads that name it without a mapping, besides its own name;
	// they are those of 《客户需求原始记录表》 and what people write instead.
	known []string
	set   func(*requirement.Submission, string)
}

// idField names requirements that are there already: their rows are passed over.
const idField = "requirement_id"

var fields = []field{
	{"title", []string{"标题", "需求标题", "需求名称", "主题", "summary", "subject"}, func(s *requirement.Submission, v string) { s.Title = v }},
	{"customer", []string{"客户", "客户名称", "客户姓名", "公司", "客户公司", "公司名称", "company"}, func(s *requirement.Submission, v string) { s.Customer = v }},
	{"contact", []string{"联系方式", "邮箱", "电子邮箱", "电子邮件", "客户邮箱", "email", "e-mail"}, func(s *requirement.Submission, v string) { s.Contact = v }},
	{"background", []string{"客户背景", "背景", "customer background"}, func(s *requirement.Submission, v string) { s.Background = v }},
	{"description", []string{"描述", "内容", "需求内容", "需求描述", "原始需求", "问题描述", "content"}, func(s *requirement.Submission, v string) { s.Description = v }},
	{"scenario", []string{"使用场景", "需求场景", "场景", "usage scenario"}, func(s *requirement.Submission, v string) { s.Scenario = v }},
	{"outcome", []string{"期望目标", "期望", "期望结果", "目标", "desired outcome"}, func(s *requirement.Submission, v string) { s.Outcome = v }},
	{"pain", []string{"痛点", "当前痛点", "pain point"}, func(s *requirement.Submission, v string) { s.Pain = v }},
	{"channel", []string{"来源", "来源渠道", "渠道", "需求来源", "source", "source channel"}, func(s *requirement.Submission, v string) { s.Channel = v }},
	{"type", []string{"类型", "需求类型", "类别", "分类"}, func(s *requirement.Submission, v string) { s.Type = v }},
	{"priority", []string{"优先级"}, func(s *requirement.Submission, v string) { s.Priority = v }},
	{"urgency", []string{"紧急程度", "紧急度", "紧急性"}, func(s *requirement.Submission, v string) { s.Urgency = v }},
	{"tier", []string{"客户等级", "客户级别", "等级", "customer tier"}, func(s *requirement.Submission, v string) { s.Tier = v }},
	{"ref", []string{"外部编号", "编号", "来源编号", "工单号", "reference", "external reference"}, func(s *requirement.Submission, v string) { s.Ref = v }},
	{"attachments", []string{"附件", "附件链接", "attachment"}, func(s *requirement.Submission, v string) { s.Attachments = links(v) }},
	{"language", []string{"语言"}, func(s *requirement.Submission, v string) { s.Language = v }},
	{"submitted_by", []string{"记录人", "登记人", "recorded_by", "recorded by"}, func(s *requirement.Submission, v string) { s.SubmittedBy = v }},
	{"on_hold", []string{"等待客户"}, func(s *requirement.Submission, v string) { s.OnHold = v }},
	{idField, []string{"需求编号"}, func(*requirement.Submission, string) {}},
}

// fieldNames are the names of all fields, for errors and for mappings.
func fieldNames() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// fieldCalled finds the field that a head names.
func fieldCalled(head string) (field, bool) {
	head = plainHead(head)
	for _, f := range fields {
		if head == f.name || head == strings.ReplaceAll(f.name, "_", " ") || slices.Contains(f.known, head) {
			return f, true
		}
	}
	return field{}, false
}

// plainHead takes from a head what people decorate it with.
func plainHead(head string) string {
	head = strings.ToLower(norm.NFKC.String(head))
	head = strings.NewReplacer("(必填)", "", "(选填)", "", "[必填]", "", "*", "", "《", "", "》", "").Replace(head)
	return strings.Trim(head, " \t:：")
}

// links are the links of a cell.
func links(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(" \t\r\n;；|，,", r) })
}

// translate turns a value that people write into the domain's word for it, such
// as 高 into high. What is not known stays, and is refused with the words there
// are.
func translate(s *requirement.Submission, rules policy.Process) {
	for _, v := range []struct {
		kind  string
		value *string
		words []string
	}{
		{"priority", &s.Priority, requirement.Priorities},
		{"urgency", &s.Urgency, requirement.Urgencies},
		{"tier", &s.Tier, requirement.Tiers},
		{"type", &s.Type, rules.Types},
		{"channel", &s.Channel, rules.Channels},
	} {
		*v.value = word(v.kind, *v.value, v.words)
	}
}

// said are words that people use for a value besides its name.
var said = map[string]string{
	"邮件": "email", "邮箱": "email", "电邮": "email", "来电": "phone", "热线": "phone", "走访": "visit", "上门": "visit",
	"电子邮件": "email", "问卷": "survey", "问卷调查": "survey", "服务记录回顾": "service_review", "客户服务": "customer_service", "紧急重要": "urgent", "普通": "general",
}

func word(kind, value string, words []string) string {
	plain := strings.ToLower(norm.NFKC.String(strings.TrimSpace(value)))
	if meant, ok := said[plain]; ok && slices.Contains(words, meant) {
		return meant
	}
	for _, w := range words {
		if plain == strings.ToLower(w) {
			return w
		}
		for _, lang := range locale.Languages {
			name := strings.ToLower(norm.NFKC.String(locale.For(lang).Name(kind, w)))
			// 功能 is 功能需求, 高优先级 is 高, 电话渠道 is 电话.
			if plain == name || plain+"需求" == name || plain == name+"需求" || plain == name+"优先级" || plain == name+"渠道" {
				return w
			}
		}
	}
	return value
}
