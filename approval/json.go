package approval

import "github.com/go-itsm/itsm/internal/strict"

// maxJSON is the most bytes of a policy or an electorate as JSON.
const maxJSON = 1 << 20

// ParsePolicy reads a policy's JSON form, of which there is an example at [Policy].
// Lengths of time are text such as "48h", or nanoseconds, as they are written. At
// most 1 MiB of valid UTF-8 is read. It returns an [ErrInvalid] with everything that
// is wrong: names that are not known or there twice, values of the wrong type, and
// what [Policy.Validate] finds.
func ParsePolicy(data []byte) (Policy, error) { return parse(data, Policy.Validate) }

// ParseElectorate reads an electorate's JSON form in the way of [ParsePolicy].
func ParseElectorate(data []byte) (Electorate, error) { return parse(data, Electorate.Validate) }

// parse reads a value and validates it. What could not be read is not found missing
// as well.
func parse[T any](data []byte, validate func(T) error) (T, error) {
	var v, none T
	var f findings
	faults := strict.Read(data, &v, maxJSON)
	for _, one := range faults {
		f = append(f, &Finding{Field: one.Field, Reason: one.Reason})
	}
	covered := faults.Cover()
	for _, one := range Findings(validate(v)) {
		if !covered(one.Field) {
			f = append(f, one)
		}
	}
	if err := f.err(); err != nil {
		return none, err
	}
	return v, nil
}
