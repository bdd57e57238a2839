/// The checks of arguments and the order of bytes that all stores have in common.
extension ListQuery {
    /// Refuses a query that no store can answer.
    func check() throws(ObjectStoreError) {
        guard (1...1000).contains(limit) else {
            throw ObjectStoreError(.invalidArgument, "a page of a listing has 1 to 1000 entries, not \(limit)")
        }
    }
}

extension ObjectKey {
    /// Refuses a range that begins before the object.
    func check(_ range: Range<Int>?) throws(ObjectStoreError) {
        guard let range, range.lowerBound < 0 else { return }
        throw ObjectStoreError(
            .invalidArgument, "bytes \(range) of '\(self)' cannot be read: an object begins with byte 0")
    }
}

extension Range<Int>? {
    /// The part of a range that an object of that size has; all of it for `nil`.
    func part(ofSize size: Int) -> Range<Int> { self?.clamped(to: 0..<size) ?? 0..<size }
}

/// The size of an object, as a server tells it; `nil` for a number that it cannot be.
func objectSize(_ text: some StringProtocol) -> Int? { Int(text).flatMap(objectSize) }

/// The same for a number.
func objectSize(_ number: Int) -> Int? {
    // More than any store takes, and little enough to be added up.
    0...(1 << 50) ~= number ? number : nil
}

extension String {
    /// Whether this comes before another text in the order of listings: by the bytes of their UTF-8.
    func isListed(before other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
