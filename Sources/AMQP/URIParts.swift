/// The pieces of a broker's URI, decoded.
struct URIParts {
    var isTLS = false
    var user: String?
    var password: String?
    var host: String
    var port: Int?
    var path: String?
    var query: String

    init(_ text: String) throws(AMQPError) {
        let lowered = text.prefix(8).lowercased()
        let rest: Substring
        if lowered.hasPrefix("amqps://") {
            isTLS = true
            rest = text.dropFirst(8)
        } else if lowered.hasPrefix("amqp://") {
            rest = text.dropFirst(7)
        } else {
            throw Self.error("needs to begin with amqp:// or amqps://")
        }
        guard !rest.contains("#") else { throw Self.error("has a '#', which has to be written as %23") }
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = halves.count == 2 ? String(halves[1]) : ""
        let location = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if location.count == 2 {
            guard !location[1].contains("/") else {
                throw Self.error("has more than one '/' behind the host; one in a virtual host is written as %2F")
            }
            // "amqp://host/" names the virtual host "" in RabbitMQ's specification, and everybody means "/".
            path = location[1].isEmpty ? nil : try Self.decoded(location[1], "virtual host")
        }
        var authority = location[0]
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            authority = authority[authority.index(after: at)...]
            user = try Self.decoded(login[0], "user")
            if login.count == 2 { password = try Self.decoded(login[1], "password") }
        }
        (host, port) = try Self.hostAndPort(authority)
    }

    private static func hostAndPort(_ text: Substring) throws(AMQPError) -> (String, Int?) {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw error("has a '[' and no ']'") }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard host.contains(":"), host.utf8.allSatisfy({ $0 != 0x25 }) else {
                throw error("has something other than an IPv6 address in brackets")
            }
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        let name = try decoded(host, "host")
        guard name.utf8.count <= 253 else { throw error("has a host of more than 253 bytes") }
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw error("has a space in its host") }
        // RabbitMQ's specification lets the host be absent, and then the client chooses one.
        let chosen = name.isEmpty ? "localhost" : name
        guard !rest.isEmpty else { return (chosen, nil) }
        guard rest.hasPrefix(":"), let port = number(rest.dropFirst(), in: 1...65_535) else {
            throw error("needs a port from 1 to 65535 behind the host's ':'")
        }
        return (chosen, port)
    }

    /// A decimal number without sign or spaces.
    static func number(_ text: Substring, in range: ClosedRange<Int>) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text) else { return nil }
        return range.contains(value) ? value : nil
    }

    static func decoded(_ text: Substring, _ what: String) throws(AMQPError) -> String {
        guard let text = percentDecoded(text) else {
            throw error("has a \(what) that is not percent-encoded UTF-8 without control characters")
        }
        return text
    }

    static func error(_ fault: String) -> AMQPError {
        AMQPError(.invalidArgument, "the broker's URI \(fault); it looks like amqp://user:password@host:5672/vhost")
    }
}

/// What stands behind the `?`.
struct URIQuery {
    var heartbeat: Duration?
    var connectTimeout: Duration?
    var tls = BrokerTLS()
    var hasTLS = false

    init(_ text: String) throws(AMQPError) {
        var certificate: String?
        var key: String?
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(halves[0])
            let value = halves.count == 2 ? try URIParts.decoded(halves[1], "parameter") : ""
            switch name {
            case "heartbeat":
                heartbeat = .seconds(try Self.number(value, name, in: 0...65_535))
            case "connection_timeout":
                connectTimeout = .milliseconds(try Self.number(value, name, in: 1...600_000))
            case "cacertfile": tls.authorityFile = value
            case "certfile": certificate = value
            case "keyfile": key = value
            case "verify" where value == "verify_peer": tls.verification = .full
            case "verify" where value == "verify_none": tls.verification = .none
            case "verify": throw URIParts.error("has a 'verify' other than verify_peer and verify_none")
            default: throw Self.unknown(name, in: text)
            }
            if !["heartbeat", "connection_timeout"].contains(name) { hasTLS = true }
        }
        switch (certificate, key) {
        case (nil, nil): break
        case (let certificate?, let key?):
            tls.identity = BrokerTLS.Identity(certificateFile: certificate, keyFile: key)
        default: throw URIParts.error("needs 'certfile' and 'keyfile' both, or neither")
        }
    }

    /// The error of a parameter that there is not; what stands behind a `?` within a password is not repeated.
    private static func unknown(_ name: String, in query: String) -> AMQPError {
        let isName = !query.contains("@") && name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x5f }
        return URIParts.error(
            isName
                ? "has the unknown parameter '\(name)'"
                : "has an unknown parameter; a '?' in a password is written as %3F")
    }

    private static func number(
        _ text: String, _ name: String, in range: ClosedRange<Int>
    ) throws(AMQPError) -> Int {
        guard let value = URIParts.number(text[...], in: range) else {
            throw URIParts.error("needs a '\(name)' from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

/// Undoes percent-encoding; `nil` for what is no UTF-8, has control characters, or has a `%` without two digits.
package func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexadecimalValue), let low = rest.popFirst().flatMap(hexadecimalValue)
        else { return nil }
        bytes.append(high << 4 | low)
    }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
    return String(validating: bytes, as: UTF8.self)
}

/// Encodes all but letters, digits and `-._~`.
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
}
