/// A TCP port, 1 to 65,535.
public struct Port: Hashable, Sendable, CustomStringConvertible {
    /// The port's number.
    public let number: UInt16

    /// Checks a port.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` when it is not 1 to 65,535.
    public init(_ number: Int) throws(HAProxyError) {
        guard let port = UInt16(exactly: number), port > 0 else {
            throw HAProxyError(.invalidValue, "\(number) is not a port: it has to be 1 to 65535")
        }
        self.number = port
    }

    /// The port in decimal.
    public var description: String { "\(number)" }
}

/// A server's share of the load relative to the others of its backend, 0 to 256; 0 takes no new load.
public struct Weight: Hashable, Sendable, CustomStringConvertible {
    /// The weight that HAProxy gives when none is written.
    public static let standard = Weight(unchecked: 1)

    /// The weight.
    public let value: UInt16

    /// Checks a weight.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` when it is not 0 to 256.
    public init(_ value: Int) throws(HAProxyError) {
        guard (0...256).contains(value) else {
            throw HAProxyError(.invalidValue, "\(value) is not a weight: it has to be 0 to 256")
        }
        self.value = UInt16(value)
    }

    private init(unchecked value: UInt16) { self.value = value }

    /// The weight in decimal.
    public var description: String { "\(value)" }
}

/// A number of things: connections, retries, attempts, entries; 0 to 2,147,483,647.
public struct Count: Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public let value: Int32

    /// Checks a number.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` when it is negative or above 2,147,483,647.
    public init(_ value: Int) throws(HAProxyError) {
        guard let value32 = Int32(exactly: value), value32 >= 0 else {
            throw HAProxyError(.invalidValue, "\(value) is not a count: it has to be 0 to 2147483647")
        }
        self.value = value32
    }

    /// The number in decimal.
    public var description: String { "\(value)" }
}

/// A time for HAProxy, in whole milliseconds, 1 to 2,147,483,647 (almost 25 days).
public struct Milliseconds: Hashable, Sendable, CustomStringConvertible {
    /// The number of milliseconds.
    public let value: Int32

    /// Checks a time.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` when it is not 1 to 2,147,483,647.
    public init(_ value: Int) throws(HAProxyError) {
        guard let value32 = Int32(exactly: value), value32 > 0 else {
            throw HAProxyError(.invalidValue, "\(value) ms is not a time: it has to be 1 to 2147483647 ms")
        }
        self.value = value32
    }

    /// The time as HAProxy reads it: whole seconds as `30s`, anything else as `1500ms`.
    public var description: String { value % 1000 == 0 ? "\(value / 1000)s" : "\(value)ms" }
}
