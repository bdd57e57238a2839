import Glibc

/// How a program takes part in the broadcast.
public struct BroadcastOptions: Sendable {
    /// The host's name, as records have it; by default that of gethostname(2).
    public var machine: String
    /// How many bytes of records wait at most while they cannot be sent: 64 KiB to 1 GiB, by default 4 MiB.
    ///
    /// A record counts as its texts and 300 bytes. Half as much again may be on its way to the broker, or remembered for
    /// the case that the broker loses it.
    public var bufferBytes: Int {
        didSet { bufferBytes = min(max(bufferBytes, 64 << 10), 1 << 30) }
    }
    /// The name of the program in what the broadcast says of its own troubles on standard error.
    public var program: String
    /// Who is told of these troubles, at most once a minute and once at the end, in place of standard error.
    ///
    /// It is called on the broadcast's own threads: it must not block, nor log to the broadcast.
    public var onTrouble: (@Sendable (String) -> Void)?

    /// The defaults.
    public init() {
        machine = Self.hostName
        bufferBytes = 4 << 20
        program = CommandLine.arguments.first.map { String($0.split(separator: "/").last ?? "") } ?? ""
    }

    /// Whether a viewer that is connected over ZeroMQ and does not keep up holds all records back, and with nobody who
    /// watches all wait; else what it has no room for is dropped for it.
    package var waitsForPeers = false

    /// The most bytes of a record's message, of its error and of its metadata: an eighth of the buffer, at most a mebibyte.
    package var longestText: Int { min(bufferBytes / 8, 1 << 20) }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
