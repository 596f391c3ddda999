package svs_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/svs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), text, "go test ./svs -update rewrites %s", path)
}

func findings(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

var day = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestPrinciples(t *testing.T) {
	require.Len(t, svs.Principles(), 7)
	seen := map[string]bool{}
	for _, p := range svs.Principles() {
		require.NotEqual(t, string(p), p.Title())
		require.False(t, seen[p.Title()])
		seen[p.Title()] = true
		require.Len(t, p.Questions(), 3)
		for _, q := range p.Questions() {
			require.True(t, strings.HasSuffix(q, "?"), q)
			require.False(t, seen[q])
			seen[q] = true
		}
	}
	require.Equal(t, "x", svs.Principle("x").Title())
	require.Nil(t, svs.Principle("x").Questions())
}

func decision() svs.Decision {
	return svs.Decision{
		ID: "d1", Title: "Who closes incidents", About: itsm.Ref{Kind: "change", ID: "chg-1"}, Issue: "half of them stay resolved",
		Options: []svs.Option{{Name: "the desk", Against: []string{"it has no time"}}, {Name: "a timer", For: []string{"nobody has to think of it"}}}, Chosen: "a timer",
		Reason: "nobody objected in 97 of 100", By: "ann", At: day, Review: day.AddDate(0, 3, 0),
		Principles: []svs.Applied{{Principle: svs.KeepItSimple, Why: "one rule"}, {Principle: svs.OptimizeAndAutomate, Why: "it was simple first"}},
		SetAside:   []svs.Applied{{Principle: svs.Collaborate, Why: "callers are told, not asked"}},
	}
}

func TestDecisions(t *testing.T) {
	d := decision()
	require.NoError(t, d.Validate())
	data, err := json.Marshal(d)
	require.NoError(t, err)
	back, err := itsm.ParseJSON[svs.Decision](data)
	require.NoError(t, err)
	require.Equal(t, d, back)

	d = svs.Decision{Chosen: "c", Review: day, Options: []svs.Option{{Name: "a", For: []string{""}}, {Name: "a"}, {}},
		Principles: []svs.Applied{{Principle: "luck"}, {Principle: svs.KeepItSimple}}, SetAside: []svs.Applied{{Principle: svs.KeepItSimple}}}
	err = d.Validate()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{
		"id must not be empty", "title must not be empty", "at must be set", "options[0].for[0] must not be empty", "options[1].name is there twice",
		"options[2].name must not be empty", "chosen must be one of the options", `principles[0].principle is none of the seven: "luck"`, "set_aside[0].principle is there twice",
	}, findings(err))
	d = decision()
	d.Review = day
	d.Options = append(d.Options, make([]svs.Option, 99)...)
	d.Options[0].Against = make([]string, 101)
	require.Contains(t, findings(d.Validate()), "review must be after the decision")
	require.Contains(t, findings(d.Validate()), "options must be at most 100")
	require.Contains(t, findings(d.Validate()), "options[0].against must be at most 100")
	d.Principles = []svs.Applied{{Principle: svs.Principle(strings.Repeat("x", 100))}}
	require.Contains(t, findings(d.Validate()), `principles[0].principle is none of the seven: "`+strings.Repeat("x", 60)+`…"`)
}

func TestUnexplained(t *testing.T) {
	good, bare, halves, old := decision(), decision(), decision(), decision()
	bare.ID, bare.Reason, bare.Principles, bare.Options = "d2", "", nil, nil
	halves.ID = "d3"
	halves.Principles[0].Why, halves.SetAside[0].Why = "", ""
	old.ID = "d4"
	done := old
	done.ID, done.Reviewed = "d5", day.AddDate(0, 1, 0)
	all := []svs.Decision{good, bare, halves, old, done}
	all[0].Review = time.Time{}
	require.Equal(t, []svs.Unreasoned{
		{ID: "d2", Title: "Who closes incidents", Lacks: []string{"gives no reason", "names no principle that it follows", "weighs no options"}},
		{ID: "d3", Title: "Who closes incidents", Lacks: []string{`does not say how it follows "Keep it simple and practical"`, `does not say why it sets "Collaborate and promote visibility" aside`}},
	}, svs.Unexplained(all, day.AddDate(0, 2, 0)))
	late := svs.Unexplained(all[3:], day.AddDate(0, 4, 0))
	require.Equal(t, []svs.Unreasoned{{ID: "d4", Title: "Who closes incidents", Lacks: []string{"was to be looked at again by 2026-06-02"}}}, late)

	uses := svs.PrinciplesUsed(all)
	require.Len(t, uses, 7)
	require.Equal(t, svs.PrincipleUse{Principle: svs.KeepItSimple, Followed: 4}, uses[5])
	require.Equal(t, svs.PrincipleUse{Principle: svs.Collaborate, SetAside: 5}, uses[3])
	require.Equal(t, svs.PrincipleUse{Principle: svs.FocusOnValue}, uses[0])
}

// Decisions and assessments stand with any record, in its own data.
func TestWithARecord(t *testing.T) {
	var m itsm.Meta
	keep := func(f itsm.Fields, err error) {
		require.NoError(t, err)
		if m.Fields == nil {
			m.Fields = itsm.Fields{}
		}
		for name, value := range f {
			m.Fields[name] = value
		}
	}
	first, second := decision(), decision()
	second.ID, second.At = "d0", day.Add(-time.Hour)
	keep(svs.WithDecision(m, first))
	keep(svs.WithDecision(m, second))
	first.Reason = "better"
	keep(svs.WithDecision(m, first))
	all, err := svs.DecisionsOf(m)
	require.NoError(t, err)
	require.Equal(t, []svs.Decision{second, first}, all)
	_, err = svs.WithDecision(m, svs.Decision{})
	require.ErrorIs(t, err, itsm.ErrInvalid)

	a, b := assessment(), assessment()
	b.ID, b.At = "a0", day.Add(-time.Hour)
	keep(svs.WithAssessment(m, a))
	keep(svs.WithAssessment(m, b))
	keep(svs.WithAssessment(m, a))
	assessments, err := svs.AssessmentsOf(m)
	require.NoError(t, err)
	require.Equal(t, []svs.Assessment{b, a}, assessments)
	_, err = svs.WithAssessment(m, svs.Assessment{})
	require.ErrorIs(t, err, itsm.ErrInvalid)

	m.Fields = itsm.Fields{svs.DecisionsField: json.RawMessage(`1`), svs.AssessmentsField: json.RawMessage(`{}`)}
	_, err = svs.WithDecision(m, first)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = svs.WithAssessment(m, a)
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

func assessment() svs.Assessment {
	return svs.Assessment{
		ID: "a1", Checklist: "four dimensions", Version: 1, By: "ann", At: day,
		Answers: []svs.Answer{
			{Question: "roles", Score: 4, Evidence: []string{"role descriptions"}}, {Question: "skills", Score: 2, Finding: "one person knows it"}, {Question: "structure", Score: 5},
			{Question: "culture", NotApplicable: true, Finding: "nobody but a machine"}, {Question: "technology", Score: 3}, {Question: "exit", Finding: "not looked at yet"},
		},
		Outside: []svs.Influence{{Factor: svs.Legal, Note: "data stay in the country", On: []svs.Dimension{svs.PartnersSuppliers, svs.InformationTechnology}}, {Factor: svs.Social, Note: "none"}},
	}
}

func TestAssessments(t *testing.T) {
	c := svs.DefaultChecklist()
	require.NoError(t, c.Validate())
	for _, d := range svs.Dimensions() {
		require.NotEqual(t, string(d), d.Title())
		require.GreaterOrEqual(t, len(slices.DeleteFunc(slices.Clone(c.Questions), func(q svs.Question) bool { return q.Dimension != d })), 4)
	}
	require.Equal(t, "x", svs.Dimension("x").Title())
	a := assessment()
	require.NoError(t, a.Validate())
	j := a.Judge(c, 4)
	require.Equal(t, []svs.DimensionScore{
		{Dimension: svs.OrganizationsPeople, Answered: 4, Asked: 4, Judged: 3, Mean: 11.0 / 3}, {Dimension: svs.InformationTechnology, Answered: 1, Asked: 4, Judged: 1, Mean: 3, Outside: 1},
		{Dimension: svs.PartnersSuppliers, Asked: 4, Outside: 1}, {Dimension: svs.ValueStreamsProcesses, Asked: 4},
	}, j.Dimensions)
	var gaps []string
	for _, g := range j.Gaps {
		gaps = append(gaps, fmt.Sprint(g.Question, " ", g.Score))
	}
	require.Equal(t, []string{"skills 2", "information 0", "technology 3", "automation 0", "compliance 0", "dependence 0", "contracts 0", "integration 0", "exit 0", "streams 0", "performers 0", "waste 0", "measures 0"}, gaps)
	require.Equal(t, []svs.Factor{svs.Political, svs.Economic, svs.Technological, svs.Environmental}, j.Unseen)
	require.False(t, j.Complete())

	// Whole: every question, every factor, whatever the scores.
	a.Answers, a.Outside = nil, nil
	for i, q := range c.Questions {
		a.Answers = append(a.Answers, svs.Answer{Question: q.Key, Score: 1 + i%5})
	}
	for _, f := range svs.Factors() {
		a.Outside = append(a.Outside, svs.Influence{Factor: f, Note: "none"})
	}
	require.True(t, a.Judge(c, 0).Complete())
	require.Empty(t, a.Judge(c, 0).Gaps)
	a.Answers = append(a.Answers, svs.Answer{Question: "weather"})
	require.Equal(t, []string{"weather"}, a.Judge(c, 1).Unknown)

	a = svs.Assessment{
		Answers: []svs.Answer{{Score: 6}, {Question: "a", Score: -1, Evidence: []string{""}}, {Question: "a", NotApplicable: true, Score: 1}},
		Outside: []svs.Influence{{Factor: "moon", On: []svs.Dimension{"depth"}}},
	}
	require.Equal(t, []string{
		"id must not be empty", "at must be set", "answers[0].question must not be empty", "answers[0].score must be 1 to 5, or 0 where it was not judged",
		"answers[1].score must be 1 to 5, or 0 where it was not judged", "answers[1].evidence[0] must not be empty",
		"answers[2].question is there twice", "answers[2].score must not be judged where it does not apply", "answers[2].finding must say why it does not apply",
		`outside[0].factor is none of the six: "moon"`, "outside[0].note must not be empty", `outside[0].on[0] is none of the four: "depth"`,
	}, findings(a.Validate()))
	c = svs.Checklist{Version: -1, Questions: []svs.Question{{}, {Key: "a", Dimension: svs.PartnersSuppliers, Text: "?"}, {Key: "a", Dimension: "x", Text: "?"}}}
	require.Equal(t, []string{
		"name must not be empty", "version must not be negative", "questions[0].key must not be empty", `questions[0].dimension is none of the four: ""`, "questions[0].text must not be empty",
		"questions[2].key is there twice", `questions[2].dimension is none of the four: "x"`,
	}, findings(c.Validate()))
}

// The chart is XML, says what it shows, and is the same for the same values.
func TestRadar(t *testing.T) {
	r := assessment().Judge(svs.DefaultChecklist(), 4).Radar("Self-service")
	golden(t, "radar.svg", r.SVG())
	// The value polygon by its definition: from the top clockwise, by value.
	polygons := regexp.MustCompile(`points="([^"]*)"`).FindAllStringSubmatch(r.SVG(), -1)
	require.Len(t, polygons, 5+2)
	value := polygons[6][1]
	for i, point := range strings.Fields(value) {
		x, y, _ := strings.Cut(point, ",")
		px, err := strconv.ParseFloat(x, 64)
		require.NoError(t, err)
		py, err := strconv.ParseFloat(y, 64)
		require.NoError(t, err)
		length := math.Hypot(px-400, py-250)
		require.InDelta(t, 160*r.Axes[i].Value/5, length, 0.02)
		if length > 1 {
			require.InDelta(t, float64(i)*90, math.Mod(360+math.Atan2(px-400, 250-py)*180/math.Pi, 360), 0.1)
		}
	}
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := svs.Radar{Title: randomText(rnd), Most: []float64{0, 5, 10, math.NaN(), math.Inf(1)}[rnd.IntN(5)]}
		for range rnd.IntN(8) {
			values := []float64{0, 1, 2.5, 5, 7, -1, math.NaN(), math.Inf(1)}
			r.Axes = append(r.Axes, svs.Axis{Name: randomText(rnd), Value: values[rnd.IntN(len(values))], Target: values[rnd.IntN(len(values))]})
		}
		picture := r.SVG()
		require.Equal(t, picture, r.SVG())
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if el, ok := token.(xml.StartElement); ok {
				require.Contains(t, []string{"svg", "title", "desc", "text", "polygon", "line"}, el.Name.Local)
				for _, a := range el.Attr {
					require.NotContains(t, a.Value, "NaN")
					require.NotContains(t, a.Value, "Inf")
				}
			}
		}
	}
}

func randomText(rnd *rand.Rand) string {
	alphabet := []string{"a", "<script>", "&", "\"", "'", "é", "\xff", "\x00", "]]>", " "}
	var b bytes.Buffer
	for range rnd.IntN(5) {
		b.WriteString(alphabet[rnd.IntN(len(alphabet))])
	}
	return b.String()
}

func TestThe34Practices(t *testing.T) {
	groups := map[svs.Group]int{}
	names := map[string]bool{}
	for _, p := range svs.ManagementPractices() {
		groups[p.Group]++
		require.False(t, names[p.Name], p.Name)
		names[p.Name] = true
		require.Equal(t, p.Name, strings.ReplaceAll(strings.ToLower(p.Title), " ", "_"))
		require.NotEmpty(t, p.Purpose)
		keys := map[string]bool{}
		for _, f := range p.Factors {
			require.False(t, keys[f.Key])
			keys[f.Key] = true
			require.NotEmpty(t, f.Title)
			require.NotEmpty(t, f.Metrics)
		}
		found, ok := svs.FindPractice(p.Name)
		require.True(t, ok)
		require.Equal(t, p, found)
	}
	require.Equal(t, map[svs.Group]int{svs.General: 14, svs.ServiceManagement: 17, svs.Technical: 3}, groups)
	for name, factors := range map[string]int{"incident_management": 3, "problem_management": 2, "change_enablement": 4, "service_request_management": 2,
		"knowledge_management": 2, "service_level_management": 4, "continual_improvement": 2} {
		p, ok := svs.FindPractice(name)
		require.True(t, ok)
		require.Len(t, p.Factors, factors, name)
	}
	_, ok := svs.FindPractice("luck")
	require.False(t, ok)
}

func criteria() svs.Criteria {
	return svs.Criteria{Criteria: []svs.Criterion{
		{ID: "2a", Practice: "incident_management", Factor: "resolve", Dimension: svs.OrganizationsPeople, Level: 2, Text: "somebody owns each incident"},
		{ID: "2b", Practice: "incident_management", Dimension: svs.InformationTechnology, Level: 2, Text: "all are recorded"},
		{ID: "3a", Practice: "incident_management", Dimension: svs.ValueStreamsProcesses, Level: 3, Text: "there are models"},
		{ID: "p2", Practice: "problem_management", Dimension: svs.OrganizationsPeople, Level: 2, Text: "somebody looks for causes"},
		{ID: "5a", Practice: "incident_management", Dimension: svs.OrganizationsPeople, Level: 5, Text: "it gets better"},
	}}
}

func TestCapability(t *testing.T) {
	c := criteria()
	require.NoError(t, c.Validate())
	met := func(ids ...string) (all []svs.Evidence) {
		for _, id := range ids {
			all = append(all, svs.Evidence{Criterion: id, Met: true, Kinds: []string{"records", "interview", "document"}})
		}
		return all
	}
	none := c.Capability("incident_management", nil)
	require.Equal(t, svs.Level1, none.Level)
	require.Equal(t, []svs.Shortfall{{c.Criteria[0], "is not met"}, {c.Criteria[1], "is not met"}}, none.Next)
	require.Equal(t, svs.Level2, c.Capability("incident_management", met("2a", "2b")).Level)
	// No level is left out, and a level without criteria is not reached.
	require.Equal(t, svs.Level1, c.Capability("incident_management", met("2a", "3a", "5a")).Level)
	all := c.Capability("incident_management", met("2a", "2b", "3a", "5a"))
	require.Equal(t, svs.Level3, all.Level)
	require.Empty(t, all.Next)
	// Evidence is of different kinds, and the last word counts.
	weak := append(met("2a", "2b"), svs.Evidence{Criterion: "2b", Met: true, Kinds: []string{"records", "records", "", "interview"}})
	require.Equal(t, []svs.Shortfall{{c.Criteria[1], "has evidence of 2 kinds, needs 3"}}, c.Capability("incident_management", weak).Next)
	c.Kinds = 2
	require.Equal(t, svs.Level2, c.Capability("incident_management", weak).Level)
	require.Equal(t, svs.Capability{Practice: "service_desk", Level: svs.Level1}, c.Capability("service_desk", weak))

	c = svs.Criteria{Kinds: -1, Criteria: []svs.Criterion{{Level: 1}, {ID: "a", Practice: "incident_management", Factor: "luck", Dimension: svs.PartnersSuppliers, Level: 6, Text: "x"}, {ID: "a", Practice: "service_desk", Factor: "any", Dimension: svs.PartnersSuppliers, Level: 2, Text: "x"}}}
	require.Equal(t, []string{
		"kinds must not be negative", "criteria[0].id must not be empty", `criteria[0].practice is none of the 34: ""`, `criteria[0].dimension is none of the four: ""`, "criteria[0].level must be 2 to 5, is 1", "criteria[0].text must not be empty",
		`criteria[1].factor is none of the practice's: "luck"`, "criteria[1].level must be 2 to 5, is 6", "criteria[2].id is there twice",
	}, findings(c.Validate()))
}

// The level of a practice by its definition, over random criteria: the highest up to
// which every level asks for something and gets it. The lowest dimension has it too.
func TestCapabilityIsWhatItsDefinitionSays(t *testing.T) {
	reached := map[svs.Level]int{}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		c := svs.Criteria{Kinds: 1}
		var evidence []svs.Evidence
		holds, asked := map[svs.Level]bool{1: true}, map[svs.Level]bool{1: true}
		for i := range rnd.IntN(14) {
			x := svs.Criterion{ID: fmt.Sprint(i), Practice: "service_desk", Dimension: svs.Dimensions()[rnd.IntN(4)], Level: svs.Level(2 + rnd.IntN(4))}
			c.Criteria = append(c.Criteria, x)
			ok := rnd.IntN(6) > 0
			if !asked[x.Level] {
				asked[x.Level], holds[x.Level] = true, true
			}
			holds[x.Level] = holds[x.Level] && ok
			evidence = append(evidence, svs.Evidence{Criterion: x.ID, Met: ok, Kinds: []string{"records"}})
		}
		want := svs.Level5
		for l := svs.Level5; l >= svs.Level1; l-- {
			if !asked[l] || !holds[l] {
				want = l - 1
			}
		}
		have := c.Capability("service_desk", evidence)
		require.Equal(t, want, have.Level)
		reached[want]++
		lowest := svs.Level5
		for _, l := range have.Dimensions {
			lowest = min(lowest, l)
		}
		if len(c.Criteria) > 0 {
			require.Equal(t, want, lowest)
		}
		for _, s := range have.Next {
			require.Equal(t, want+1, s.Criterion.Level)
		}
	}
	require.Len(t, reached, 5)
}

func TestMaturity(t *testing.T) {
	levels := map[svs.Component]svs.Level{svs.GuidingPrinciples: 3, svs.Governance: 2, svs.ServiceValueChain: 4, svs.Practices: 2, svs.ContinualImprovement: 5}
	m, err := svs.MaturityOf(levels)
	require.NoError(t, err)
	require.Equal(t, svs.Maturity{Level: svs.Level2, Lowest: []svs.Component{svs.Governance, svs.Practices}}, m)
	require.Equal(t, "managed", m.Level.String())
	delete(levels, svs.Governance)
	levels[svs.Practices], levels["luck"] = 6, 1
	_, err = svs.MaturityOf(levels)
	require.Equal(t, []string{"governance has no level", "practices must be 1 to 5, is 6", "luck is none of the five components"}, findings(err))
	require.Equal(t, svs.Level1, svs.LowestLevel(nil))
	require.Equal(t, svs.Level2, svs.LowestLevel([]svs.Capability{{Level: 4}, {Level: 2}, {Level: 3}}))
	var names []string
	for l := svs.Level(0); l <= 6; l++ {
		names = append(names, l.String())
	}
	require.Equal(t, []string{"level(0)", "initial", "managed", "defined", "quantitative", "optimizing", "level(6)"}, names)
}
