import DedicatedThread
import Glibc
import Spool
import SystemPackage

/// What the tests run as a process of its own: it can be killed, or kept from what the test itself may do.
///
/// `open DIRECTORY` opens a spool, says so and closes it. `run DIRECTORY SYNC FIRST GROUP` appends numbered records from
/// `FIRST` on, commits after every `GROUP`, reads them and acknowledges some, until it is killed; the files `committed`,
/// `handed` and `acknowledged` beside the directory say how far it came.
@main struct SpoolProbe {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch arguments.first {
            case "open" where arguments.count == 2:
                let spool = try Spool(SpoolOptions(directory: FilePath(arguments[1])))
                try spool.close()
                print("opened")
            case "run" where arguments.count == 5:
                guard let first = UInt64(arguments[3]), let group = UInt64(arguments[4]) else { exit(64) }
                try await run(FilePath(arguments[1]), SyncPolicy(arguments[2]), from: first, committing: group)
            default: exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    private static func run(
        _ directory: FilePath, _ sync: SyncPolicy, from first: UInt64, committing group: UInt64
    ) async throws {
        let spool = try Spool(SpoolOptions(directory: directory, limit: 1 << 20, sync: sync))
        let committed = Note("\(directory)-committed")
        let handed = Note("\(directory)-handed")
        let acknowledged = Note("\(directory)-acknowledged")
        let reader = DedicatedThread(name: "reader")
        async let reading: Void = reader.run {
            while true {
                guard let block = try spool.next() else {
                    var request = pollfd(fd: spool.readable, events: Int16(POLLIN), revents: 0)
                    poll(&request, 1, -1)
                    continue
                }
                var last: UInt64 = 0
                for record in block { last = number(record) }
                handed.put(last)
                try spool.acknowledge(through: block.lastSequence)
                acknowledged.put(last)
            }
        }
        let writer = DedicatedThread(name: "writer")
        try await writer.run {
            var next = first
            while true {
                var bytes = Array("\(next) ".utf8)
                bytes += [UInt8](repeating: 46, count: Int(next % 300))
                _ = try bytes.withUnsafeBytes { try spool.append($0) }
                if next % group == 0 {
                    try spool.commit()
                    committed.put(next)
                }
                next += 1
            }
        }
        try await reading
    }

    private static func number(_ record: SpoolRecord) -> UInt64 {
        record.bytes.prefix { $0 != 32 }.reduce(0) { $0 &* 10 &+ UInt64($1 &- 48) }
    }
}

/// A number in a file, where it outlives the process.
private struct Note: Sendable {
    private let descriptor: Int32

    init(_ path: String) {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    }

    func put(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { _ = pwrite(descriptor, $0.baseAddress, 8, 0) }
    }
}
