/// A text in which the passwords of URLs are `***`: what somebody typed may be one, wherever it was typed.
///
/// A password is what stands between the first `:` behind a `://` and the last `@` before white space.
func withoutPasswords(_ text: String) -> String {
    var shown = ""
    var rest = text[...]
    while let mark = rest.firstRange(of: "://") {
        let end = rest[mark.upperBound...].firstIndex(where: \.isWhitespace) ?? rest.endIndex
        let place = rest[mark.upperBound..<end]
        shown += rest[..<mark.upperBound]
        if let at = place.lastIndex(of: "@"), let colon = place[..<at].firstIndex(of: ":") {
            shown += place[...colon] + "***" + place[at...]
        } else {
            shown += place
        }
        rest = rest[end...]
    }
    return shown + rest
}
