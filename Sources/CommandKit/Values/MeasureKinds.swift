extension ValueKind where Value == ByteSize {
    /// A number of bytes, with or without a unit.
    ///
    /// - Parameter range: The sizes that are taken.
    /// - Returns: The kind.
    package static func byteSize(_ range: ClosedRange<ByteSize>) -> ValueKind {
        .parsed("a size from \(range.lowerBound) to \(range.upperBound), as in '64KiB' or '1GiB'") { text in
            ByteSize(text).flatMap { range.contains($0) ? $0 : nil }
        } format: {
            "\($0)"
        }
    }
}

extension ValueKind where Value == TimeSpan {
    /// A length of time, with or without a unit.
    ///
    /// - Parameter range: The lengths that are taken.
    /// - Returns: The kind.
    package static func timeSpan(_ range: ClosedRange<TimeSpan>) -> ValueKind {
        .parsed("a time from \(range.lowerBound) to \(range.upperBound), as in '500ms', '30s' or '7d'") { text in
            TimeSpan(text).flatMap { range.contains($0) ? $0 : nil }
        } format: {
            "\($0)"
        }
    }
}
