/// A secret of the operator's, from which nodes' cookies follow; the same on all hosts of a fleet.
///
/// It is shown nowhere but in HAProxy's configuration, which only its owner and root can read.
public struct CookieKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    /// What a key has to be, for an error, which must not repeat it.
    public static let requirement = "16 to 128 letters, digits and characters of -_.:+/="

    /// Creates a key, or returns nil when it is not ``requirement``.
    public init?(_ text: String) {
        let isAllowed = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_.:+/=".utf8.contains(byte)
        }
        guard (16...128).contains(text.utf8.count), isAllowed else { return nil }
        self.text = text
    }

    /// Never the key.
    public var description: String { "*****" }
    /// Never the key.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// A text in which this key may stand, for whoever asks.
    func masked(in text: String) -> String { text.replacing(self.text, with: description) }
}
