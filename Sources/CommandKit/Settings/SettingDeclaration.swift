import Configuration

/// What the loader must know of a setting.
struct SettingDeclaration: Sendable {
    let places: [SettingPlace]
    let inheritsGlobal: Bool
    let isSecret: Bool
    let defaultContent: ConfigContent?
    private let check: @Sendable (_ text: String, _ folder: String?) throws(ValueMismatch) -> ConfigContent
    private let isList: Bool
    private let mayBeEmpty: Bool
    private let expectation: String

    init<Value>(_ places: [SettingPlace], _ kind: ValueKind<Value>, default: Value?, inheritsGlobal: Bool) {
        self.places = places
        self.inheritsGlobal = inheritsGlobal
        isSecret = kind.isSecret
        isList = kind.isList
        mayBeEmpty = kind.isList || kind.mayBeEmpty
        expectation = kind.expectation
        defaultContent = `default`.map(kind.content)
        check = { text, folder throws(ValueMismatch) in kind.content(try kind.parse(text, folder)) }
    }

    var place: SettingPlace { places[0] }

    /// Reads a value.
    ///
    /// - Parameters:
    ///   - text: The value's text, without white space around it.
    ///   - folder: Where relative paths begin; nil where there may be none.
    /// - Returns: The value, or what is wrong with it in words that show no secret.
    func value(of text: String, folder: String?) -> Result<ConfigValue, SettingProblem> {
        if text.isEmpty && !mayBeEmpty { return .failure("has no value") }
        if !isList, let control = text.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return .failure(control == "\n" ? "has more than one line" : "contains a control character")
        }
        do {
            return .success(ConfigValue(try check(text, folder), isSecret: isSecret))
        } catch {
            return .failure(isSecret ? "is not \(expectation)" : "\(quoted(error.text)) is not \(expectation)")
        }
    }
}

/// What is wrong with a value.
struct SettingProblem: Error, ExpressibleByStringInterpolation {
    let words: String

    init(stringLiteral value: String) { words = value }
}

/// A text in quotes, made visible and cut when it is long.
func quoted(_ text: String) -> String {
    let limit = 80
    return "'\(visibleText(text.count > limit ? text.prefix(limit) + "…" : text))'"
}
