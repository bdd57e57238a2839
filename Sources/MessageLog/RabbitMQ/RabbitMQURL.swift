internal import AMQP
internal import Glibc
internal import Logging
internal import SystemPackage

/// RabbitMQ's URI, with what a message log has to add.
struct RabbitMQURL: Sendable, Hashable {
    /// The URI, in which a password is looked for elsewhere.
    private let uri: BrokerURI
    private let options: RabbitMQOptions
    /// The URI's text without the parameters of a message log; it may hold a password, and is shown nowhere.
    private let text: String
    private let passwordFile: FilePath?
    private let hasPassword: Bool

    /// The variable with the password of URLs that have none.
    static let variable = "LIBRA_AMQP_PASSWORD"

    init(_ text: String) throws(MessageLogError) {
        let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var options = RabbitMQOptions()
        var passwordFile: FilePath?
        var others: [Substring] = []
        for pair in halves.count == 2 ? halves[1].split(separator: "&") : [] {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let value = parts.count == 2 ? percentDecoded(parts[1]) : nil
            func given() throws(MessageLogError) -> String {
                if let value, !value.isEmpty { return value }
                throw Self.error("has a parameter '\(name)' without a value, or not percent-encoded UTF-8")
            }
            switch name {
            case "exchange": options.exchange = try given()
            case "allow_unroutable": options.allowsUnroutable = try Self.truth(given(), name)
            case "prefetch": options.prefetch = try Self.number(given(), name, 1...65_535)
            case "password_file": passwordFile = FilePath(try given())
            case "layout": throw Self.error("has the parameter 'layout': RabbitMQ has only its own")
            default: others.append(pair)
            }
        }
        try options.check()
        self.options = options
        self.passwordFile = passwordFile
        self.text = String(halves[0]) + (others.isEmpty ? "" : "?" + others.joined(separator: "&"))
        hasPassword = Self.login(in: halves[0])?.contains(":") ?? false
        if hasPassword, passwordFile != nil {
            throw Self.error("has a password and the parameter 'password_file': leave one out")
        }
        uri = try Self.uri(self.text)
    }

    /// The URI without a password, and the exchange.
    var description: String { "\(uri)?exchange=\(options.exchange)" }

    /// Begins to connect.
    func open(logger: Logger) throws(MessageLogError) -> RabbitMQBroker {
        try RabbitMQBroker(login(), options: options, logger: logger)
    }

    // MARK: The password

    /// The URI with the password from where it is.
    private func login() throws(MessageLogError) -> BrokerURI {
        if hasPassword { return uri }
        let password: String
        if let passwordFile {
            password = try Self.password(in: passwordFile)
        } else if let value = getenv(Self.variable) {
            password = String(cString: value)
        } else {
            return uri
        }
        let scheme = text.prefix(text.lowercased().hasPrefix("amqps://") ? 8 : 7)
        let rest = text.dropFirst(scheme.count)
        let user = Self.login(in: text[...]).map(String.init)
        let host = user == nil ? rest : rest.dropFirst((user ?? "").count + 1)
        return try Self.uri("\(scheme)\(user ?? "guest"):\(percentEncoded(password))@\(host)")
    }

    /// What stands before the `@` of the host, if anything does.
    private static func login(in text: Substring) -> Substring? {
        guard let slashes = text.firstRange(of: "//") else { return nil }
        let authority = text[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return authority.lastIndex(of: "@").map { authority[..<$0] }
    }

    /// The first line of a file.
    private static func password(in file: FilePath) throws(MessageLogError) -> String {
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly)
            let bytes = try descriptor.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
                    count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            guard let password = String(validating: line, as: UTF8.self), !password.isEmpty else {
                throw MessageLogError(.denied, "the password file \(file) has no line of UTF-8 with a password")
            }
            return password
        } catch let error as MessageLogError {
            throw error
        } catch {
            throw MessageLogError(.denied, "cannot read the password file \(file)", cause: error)
        }
    }

    // MARK: Parts

    private static func uri(_ text: String) throws(MessageLogError) -> BrokerURI {
        do throws(AMQPError) {
            return try BrokerURI(text)
        } catch {
            throw MessageLogError(.invalidArgument, error.message)
        }
    }

    private static func truth(_ text: String, _ name: String) throws(MessageLogError) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw error("has a '\(name)' other than true and false")
        }
    }

    private static func number(
        _ text: String, _ name: String, _ range: ClosedRange<Int>
    ) throws(MessageLogError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw error("needs a '\(name)' from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func error(_ fault: String) -> MessageLogError {
        MessageLogError(.invalidArgument, "the broker's URI \(fault)")
    }
}
