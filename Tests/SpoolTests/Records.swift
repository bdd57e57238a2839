import Glibc
import Spool
import SystemPackage
import TestServers

extension Spool {
    /// Appends a text and says what became of it.
    @discardableResult
    func append(_ text: String, flag: UInt8 = 0) throws -> Appending {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { try append($0, flag: flag) }
    }

    /// Stores a text at once, and says what became of it.
    func store(_ text: String) throws -> Appending {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { try store($0) }
    }

    /// All that can be read now, without acknowledging it.
    func readAll() throws -> [String] {
        var texts: [String] = []
        while let block = try next() { texts += block.map(\.text) }
        return texts
    }

    /// Reads and acknowledges all that can be read now.
    func drain() throws -> [String] {
        var texts: [String] = []
        while let block = try next() {
            texts += block.map(\.text)
            try acknowledge(through: block.lastSequence)
        }
        return texts
    }

    /// Whether poll(2) finds its descriptor readable now.
    var isReadable: Bool {
        var request = pollfd(fd: readable, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) == 1
    }
}

extension SpoolRecord {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Opens a spool in a temporary folder, gives it to `body`, and closes it.
func withSpool(
    limit: Int = 1 << 20, segmentSize: Int? = nil, sync: SyncPolicy = .never, whenFull: WhenFull = .block,
    _ body: (Spool) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let options = SpoolOptions(
            directory: FilePath("\(folder)/spool"), limit: limit, segmentSize: segmentSize, sync: sync,
            whenFull: whenFull)
        let spool = try Spool(options)
        try await body(spool)
        try spool.close()
    }
}

/// The texts `FIRST …` to `LAST …`, each `count` bytes long.
func texts(_ numbers: Range<Int>, count: Int = 100) -> [String] {
    numbers.map { "\($0) ".padding(to: count) }
}

extension String {
    func padding(to count: Int) -> String { self + String(repeating: ".", count: max(0, count - utf8.count)) }
    /// The number that a text of ``texts(_:count:)`` starts with.
    var number: Int? { Int(prefix { $0 != " " }) }
}

/// The names of the segments in a directory, in order.
func segmentNames(_ directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name.hasSuffix(".segment") { names.append(name) }
    }
    return names.sorted()
}

func readBytes(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw TestServerError("cannot open \(path)") }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    return bytes
}

func writeBytes(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0, write(file, bytes, bytes.count) == bytes.count else {
        throw TestServerError("cannot write \(path)")
    }
    close(file)
}
