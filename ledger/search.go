package ledger

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// Knowledge is an entry of the knowledge base (C4).
type Knowledge struct {
	// ID of the requirement that it comes from.
	ID         string    `json:"id" db:"requirement_id"`
	Title      string    `json:"title" db:"title"`
	Problem    string    `json:"problem" db:"problem"`
	RootCause  string    `json:"root_cause" db:"root_cause"`
	Solution   string    `json:"solution" db:"solution"`
	Lesson     string    `json:"lesson" db:"lesson"`
	Type       string    `json:"type" db:"type"`
	Tier       string    `json:"tier" db:"tier"`
	Customer   string    `json:"customer" db:"customer"`
	Owner      string    `json:"owner" db:"owner"`
	Department string    `json:"department" db:"department"`
	Rating     *int      `json:"rating" db:"rating"`
	ArchivedAt time.Time `json:"archived_at" db:"archived_at"`
	// Score is how much of the query the entry has, from 0 to 1; rare words count
	// more.
	Score float64 `json:"score" db:"score"`
}

// common is the number of entries from which on a word says too little to look
// entries up by it.
const common = 1_000

const (
	// Counting ends where the word is common.
	countWords = `SELECT token, (SELECT count(*) FROM (SELECT FROM knowledge WHERE tokens @> ARRAY[token] LIMIT $2) found)
FROM unnest($1::text[]) AS token`

	knowledgeColumns = `requirement_id, title, problem, root_cause, solution, lesson, type, tier, customer, owner,
department, rating, archived_at`

	// scoreOf adds up the weights of the words that an entry has.
	scoreOf = `(SELECT coalesce(sum(weight), 0) FROM unnest($2::text[], $3::float8[]) AS word (token, weight)
WHERE word.token = ANY (knowledge.tokens))::float8`
)

// Search returns the entries of the knowledge base that answer a query in
// Chinese or English best, at most limit of them. An entry need not have every
// word of the query; only a query of nothing but words that are everywhere
// demands them all.
func (l *Ledger) Search(ctx context.Context, query string, limit int) ([]Knowledge, error) {
	query = shortened(query, maxQuery)
	words, alone := Tokens(query), single(query)
	limit = bounded(limit, DefaultLimit, MaxLimit)
	if len(words) == len(alone) {
		return l.searchCharacters(ctx, alone, limit)
	}
	counts, err := l.wordCounts(ctx, words)
	if err != nil {
		return nil, failed("search the knowledge base", err)
	}
	var rare, frequent []string
	weights := make([]float64, len(words))
	total := 0.0
	for i, w := range words {
		weights[i] = math.Log1p(float64(common) / float64(max(1, counts[w])))
		total += weights[i]
		switch {
		case counts[w] >= common:
			frequent = append(frequent, w)
		case counts[w] > 0:
			rare = append(rare, w)
		}
	}
	condition, lookup := "tokens && $1", rare
	if len(rare) == 0 {
		condition, lookup = "tokens @> $1", frequent
	}
	if len(lookup) == 0 {
		return []Knowledge{}, nil
	}
	return l.knowledgeEntries(ctx, "SELECT "+knowledgeColumns+", "+scoreOf+" / $4 AS score FROM knowledge WHERE "+condition+
		" ORDER BY score DESC, archived_at DESC, requirement_id LIMIT $5", lookup, words, weights, total, limit)
}

// searchCharacters finds entries with single Chinese characters in them, of
// which there are no words to look up; without any it finds nothing.
func (l *Ledger) searchCharacters(ctx context.Context, characters []string, limit int) ([]Knowledge, error) {
	if len(characters) == 0 {
		return []Knowledge{}, nil
	}
	var c conditions
	for _, character := range characters {
		c.add("strpos(normalize(concat_ws(' ', title, problem, root_cause, solution), NFKC), ?) > 0", character)
	}
	return l.knowledgeEntries(ctx, "SELECT "+knowledgeColumns+", 1::float8 AS score FROM knowledge"+c.where()+
		" ORDER BY archived_at DESC, requirement_id LIMIT "+c.value(limit), c.values...)
}

func (l *Ledger) knowledgeEntries(ctx context.Context, query string, values ...any) ([]Knowledge, error) {
	rows, err := l.pool.Query(ctx, query, values...)
	if err != nil {
		return nil, failed("search the knowledge base", err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByName[Knowledge])
	return entries, failed("search the knowledge base", err)
}

// wordCounts returns in how many entries each word is, up to [common].
func (l *Ledger) wordCounts(ctx context.Context, words []string) (map[string]int, error) {
	counts := make(map[string]int, len(words))
	rows, err := l.pool.Query(ctx, countWords, words, common)
	if err != nil {
		return nil, err
	}
	var word string
	var count int
	_, err = pgx.ForEachRow(rows, []any{&word, &count}, func() error {
		counts[word] = count
		return nil
	})
	return counts, err
}

// shortened returns the first characters of a text.
func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
