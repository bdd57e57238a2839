internal import Glibc

/// An IPv4 or IPv6 address.
///
/// An IPv6 address that only wraps an IPv4 address (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is that IPv4 address.
public enum IPAddress: CheckedText {
    /// Four bytes in network order.
    case v4(UInt32)

    /// Sixteen bytes in network order, the first eight and the last eight.
    case v6(UInt64, UInt64)

    /// Reads an address as `inet_pton` does: four decimal numbers, or RFC 4291 text without zone and brackets.
    public init?(validating text: String) {
        // A NUL would end the text early for the C function, and hide what follows it.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        if text.utf8.contains(UInt8(ascii: ":")) {
            var address = in6_addr()
            guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            self.init(v6: address)
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
            self = .v4(UInt32(bigEndian: address.s_addr))
        }
    }

    private init(v6 address: in6_addr) {
        let (high, low) = withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self = high == 0 && low >> 32 == 0xffff ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high, low)
    }

    /// The address in its canonical form (RFC 5952 for IPv6).
    public var description: String {
        switch self {
        case .v4(let address):
            return [24, 16, 8, 0].map { String(address >> $0 & 0xff) }.joined(separator: ".")
        case .v6(let high, let low):
            var bytes = (high.bigEndian, low.bigEndian)
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
                guard let start = buffer.baseAddress, inet_ntop(AF_INET6, &bytes, start, socklen_t(buffer.count)) != nil
                else { return "::" }  // The only documented failure is a buffer that is too small.
                return String(cString: start)
            }
        }
    }

    /// Whether this is `0.0.0.0` or `::`, which stand for every address of the host.
    public var isUnspecified: Bool { self == .v4(0) || self == .v6(0, 0) }
}
