internal import Glibc

/// Where a server or a bind is: an IPv4 address, an IPv6 address or a host name.
///
/// IP addresses are kept in their canonical form, so that two ways to write one address are equal.
public struct Address: Hashable, Sendable, CustomStringConvertible {
    /// What an address is.
    public enum Kind: Hashable, Sendable {
        /// An IPv4 address.
        case ipv4
        /// An IPv6 address.
        case ipv6
        /// A name that HAProxy resolves when it starts.
        case hostName
    }

    /// What the address is.
    public let kind: Kind
    let text: String

    /// Reads an address.
    ///
    /// - Parameter text: `192.0.2.1`, `2001:db8::1` (with or without brackets), or a host name of at most 253 bytes.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        if let ipv4 = canonical(text, family: AF_INET) {
            (kind, self.text) = (.ipv4, ipv4)
        } else if let ipv6 = canonical(withoutBrackets(text), family: AF_INET6) {
            (kind, self.text) = (.ipv6, ipv6)
        } else {
            try checkHostName(text)
            (kind, self.text) = (.hostName, text)
        }
    }

    /// Every IPv4 address of the host: `0.0.0.0`.
    public static let anyIPv4 = Address(kind: .ipv4, text: "0.0.0.0")
    /// Every IPv6 address of the host: `::`.
    public static let anyIPv6 = Address(kind: .ipv6, text: "::")

    private init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }

    /// The address without brackets.
    public var description: String { text }
}

private func withoutBrackets(_ text: String) -> String {
    guard text.utf8.first == UInt8(ascii: "["), text.utf8.last == UInt8(ascii: "]") else { return text }
    return String(text.dropFirst().dropLast())
}

/// The canonical form of an IP address; nil when it is none.
private func canonical(_ text: String, family: Int32) -> String? {
    // C sees the text up to the first NUL; what is longer than any address need not be looked at.
    guard (2...64).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
    var bytes: (UInt64, UInt64) = (0, 0)
    var buffer = [UInt8](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let isRead = withUnsafeMutableBytes(of: &bytes) { bytes in
        buffer.withUnsafeMutableBytes { buffer in
            inet_pton(family, text, bytes.baseAddress) == 1
                && inet_ntop(
                    family, bytes.baseAddress, buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                    socklen_t(buffer.count)) != nil
        }
    }
    return isRead ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : nil
}

private func checkHostName(_ text: String) throws(HAProxyError) {
    try ByteClass.hostName.check(text, as: "an address", upTo: 253)
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let areLabelsGood = labels.enumerated().allSatisfy { index, label in
        // A dot may end the name; it means that no search domain is tried.
        let isRoot = label.isEmpty && index == labels.count - 1 && index > 0
        return isRoot || (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
    }
    // A last label of digits is a mistyped IPv4 address (RFC 1123, section 2.1), which some resolvers would still take.
    let last = labels.last { !$0.isEmpty }
    let isNumeric = last?.allSatisfy { (48...57).contains($0) } ?? true
    guard areLabelsGood, !isNumeric else {
        throw HAProxyError(.invalidValue, "\(quoted(text)) is neither an IP address nor a host name")
    }
}
