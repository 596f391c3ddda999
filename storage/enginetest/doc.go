// Package enginetest proves of a storage engine what takes more than its
// methods: that histories of concurrent calls are linearizable, whatever is
// restarted meanwhile; that what was acknowledged survives the death of the
// writing process; and that of many hosts, whichever dies, each due action and each
// reaction happens once. It is for stores that are generic over their records; package
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
// acknowledged; an [Audit] then finds out whether that is there, whole and once. A
// [Cutting] cuts the connection at each byte of a commit, by a [Proxy], and compares
// what the store says of it with what is there.
//
// A [Tower] is a practice with due actions, and another that reacts to it. Hosts, each
// a process, run both while users are at work, and [Tower.Havoc] kills them, and the
// servers behind them, and makes the account in the end.
//
// What is to be killed is the test program itself, once more: a [Program] plays a part
// that TestMain has given to [Play].
//
// It is a module of its own because of the checker.
package enginetest
