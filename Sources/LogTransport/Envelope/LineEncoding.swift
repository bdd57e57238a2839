/// How a line that is not valid UTF-8 becomes a JSON string, which can hold nothing else; the line is taken as a whole.
public enum LineEncoding: String, Sendable, CaseIterable {
    /// Each maximal part that is no UTF-8 becomes one U+FFFD (The Unicode Standard, section 3.9, "U+FFFD Substitution of
    /// Maximal Subparts"). What the bytes were is lost.
    case replace
    /// Each byte becomes the character of the same number, U+0000 to U+00FF (ISO 8859-1). The object has the further key
    /// `"encoding":"latin1"`, so that a reader can have the bytes back.
    case latin1
    /// The line in Base64 with padding (RFC 4648, section 4). The object has the further key `"encoding":"base64"`.
    case base64
}
