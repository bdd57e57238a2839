/// A number of bytes as people write it: `1GiB`, `64KiB`, `4096`.
package struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number of bytes.
    package let bytes: Int

    /// Units in which a size can be written, the largest first.
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000),
        ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("B", 1),
    ]

    /// Creates a size.
    ///
    /// - Parameter bytes: The number of bytes.
    package init(bytes: Int) { self.bytes = bytes }

    /// Reads a whole number with or without a unit, in any case.
    ///
    /// `KiB` to `TiB` and `K` to `T` count by 1024, `kB` to `TB` by 1000. Without a unit it is bytes, as with `B`.
    ///
    /// - Parameter text: The size; a space may stand before the unit.
    package init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let factor = unit.isEmpty ? 1 : Self.units.first(where: { $0.name.lowercased() == unit })?.bytes
        else { return nil }
        let (product, isOverflow) = number.multipliedReportingOverflow(by: factor)
        guard !isOverflow else { return nil }
        bytes = product
    }

    package static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }

    /// In the largest unit of 1024 that gives a whole number: `1GiB`, `1536KiB`, `100B`.
    package var description: String {
        for unit in Self.units.prefix(4) where bytes >= unit.bytes && bytes.isMultiple(of: unit.bytes) {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}
