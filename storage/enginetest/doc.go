// Package enginetest proves of a storage engine what takes more than its
// methods: that histories of concurrent calls are linearizable, whatever is
// restarted meanwhile, and that what was acknowledged survives the death of the
// writing process. It is for stores that are generic over their records; package
// storagetest, which every store passes, comes first.
//
// [History] has clients load and commit at the same time and hands what they saw
// to the checker porcupine. A test runs it many times:
//
//	for n := range 200 {
//		err := enginetest.History(ctx, fmt.Sprint("h", n), cluster)
//		require.NoError(t, err)
//	}
//
// [Write] commits until it is killed, in a process of its own, and says what was
// acknowledged; an [Audit] then finds out whether that is there, whole and once.
//
// It is a module of its own because of the checker.
package enginetest
