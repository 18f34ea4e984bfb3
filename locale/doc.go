// Package locale is what people read outside the code in their own language:
// zh-CN and English, as equals (row N2). Texts are in TOML catalogues beside
// the code, one pair of files for each subject, such as names.zh-CN.toml and
// names.en.toml; all files of a language make one catalogue.
//
// Keys are flat and quoted ("stage.executing"), because go-i18n gives words
// like other and one a meaning of their own in nested tables. Adding a text is a
// line in each language's file; a test compares them.
//
// Error codes, JSON fields and log lines are not translated. The package
// imports the standard library, sla and the catalogue libraries; it must not
// import the domain or anything above it.
package locale
