import Configuration

/// The values of one layer while it is read, and what is wrong with it.
struct SettingsLayer {
    private let name: String
    /// Whether every user of the host may read it.
    private let isOpenToAll: Bool
    private var values: [AbsoluteConfigKey: ConfigValue] = [:]
    private(set) var origins: [SettingPlace: String] = [:]
    private var found: [(line: Int, message: String)] = []

    /// What is not wrong, and worth saying.
    private(set) var warnings: [String] = []

    init(_ name: String, isOpenToAll: Bool = false) {
        self.name = name
        self.isOpenToAll = isOpenToAll
    }

    var provider: InMemoryProvider { InMemoryProvider(name: name, values: values) }

    /// What is wrong, in the order of the file's lines.
    var faults: [String] { found.sorted { $0.line < $1.line }.map(\.message) }

    /// Notes what is wrong, once: a key of `[global]` may be wrong for several settings.
    mutating func fault(_ message: String, line: Int = 0) {
        if !found.contains(where: { $0.message == message }) { found.append((line, message)) }
    }

    /// Takes a value, unless a stronger place of the same layer has set it already.
    mutating func set(_ declaration: SettingDeclaration, to value: ConfigValue, from origin: String) {
        guard origins[declaration.place] == nil else { return }
        origins[declaration.place] = origin
        values[AbsoluteConfigKey(declaration.place.configKey)] = value
    }

    /// Takes a text, or notes what is wrong with it.
    mutating func set(_ declaration: SettingDeclaration, to text: SettingText) {
        var content = text.text
        var isOpenToAll = isOpenToAll
        if text.isFile {
            switch secret(inFile: text.text) {
            case .success(let secret): (content, isOpenToAll) = secret
            case .failure(let problem): return fault("\(text.origin): \(problem.words)", line: text.line)
            }
        }
        switch declaration.value(of: content, folder: text.folder) {
        case .success(let value):
            set(declaration, to: value, from: text.origin)
            if declaration.isSecret, isOpenToAll, hasSecret(content) {
                let file = text.isFile ? quoted(text.text) : "this file"
                warnings.append(
                    "\(text.origin): every user of this host may read the secret in \(file); take that right away (chmod o-r)"
                )
            }
        case .failure(let problem): fault("\(text.origin): \(problem.words)", line: text.line)
        }
    }

    /// The defaults, which need no check.
    static func defaults(_ declarations: [SettingDeclaration]) -> SettingsLayer {
        var layer = SettingsLayer("defaults")
        for declaration in declarations {
            guard let content = declaration.defaultContent else { continue }
            layer.values[AbsoluteConfigKey(declaration.place.configKey)] =
                ConfigValue(content, isSecret: declaration.isSecret)
        }
        return layer
    }

    private func secret(inFile path: String) -> Result<(text: String, isOpenToAll: Bool), SettingProblem> {
        guard path.hasPrefix("/") else { return .failure("\(quoted(path)) is not an absolute path") }
        do {
            let content = try readSmallFile(path, limit: 65_536)
            var bytes = content.bytes
            while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .failure("\(quoted(path)) is not UTF-8")
            }
            return text.isEmpty ? .failure("\(quoted(path)) is empty") : .success((text, content.isOpenToAll))
        } catch {
            return .failure("\(quoted(path)) \(error.words)")
        }
    }
}

/// Whether a secret is worth keeping: of URLs, as `amqp://localhost`, those with a password are.
private func hasSecret(_ text: String) -> Bool {
    text.split(whereSeparator: \.isWhitespace).contains { word in
        guard let scheme = word.firstRange(of: "://") else { return true }
        let authority = word[scheme.upperBound...].prefix { !"/?#".contains($0) }
        return authority.lastIndex(of: "@").map { authority[..<$0].contains(":") } ?? false
    }
}

/// A value as some layer has it.
struct SettingText {
    let text: String
    /// Where it stands, as a message names it.
    let origin: String
    /// Whether the text is the path of a file with the value.
    var isFile = false
    /// Where relative paths begin; nil where there may be none.
    var folder: String?
    /// The line of a file.
    var line = 0
}
