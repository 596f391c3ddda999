package svs

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A Radar is a chart of several values around a middle.
type Radar struct {
	Title string
	// Most is the value at the rim; what is no positive number means the greatest value or
	// target that there is.
	Most float64
	Axes []Axis
}

// An Axis is one of the values, and what it is to be. What lies outside of 0 to the
// rim is drawn at its end.
type Axis struct {
	Name          string
	Value, Target float64
}

// The measures of the drawing, in its own units.
const (
	radarWidth, radarHeight = 800, 480
	radarX, radarY          = 400.0, 250.0
	radarRim                = 160.0
	radarRings              = 5
)

// SVG draws the chart as a picture that stands alone: rings, an axis for each value
// from the top clockwise, the targets dashed and the values filled. What it says is
// also in its description, for those who cannot see it. With fewer than three axes
// there is no area, and lines are drawn. The text is the same for the same chart.
func (r Radar) SVG() string {
	most := r.Most
	if !(most > 0) || math.IsInf(most, 1) { // also for what is no number
		most = 0
		for _, a := range r.Axes {
			for _, v := range []float64{a.Value, a.Target} {
				if v > most && !math.IsInf(v, 1) {
					most = v
				}
			}
		}
	}
	place := func(i int, value float64) (x, y float64) {
		part := 0.0
		switch {
		case !(value > 0): // also for what is no number
		case value >= most:
			part = 1
		default:
			part = value / most
		}
		angle := 2*math.Pi*float64(i)/float64(len(r.Axes)) - math.Pi/2
		return radarX + radarRim*part*math.Cos(angle), radarY + radarRim*part*math.Sin(angle)
	}
	shape := func(value func(Axis) float64) string {
		var points []string
		for i, a := range r.Axes {
			x, y := place(i, value(a))
			points = append(points, point(x)+","+point(y))
		}
		return strings.Join(points, " ")
	}
	var b, description strings.Builder
	for i, a := range r.Axes {
		if i > 0 {
			description.WriteString("; ")
		}
		fmt.Fprintf(&description, "%s %s of %s, target %s", a.Name, number(a.Value), number(most), number(a.Target))
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="14">`+"\n", radarWidth, radarHeight)
	fmt.Fprintf(&b, "  <title>%s</title>\n  <desc>%s</desc>\n", escape(r.Title), escape(description.String()))
	fmt.Fprintf(&b, `  <text x="%s" y="30" text-anchor="middle" font-size="18">%s</text>`+"\n", point(radarX), escape(r.Title))
	for ring := 1; ring <= radarRings && len(r.Axes) > 0; ring++ {
		at := most * float64(ring) / radarRings
		fmt.Fprintf(&b, `  <polygon points="%s" fill="none" stroke="#d0d0d0"/>`+"\n", shape(func(Axis) float64 { return at }))
	}
	for i, a := range r.Axes {
		x, y := place(i, most)
		fmt.Fprintf(&b, `  <line x1="%s" y1="%s" x2="%s" y2="%s" stroke="#d0d0d0"/>`+"\n", point(radarX), point(radarY), point(x), point(y))
		anchor := "middle"
		if x > radarX+1 {
			anchor = "start"
		} else if x < radarX-1 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `  <text x="%s" y="%s" text-anchor="%s">%s</text>`+"\n", point(radarX+(x-radarX)*1.08), point(radarY+(y-radarY)*1.12+5), anchor, escape(a.Name))
	}
	if len(r.Axes) > 0 {
		fmt.Fprintf(&b, `  <polygon points="%s" fill="none" stroke="#8a6d00" stroke-width="2" stroke-dasharray="6 4"/>`+"\n", shape(func(a Axis) float64 { return a.Target }))
		fmt.Fprintf(&b, `  <polygon points="%s" fill="#107c10" fill-opacity="0.25" stroke="#107c10" stroke-width="2"/>`+"\n", shape(func(a Axis) float64 { return a.Value }))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// point spells a coordinate in hundredths.
func point(v float64) string { return fmt.Sprintf("%.2f", v) }

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", v), "0"), ".0")
}

// escape keeps texts from outside from becoming part of the drawing.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ToValidUTF8(text, string(utf8.RuneError)))) // a strings.Builder takes everything
	return b.String()
}
