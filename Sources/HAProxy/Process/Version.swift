/// A version of HAProxy.
public struct Version: Hashable, Sendable, CustomStringConvertible {
    /// The whole of it, for example `2.6.12-1+deb12u4`.
    public let release: String
    /// Its first two numbers, for example `2.6`: what decides on features.
    public let branch: String

    /// Reads a version, for example `2.6.12-1+deb12u4`.
    ///
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when it does not begin with two numbers.
    public init(_ release: String) throws(HAProxyError) {
        let numbers = release.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard numbers.count >= 2, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]) else {
            throw HAProxyError(.unreadableReply, "\(quoted(release)) is not a version of HAProxy")
        }
        self.release = release
        branch = "\(major).\(minor)"
    }

    /// The number at the start of `text`, which something like `-dev3` may follow.
    private static func number(_ text: Substring.UTF8View) -> Int? {
        Int(String(decoding: text.prefix { (48...57).contains($0) }, as: UTF8.self))
    }

    /// The whole version.
    public var description: String { release }
}
