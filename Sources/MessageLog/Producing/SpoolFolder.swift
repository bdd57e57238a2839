internal import Glibc
internal import Spool
internal import SystemPackage

/// Where the messages of one key wait for one broker: `KEY/BROKER-HASH/1`, and further numbers when several processes
/// have messages waiting at the same time.
struct SpoolFolder: Sendable {
    let path: FilePath
    private let limit: Int

    init(broker: String, key: RoutingKey, options: ProducerOptions) {
        let readable = String(broker.unicodeScalars.prefix(60).map { RoutingWord.isAllowed($0) ? Character($0) : "_" })
        path = options.spoolFolder.appending(key.description).appending("\(readable)-\(Self.hash(broker))")
        limit = options.spoolLimit
    }

    /// FNV-1a with 64 bits, in sixteen digits: brokers that look alike with all but letters left out differ by it.
    private static func hash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The numbers that are there, in order.
    func numbers() throws(MessageLogError) -> [Int] {
        guard let folder = opendir(path.string) else {
            if errno == ENOENT { return [] }
            throw MessageLogError(.systemError, "cannot read the spool folder \(path)", cause: Errno(rawValue: errno))
        }
        defer { closedir(folder) }
        var numbers: [Int] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int(name), number > 0 { numbers.append(number) }
        }
        return numbers.sorted()
    }

    /// Opens the spool of a number, or makes it; `nil` when another process has it.
    func open(_ number: Int) throws(MessageLogError) -> Spool? {
        do throws(SpoolError) {
            return try Spool(
                SpoolOptions(
                    directory: path.appending("\(number)"), limit: limit, sync: .always, whenFull: .dropNewest))
        } catch {
            if error.code == .inUse { return nil }
            throw MessageLogError(error)
        }
    }

    /// Makes the folder and those above it, for this user alone.
    func make() throws(MessageLogError) {
        var folder = FilePath(root: path.root)
        for component in path.components {
            folder.append(component)
            guard mkdir(folder.string, 0o700) != 0, errno != EEXIST else { continue }
            throw MessageLogError(
                .systemError, "cannot make the spool folder \(path)", cause: Errno(rawValue: errno))
        }
    }
}

extension MessageLogError {
    /// What a spool's failure is to a producer.
    init(_ error: SpoolError) {
        let code: Code =
            switch error.code {
            case .full: .full
            case .closed: .closed
            case .invalidArgument: .invalidArgument
            default: .systemError
            }
        self.init(code, "the spool cannot be used", cause: error)
    }
}
