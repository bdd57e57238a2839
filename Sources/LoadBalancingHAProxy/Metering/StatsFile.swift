import JSON
internal import LoadBalancing

/// The file in which the books of METRICS survive: replaced as a whole, on the disk when a write returns.
///
/// Its first line is `libra-stats`, a version and a checksum of the rest, which is JSON.
struct StatsFile: Sendable {
    private static let mark = "libra-stats"
    private static let version = 1

    /// What a file holds.
    enum Content: Equatable {
        /// There is none yet.
        case missing
        /// The books.
        case ledger(TrafficLedger)
        /// It is cut short or changed, or something else.
        case corrupt
        /// A later version wrote it.
        case newer(version: Int)
    }

    private let file: AtomicFile
    var path: String { file.path }

    init(path: String) { file = AtomicFile(path: path) }

    func read() throws(DriverError) -> Content {
        let bytes: [UInt8]?
        do { bytes = try file.read() } catch { throw DriverError(storage: error) }
        guard let bytes else { return .missing }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return .corrupt }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0] == Self.mark, let version = Int(words[1]), version > 0 else { return .corrupt }
        guard version == Self.version else { return .newer(version: version) }
        let body = Array(bytes[(end + 1)...])
        guard words.count == 3, UInt64(words[2], radix: 16) == PendingChange.digest(of: body),
            let json = try? JSONValue(parsing: body), let ledger = TrafficLedger(json: json)
        else { return .corrupt }
        return .ledger(ledger)
    }

    func write(_ ledger: TrafficLedger) throws(DriverError) {
        let body = ledger.json.bytes()
        let head = "\(Self.mark) \(Self.version) \(String(PendingChange.digest(of: body), radix: 16))\n"
        do { try file.write(Array(head.utf8) + body) } catch { throw DriverError(storage: error) }
    }

    /// Keeps the file as `….corrupt`, or `….corrupt.2` and so on where there is one.
    ///
    /// - Returns: Where it is now.
    func setAside() throws(DriverError) -> String {
        do { return try file.setAside(suffix: ".corrupt") } catch { throw DriverError(storage: error) }
    }
}
