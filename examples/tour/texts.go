package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed texts
var textFiles embed.FS

// Texts are all that is said in one language, by key. Both languages have the same
// keys, and each text the same {placeholders} in both.
type texts struct {
	lang string
	by   map[string]string
	// terms are those of the glossary, in the order of its file.
	terms []term
	// said is told each key that is used; nil means nobody.
	said func(key string)
}

// A term of the glossary, in both languages.
type term struct{ en, ko string }

// languages lists those that there are.
func languages() []string { return []string{"en", "ko"} }

func loadTexts(lang string) (*texts, error) {
	if !slices.Contains(languages(), lang) {
		return nil, fmt.Errorf("there is no language %q, only en and ko", lang)
	}
	file, err := textFiles.ReadFile("texts/" + lang + ".txt")
	if err != nil {
		return nil, err
	}
	by, err := parseTexts(string(file))
	if err != nil {
		return nil, fmt.Errorf("%s.txt: %w", lang, err)
	}
	file, err = textFiles.ReadFile("texts/glossary.txt")
	if err != nil {
		return nil, err
	}
	terms, err := parseGlossary(string(file))
	return &texts{lang: lang, by: by, terms: terms}, err
}

// parseTexts reads a file of texts: "@ key" on a line of its own, and the text below
// it, whose lines are joined. An empty line begins a new paragraph.
func parseTexts(file string) (map[string]string, error) {
	by := map[string]string{}
	for i, part := range strings.Split("\n"+file, "\n@ ") {
		if i == 0 {
			continue // what stands above the first key is for those who edit the file
		}
		key, text, _ := strings.Cut(part, "\n")
		var paragraphs []string
		for p := range strings.SplitSeq(text, "\n\n") {
			if p = strings.Join(strings.Fields(p), " "); p != "" {
				paragraphs = append(paragraphs, p)
			}
		}
		if _, twice := by[key]; twice || len(paragraphs) == 0 {
			return nil, fmt.Errorf("%q is empty or there twice", key)
		}
		by[key] = strings.Join(paragraphs, "\n\n")
	}
	return by, nil
}

// parseGlossary reads a file of terms: "english = korean" on each line.
func parseGlossary(file string) ([]term, error) {
	var all []term
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		en, ko, ok := strings.Cut(line, " = ")
		if !ok || slices.ContainsFunc(all, func(t term) bool { return t.en == en }) {
			return nil, fmt.Errorf("glossary: %q is no term or there twice", line)
		}
		all = append(all, term{en, ko})
	}
	return all, nil
}

// text returns a text. One that is missing shows itself.
func (t *texts) text(key string) string {
	if t.said != nil {
		t.said(key)
	}
	if s, ok := t.by[key]; ok {
		return s
	}
	return "{" + key + "}"
}

// term returns a term of the glossary, by its English.
func (t *texts) term(en string) (term, bool) {
	i := slices.IndexFunc(t.terms, func(x term) bool { return x.en == en })
	if i < 0 {
		return term{}, false
	}
	return t.terms[i], true
}
