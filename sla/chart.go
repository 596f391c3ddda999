package sla

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// ChartOptions say how a chart of compliance looks. The zero value is a chart of
// the total.
type ChartOptions struct {
	// Title and Description are for people, also for those who have a chart
	// read to them; empty says what is to be seen.
	Title       string
	Description string
	// Target is a line at so many percent; empty means that there is none.
	Target Decimal
	// Rows is how many of the report's rows have lines of their own beside the
	// total, the first of them, at most 5.
	Rows int
	// ID begins the ids in the chart. Charts on one page need different ones;
	// empty is "sla-compliance".
	ID string
}

// ComplianceChart draws the series of a report as an SVG: compliance in each part
// of the period, with gaps where nothing counted. The axis of percentages begins
// where the figures do, not at 0. The same report always gives the same bytes.
//
// The chart brings its own background, light or dark as the reader prefers, and
// needs nothing from outside; text from outside cannot be taken for markup.
//
// It returns an [ErrInvalid] with everything that is wrong, a report without a
// series among it.
func ComplianceChart(r Report, o ChartOptions) (string, error) {
	var f findings
	target := 0.0
	if o.Target != "" {
		if p, ok := f.percent("target", o.Target); ok {
			target, _ = p.Float64()
		}
	}
	f.check(o.Rows >= 0 && o.Rows <= 5, "rows", "must be 0 to 5")
	checkID(&f, o.ID)
	f.check(len(r.Parts) > 0, "report", "has no series: see ReportOptions.Every")
	if err := f.err(); err != nil {
		return "", err
	}

	least := 100.0
	if o.Target != "" {
		least = target
	}
	lines := []chartLine{{"total", r.Total.Series}}
	for _, row := range r.Rows[:min(o.Rows, len(r.Rows))] {
		lines = append(lines, chartLine{strings.Join(row.Key, " · "), row.Series})
	}
	for _, l := range lines {
		for _, p := range l.series[:min(len(l.series), len(r.Parts))] {
			if p.Defined() {
				least = min(least, p.float())
			}
		}
	}
	step, steps := percentAxis(least)
	low := 100 - float64(step*float64(steps))

	title := cmp.Or(o.Title, "Compliance")
	from, to := r.Parts[0].From, r.Parts[len(r.Parts)-1].To
	description := cmp.Or(o.Description, fmt.Sprintf("Share of goals met in each %s from %s to %s: %s in all.",
		cmp.Or(string(r.Every), "part"), from.Format(time.DateOnly), to.Format(time.DateOnly), r.Total.Compliance()))
	var keys []chartKey
	for n, l := range lines {
		keys = append(keys, chartKey{fmt.Sprintf("f%d", n), l.name})
	}
	if o.Target != "" {
		keys = append(keys, chartKey{"goal", "target " + string(o.Target) + " %"})
	}
	c := newChart(cmp.Or(o.ID, "sla-compliance"), title, description, keys)
	y := func(percent float64) float64 { return c.y((percent - low) / (100 - low)) }
	for i := range steps + 1 {
		v := 100 - float64(step*float64(steps-i))
		c.grid(y(v), fmt.Sprintf("%g %%", math.Round(v*100)/100))
	}
	x := func(i int) float64 {
		if len(r.Parts) == 1 {
			return c.x(0.5)
		}
		return c.x(float64(i) / float64(len(r.Parts)-1))
	}
	for i := 0; i < len(r.Parts); i += (len(r.Parts) + 6) / 7 {
		c.tick(x(i), partLabel(r.Every, r.Parts[i]))
	}
	if o.Target != "" {
		c.goal(y(target))
	}
	for n := len(lines) - 1; n >= 0; n-- { // the total on top
		c.line(n, lines[n], r, x, y)
	}
	return c.end(), nil
}

type chartLine struct {
	name   string
	series []Fraction
}

func (f Fraction) float() float64 { return 100 * float64(f.Part) / float64(f.Of) }

// line draws one series. Points without neighbours are dots alone.
func (c *chart) line(n int, l chartLine, r Report, x func(int) float64, y func(float64) float64) {
	var path strings.Builder
	var dots strings.Builder
	move := true
	for i, p := range l.series[:min(len(l.series), len(r.Parts))] {
		if !p.Defined() {
			move = true
			continue
		}
		letter := "L"
		if move {
			letter = "M"
		}
		move = false
		fmt.Fprintf(&path, "%s%s %s", letter, px(x(i)), px(y(p.float())))
		fmt.Fprintf(&dots, "<circle class=\"f%d\" cx=\"%s\" cy=\"%s\" r=\"%s\"><title>%s</title></circle>\n", n, px(x(i)), px(y(p.float())),
			dotSize(len(r.Parts)), escape(fmt.Sprintf("%s, %s: %s", l.name, r.Parts[i].From.Format(time.DateOnly), p)))
	}
	if path.Len() > 0 {
		thin := ""
		if len(r.Parts) > 60 {
			thin = " thin"
		}
		c.printf("<path class=\"line l%d%s\" d=\"%s\"/>\n%s", n, thin, path.String(), dots.String())
	}
}

func dotSize(points int) string {
	if points > 60 {
		return "1.5"
	}
	return "3.5"
}

// percentAxis returns the step of an axis up to 100 that shows a percentage, and
// how many there are.
func percentAxis(least float64) (step float64, steps int) {
	for _, step := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10} {
		if steps := math.Ceil((100 - least) / step); steps <= 5 {
			return step, max(int(steps), 2)
		}
	}
	return 20, 5
}

// partLabel names a part of a period on an axis.
func partLabel(every Interval, p Period) string {
	if every == Monthly {
		return p.From.Format("Jan 2006")
	}
	return p.From.Format("2 Jan 2006")
}

// A BurnPoint is how much was left at an instant.
type BurnPoint struct {
	At time.Time `json:"at"`
	// Remaining is the goal without what has elapsed: negative after the
	// breach. JSON: nanoseconds.
	Remaining time.Duration `json:"remaining"`
}

// A BurnDown is the course of one clock from its start: what a chart needs of it.
type BurnDown struct {
	// Title and Description are for people; empty says what is to be seen.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Goal is what it starts with.
	Goal time.Duration `json:"goal"`
	// Points are where the course bends: at the start, at each opening and
	// closing, pause and resumption, and at the end. They are in order, with
	// straight lines between them.
	Points []BurnPoint `json:"points"`
	// Paused are the times that are shaded because the clock was paused,
	// Closed those because nothing was open.
	Paused []Period `json:"paused,omitempty"`
	Closed []Period `json:"closed,omitempty"`
	// ID begins the ids in the chart; empty is "sla-burndown".
	ID string `json:"id,omitempty"`
}

// Validate returns an [ErrInvalid] with everything that is wrong.
func (b BurnDown) Validate() error {
	var f findings
	f.check(b.Goal >= 0, "goal", "must not be negative")
	f.check(len(b.Points) >= 2, "points", "must have two points")
	f.check(len(b.Points) <= 100_000, "points", "must have at most 100,000 points")
	for i, p := range b.Points {
		field := fmt.Sprintf("points[%d]", i)
		f.check(!p.At.IsZero(), join(field, "at"), "must be given")
		f.check(p.Remaining <= b.Goal, join(field, "remaining"), "must be at most the goal")
		f.check(p.Remaining >= -longest/2, join(field, "remaining"), "must be at most 100 years past the goal")
		if i > 0 {
			f.check(p.At.After(b.Points[i-1].At), join(field, "at"), "must be after the point before")
			f.check(p.Remaining <= b.Points[i-1].Remaining, join(field, "remaining"), "must not be more than at the point before")
		}
	}
	if n := len(b.Points); n >= 2 {
		f.check(b.Points[n-1].At.Sub(b.Points[0].At) <= longest, "points", "must not span more than 200 years")
	}
	f.check(b.Goal <= longest/2, "goal", "must be at most 100 years")
	for i, p := range b.Paused {
		f.period(fmt.Sprintf("paused[%d]", i), p)
	}
	for i, p := range b.Closed {
		f.period(fmt.Sprintf("closed[%d]", i), p)
	}
	checkID(&f, b.ID)
	return f.err()
}

// SVG draws how much of the goal was left over time, down to the line at which it
// is used up and below. Times are shown in a location; nil is UTC. The chart is
// made as that of [ComplianceChart] is. It returns the [ErrInvalid] of
// [BurnDown.Validate].
func (b BurnDown) SVG(in *time.Location) (string, error) {
	if err := b.Validate(); err != nil {
		return "", err
	}
	if in == nil {
		in = time.UTC
	}
	first, last := b.Points[0], b.Points[len(b.Points)-1]
	stamp := func(t time.Time) string { return t.In(in).Format("2006-01-02 15:04 -07:00") }
	title := cmp.Or(b.Title, "Time left")
	description := b.Description
	if description == "" {
		description = fmt.Sprintf("%s of %s left at %s", short(last.Remaining), short(b.Goal), stamp(last.At))
		if last.Remaining < 0 {
			description = fmt.Sprintf("%s past the goal of %s at %s", short(-last.Remaining), short(b.Goal), stamp(last.At))
		}
		description += fmt.Sprintf(", counted from %s.", stamp(first.At))
	}
	keys := []chartKey{{"f0", "time left"}, {"goal", "goal of " + short(b.Goal) + " used up"}}
	if last.Remaining < 0 {
		keys = append(keys, chartKey{"past-dot", "past the goal"})
	}
	if len(b.Paused) > 0 {
		keys = append(keys, chartKey{"paused", "paused"})
	}
	if len(b.Closed) > 0 {
		keys = append(keys, chartKey{"closed", "outside hours"})
	}
	c := newChart(cmp.Or(b.ID, "sla-burndown"), title, description, keys)

	step := durationStep(max(b.Goal-last.Remaining, b.Goal, time.Second), 6)
	high := ceilTo(b.Goal, step)
	low := -ceilTo(max(-last.Remaining, 0), step)
	if high == low {
		high = low + step
	}
	y := func(d time.Duration) float64 { return c.y(float64(d-low) / float64(high-low)) }
	span := last.At.Sub(first.At)
	x := func(t time.Time) float64 {
		return c.x(min(max(float64(t.Sub(first.At))/float64(span), 0), 1))
	}
	shade := func(class, why string, periods []Period) {
		for _, p := range periods {
			if from, to := x(p.From), x(p.To); to > from {
				c.printf("<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>%s</title></rect>\n", class,
					px(from), px(c.top), px(to-from), px(c.bottom-c.top), escape(fmt.Sprintf("%s: %s to %s", why, stamp(p.From), stamp(p.To))))
			}
		}
	}
	shade("closed", "outside hours", b.Closed)
	shade("paused", "paused", b.Paused)
	for d := low; d <= high; d += step {
		label := short(d)
		if d == 0 {
			label = "0"
		}
		c.grid(y(d), label)
	}
	tick := durationStep(span, 7)
	format := "2 Jan"
	if tick < 24*time.Hour {
		format = "2 Jan 15:04"
	}
	taken := math.Inf(-1)
	for at := wallCeil(first.At.In(in), tick); !at.After(last.At); at = wallCeil(at.Add(tick/2+1), tick) {
		if x(at)-taken >= 80 { // hours that come twice are close together
			c.tick(x(at), at.Format(format))
			taken = x(at)
		}
	}
	c.goal(y(0))
	c.burn(b.Points, x, y)
	return c.end(), nil
}

// burn draws the course, in another colour where it is past the goal.
func (c *chart) burn(points []BurnPoint, x func(time.Time) float64, y func(time.Duration) float64) {
	var within, past strings.Builder
	add := func(b *strings.Builder, x, y float64) {
		letter := "L"
		if b.Len() == 0 {
			letter = "M"
		}
		fmt.Fprintf(b, "%s%s %s", letter, px(x), px(y))
	}
	for i, p := range points {
		if p.Remaining >= 0 {
			add(&within, x(p.At), y(p.Remaining))
			continue
		}
		if past.Len() == 0 && i > 0 {
			// It crosses the line on the way from the point before.
			before := points[i-1]
			part := float64(before.Remaining) / float64(before.Remaining-p.Remaining)
			cross := x(before.At) + float64(part*(x(p.At)-x(before.At)))
			add(&within, cross, y(0))
			add(&past, cross, y(0))
		}
		add(&past, x(p.At), y(p.Remaining))
	}
	if within.Len() > 0 {
		c.printf("<path class=\"line l0\" d=\"%s\"/>\n", within.String())
	}
	if past.Len() > 0 {
		c.printf("<path class=\"line past\" d=\"%s\"/>\n", past.String())
	}
	last := points[len(points)-1]
	class := "f0"
	if last.Remaining < 0 {
		class = "past-dot"
	}
	c.printf("<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"4\"/>\n", class, px(x(last.At)), px(y(last.Remaining)))
}

// durationStep returns a round step so that a span has at most so many.
func durationStep(span time.Duration, most int) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day, 3640 * day} {
		if span/step <= time.Duration(most) {
			return step
		}
	}
	return 36400 * day
}

func ceilTo(d, step time.Duration) time.Duration { return (d + step - 1) / step * step }

// wallCeil returns the next instant, or the same, at which the clock on the wall
// shows a multiple of a step since midnight of 1 January of year 1, a Monday.
func wallCeil(t time.Time, step time.Duration) time.Time {
	_, offset := t.Zone()
	wall := t.UTC().Add(time.Duration(offset) * time.Second)
	up := wall.Truncate(step)
	if up.Before(wall) {
		up = up.Add(step)
	}
	return t.Add(up.Sub(wall))
}

// A chart is an SVG that is being written.
type chart struct {
	strings.Builder
	left, right, top, bottom float64
}

const chartWidth = 720

// A chartKey is one line of a chart's key: a name and the class of what it is for.
type chartKey struct{ class, name string }

// newChart begins a chart with its key at the bottom. The style names the colours
// of light and dark backgrounds; all of its rules are about what is inside of such
// a chart, so that they touch nothing else on a page.
func newChart(id, title, description string, keys []chartKey) *chart {
	c := &chart{left: 64, right: chartWidth - 40, top: 52, bottom: 294}
	type place struct{ x, y float64 }
	places, at := make([]place, len(keys)), place{c.left, c.bottom + 48}
	for i := range keys {
		keys[i].name = clip(keys[i].name, 40)
		width := 18 + 7.5*float64(cells(keys[i].name)) // as wide as letters of 12 pixels may be
		if at.x > c.left && at.x+width > c.right {
			at = place{c.left, at.y + 22}
		}
		places[i] = at
		at.x += width + 20
	}
	height := int(at.y) + 22
	c.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sla-chart\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n",
		chartWidth, height, chartWidth, height, id, id)
	c.printf("<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, escape(title), id, escape(description))
	c.WriteString(chartStyle)
	c.printf("<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", chartWidth-1, height-1)
	c.text("heading", "start", 24, 31, clip(title, 72))
	for i, k := range keys {
		p := places[i]
		if k.class == "goal" {
			c.printf("<line class=\"goal\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n", px(p.x-4), px(p.y-4), px(p.x+12), px(p.y-4))
		} else {
			c.printf("<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"12\" height=\"12\" rx=\"3\"/>\n", k.class, px(p.x), px(p.y-10))
		}
		c.text("label", "start", p.x+18, p.y, k.name)
	}
	return c
}

// chartStyle has colours that people with the common colour blindnesses can tell
// apart (Okabe and Ito), darker on the light background where they need to be.
const chartStyle = `<style>
.sla-chart text { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans KR", "DejaVu Sans", sans-serif; fill: #57606a }
.sla-chart .heading { font-size: 16px; font-weight: 600; fill: #1f2328 }
.sla-chart .card { fill: #ffffff; stroke: #d0d7de }
.sla-chart .grid { stroke: #e6e9ed; stroke-width: 1 }
.sla-chart .goal { stroke: #b35900; stroke-width: 1.5; stroke-dasharray: 6 4 }
.sla-chart .closed { fill: #8c959f; fill-opacity: 0.16 }
.sla-chart .paused { fill: #c98500; fill-opacity: 0.22 }
.sla-chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.sla-chart .l0 { stroke: #0969da; stroke-width: 3 } .sla-chart .f0 { fill: #0969da }
.sla-chart .l1 { stroke: #007a5a } .sla-chart .f1 { fill: #007a5a }
.sla-chart .l2 { stroke: #b4437f } .sla-chart .f2 { fill: #b4437f }
.sla-chart .l3 { stroke: #b07d00 } .sla-chart .f3 { fill: #b07d00 }
.sla-chart .l4 { stroke: #3f8fb8 } .sla-chart .f4 { fill: #3f8fb8 }
.sla-chart .l5 { stroke: #6e7781 } .sla-chart .f5 { fill: #6e7781 }
.sla-chart .thin { stroke-width: 1.5 }
.sla-chart .past { stroke: #cf222e; stroke-width: 3 } .sla-chart .past-dot { fill: #cf222e }
@media (prefers-color-scheme: dark) {
.sla-chart text { fill: #9198a1 }
.sla-chart .heading { fill: #f0f6fc }
.sla-chart .card { fill: #0d1117; stroke: #3d444d }
.sla-chart .grid { stroke: #262c34 }
.sla-chart .goal { stroke: #e69f00 }
.sla-chart .l0 { stroke: #4493f8 } .sla-chart .f0 { fill: #4493f8 }
.sla-chart .l1 { stroke: #2dba8c } .sla-chart .f1 { fill: #2dba8c }
.sla-chart .l2 { stroke: #e08bb9 } .sla-chart .f2 { fill: #e08bb9 }
.sla-chart .l3 { stroke: #e3b341 } .sla-chart .f3 { fill: #e3b341 }
.sla-chart .l4 { stroke: #7cc4e8 } .sla-chart .f4 { fill: #7cc4e8 }
.sla-chart .l5 { stroke: #9198a1 } .sla-chart .f5 { fill: #9198a1 }
.sla-chart .past { stroke: #f85149 } .sla-chart .past-dot { fill: #f85149 }
}
</style>
`

func (c *chart) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// x and y turn a share of the axes into a place. The conversions keep machines
// that can multiply and add in one step from rounding differently.
func (c *chart) x(share float64) float64 { return c.left + float64(share*(c.right-c.left)) }
func (c *chart) y(share float64) float64 { return c.bottom - float64(share*(c.bottom-c.top)) }

func (c *chart) text(class, anchor string, x, y float64, text string) {
	c.printf("<text class=\"%s\" text-anchor=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n", class, anchor, px(x), px(y), escape(text))
}

func (c *chart) grid(y float64, label string) {
	c.printf("<line class=\"grid\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n", px(c.left), px(y), px(c.right), px(y))
	c.text("label", "end", c.left-8, y+4, label)
}

func (c *chart) tick(x float64, label string) {
	c.text("label", "middle", x, c.bottom+20, label)
}

func (c *chart) goal(y float64) {
	c.printf("<line class=\"goal\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n", px(c.left), px(y), px(c.right), px(y))
}

func (c *chart) end() string {
	c.WriteString("</svg>\n")
	return c.String()
}

// px writes a coordinate with one digit, which is the same on every machine.
func px(v float64) string { return fmt.Sprintf("%.1f", v) }

// escape makes text from outside safe in XML: characters that must not be there
// are replaced.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(oneLine(s))) // a strings.Builder takes everything
	return b.String()
}

// clip shortens text that would not fit.
func clip(s string, most int) string {
	if cells(s) <= most {
		return s
	}
	runes := []rune(s)
	for cells(string(runes)) > most-1 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// checkID checks what is to begin the ids of a chart: space would divide them.
func checkID(f *findings, id string) {
	f.check(!slices.ContainsFunc([]rune(id), func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}), "id", "must have letters, digits, - and _ only")
}
