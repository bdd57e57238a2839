/// What a broadcast could not send before its end.
package struct UnsentRecords: Sendable, Hashable {
    /// How many records were neither sent nor told of as dropped.
    package private(set) var count = 0
    /// How many were logged from the first of them on: some of these may have been sent.
    package private(set) var fromFirst = 0

    /// Nothing, or some records of which the first is `fromFirst` before the end.
    init(count: Int = 0, fromFirst: Int = 0) {
        self.count = count
        self.fromFirst = fromFirst
    }

    /// These, and as many that were logged just before or after them.
    static func + (some: UnsentRecords, more: Int) -> UnsentRecords {
        UnsentRecords(count: some.count + more, fromFirst: some.fromFirst + more)
    }
}
