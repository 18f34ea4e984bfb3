package locale

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.toml
var catalogues embed.FS

// bundle holds all catalogues. It is never changed once it is made, so that
// localizers may be used from anywhere.
var bundle, keys = load(catalogues)

// load reads the catalogues. They are part of the program: one that cannot be
// read is a mistake in the program.
func load(files fs.FS) (*i18n.Bundle, map[string]map[string]bool) {
	b := i18n.NewBundle(language.MustParse(English))
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	keys := map[string]map[string]bool{}
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		panic(fmt.Sprintf("closeloop: catalogues: %v", err))
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(fmt.Sprintf("closeloop: catalogue %s: %v", name, err))
		}
		file, err := b.ParseMessageFileBytes(text, name)
		if err != nil {
			panic(fmt.Sprintf("closeloop: catalogue %s: %v", name, err))
		}
		tag := file.Tag.String()
		if keys[tag] == nil {
			keys[tag] = map[string]bool{}
		}
		for _, m := range file.Messages {
			if keys[tag][m.ID] {
				panic(fmt.Sprintf("closeloop: catalogue %s: %s is in another file already", name, m.ID))
			}
			keys[tag][m.ID] = true
		}
	}
	return b, keys
}

// A Localizer gives the texts of one language. It is safe for concurrent use.
type Localizer struct {
	language string
	texts    *i18n.Localizer
}

// localizers are made once: a localizer has no state of its own.
var localizers = map[string]*Localizer{
	Chinese: {language: Chinese, texts: i18n.NewLocalizer(bundle, Chinese)},
	English: {language: English, texts: i18n.NewLocalizer(bundle, English)},
}

// For returns the localizer of the language that lang asks for, as [Match]
// reads it.
func For(lang string) *Localizer { return localizers[Match(lang)] }

// Language returns the language: zh-CN or en.
func (l *Localizer) Language() string { return l.language }

// Text returns the text of that key with the params put in. A key that the
// language does not have is looked up in English; one that nobody has is
// returned as it is. A param Count chooses between singular and plural where a
// text has both.
func (l *Localizer) Text(key string, params map[string]any) string {
	text, err := l.texts.Localize(&i18n.LocalizeConfig{
		MessageID: key, TemplateData: params, PluralCount: params["Count"],
	})
	if text == "" && err != nil {
		return key
	}
	return text
}

// Has reports whether the language itself has a text of that key.
func (l *Localizer) Has(key string) bool { return keys[l.language][key] }

// Name returns the name of a value of the domain, such as stage, executing:
// 执行中. The kinds are those of names.en.toml. A value without a name, for
// instance a type that only this company has, is returned as it is.
func (l *Localizer) Name(kind, value string) string {
	key := kind + "." + value
	if !l.Has(key) {
		return value
	}
	return l.Text(key, nil)
}
