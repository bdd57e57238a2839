/// A name with wildcards, as shells have them.
///
/// `*` stands for any characters, `?` for one, and all else for itself; case counts.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    /// The pattern as it was given.
    public let description: String
    private let pattern: [Unicode.Scalar]

    /// Takes a pattern; any text is one.
    ///
    /// - Parameter pattern: The pattern; nothing but `*` and `?` has a meaning of its own.
    public init(_ pattern: String) {
        description = pattern
        self.pattern = Array(pattern.unicodeScalars)
    }

    /// Whether all of a name is what the pattern says.
    ///
    /// The time it takes is at most proportional to the product of both lengths, whatever the pattern.
    ///
    /// - Parameter name: The name.
    /// - Returns: Whether it is.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (place, at) = (0, 0)
        // Where to go on when what follows the last star did not match: the star takes one more.
        var star: (place: Int, at: Int)?
        while at < name.count {
            if place < pattern.count, pattern[place] == "*" {
                star = (place, at)
                place += 1
            } else if place < pattern.count, pattern[place] == "?" || pattern[place] == name[at] {
                place += 1
                at += 1
            } else if let last = star {
                star = (last.place, last.at + 1)
                (place, at) = (last.place + 1, last.at + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
