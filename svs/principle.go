package svs

// A Principle is one of the seven guiding principles: a recommendation that holds in
// all circumstances. They are used together and are not ranked.
type Principle string

// The seven guiding principles of ITIL 4 (Foundation, 4.3).
const (
	FocusOnValue        Principle = "focus_on_value"
	StartWhereYouAre    Principle = "start_where_you_are"
	ProgressIteratively Principle = "progress_iteratively_with_feedback"
	Collaborate         Principle = "collaborate_and_promote_visibility"
	ThinkHolistically   Principle = "think_and_work_holistically"
	KeepItSimple        Principle = "keep_it_simple_and_practical"
	OptimizeAndAutomate Principle = "optimize_and_automate"
)

// Principles lists the seven guiding principles.
func Principles() []Principle {
	return []Principle{FocusOnValue, StartWhereYouAre, ProgressIteratively, Collaborate, ThinkHolistically, KeepItSimple, OptimizeAndAutomate}
}

// Title returns the principle as people write it, the name itself for one that is
// none of the seven.
func (p Principle) Title() string {
	switch p {
	case FocusOnValue:
		return "Focus on value"
	case StartWhereYouAre:
		return "Start where you are"
	case ProgressIteratively:
		return "Progress iteratively with feedback"
	case Collaborate:
		return "Collaborate and promote visibility"
	case ThinkHolistically:
		return "Think and work holistically"
	case KeepItSimple:
		return "Keep it simple and practical"
	case OptimizeAndAutomate:
		return "Optimize and automate"
	}
	return string(p)
}

// Questions lists what to ask before deciding, to see what the principle says about
// it; nothing for one that is none of the seven.
func (p Principle) Questions() []string {
	switch p {
	case FocusOnValue:
		return []string{
			"Who will use the outcome, and what do they call a success?",
			"Which step of the way is worth something to whom?",
			"Which of our measures does nobody decide anything by?",
		}
	case StartWhereYouAre:
		return []string{
			"What have we seen ourselves, and what do we know from reports only?",
			"What works already and can be kept?",
			"By which figure of today will we know that it got better?",
		}
	case ProgressIteratively:
		return []string{
			"What is the smallest step that is of use by itself?",
			"How and how soon will we hear whether it helped?",
			"Do we still see the whole while we work on a part?",
		}
	case Collaborate:
		return []string{
			"Who has to take part, and who only has to know?",
			"Can everybody concerned see the work and where it is stuck?",
			"On which data do we decide, and who has seen them?",
		}
	case ThinkHolistically:
		return []string{
			"What happens before and after it, from end to end?",
			"What does it need of each of the four dimensions?",
			"Whose work becomes harder by it?",
		}
	case KeepItSimple:
		return []string{
			"Which step could be left out without anybody missing it?",
			"Is it a rule for the usual, or one for an exception?",
			"Would the people who do it explain it the same way?",
		}
	case OptimizeAndAutomate:
		return []string{
			"Was it made simpler before it is automated?",
			"How will we measure what the automation brings?",
			"Where is a person's judgement worth more than speed?",
		}
	}
	return nil
}
