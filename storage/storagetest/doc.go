// Package storagetest proves a store right, or says what is wrong with it.
//
// The contracts of [itsm.Store], [itsm.Lister], [itsm.Feeder] and
// [itsm.DueStore] are taken apart into rules, each a sentence ([Rules]). A host
// that keeps records in a table of its own tests its adapter in a few lines:
//
//	func TestStore(t *testing.T) {
//		storagetest.Test(t, storagetest.Harness[incident.Incident]{
//			Open: func(ctx context.Context) (storagetest.Backend[incident.Incident], error) {
//				db := openEmptyDatabase(t)
//				return storagetest.Backend[incident.Incident]{
//					Store: NewStore(db, "acme"),
//					Other: NewStore(anotherConnection(db), "acme"),
//					Wall:  NewStore(db, "globex"),
//				}, nil
//			},
//			Record: sampleIncident,
//			Change: func(r *incident.Incident, n int) { r.Title = fmt.Sprint("changed ", n) },
//			Lists:  true,
//		})
//	}
//
// What the store can do is found by type assertion; what the harness says that
// it must do, and it does not, is a failure. What is neither there nor asked
// for is skipped, and said to be.
//
// A failure prints the rule and what was seen instead. Rules find errors by
// what a caller can see: they know nothing of the store but its methods. Those
// about concurrency provoke what they can; they find more under the race
// detector.
//
// [Check] does the same without a [testing.T]; that is how the suite is itself
// tested, on stores that are broken on purpose.
package storagetest
