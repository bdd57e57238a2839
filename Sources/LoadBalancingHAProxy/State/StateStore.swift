internal import LoadBalancing
internal import Logging
internal import Synchronization

/// What the worker remembers of its host over restarts, in two files of the state folder.
///
/// `state.json` says what was last asked and done. `pending.json` stands beside it while a change is under way, so that a
/// start after a crash knows what was begun. Both have the schema of an UPDATE in `loadBalancers`.
///
/// Reading ``current`` never blocks; the rest does, and is for one caller at a time.
final class StateStore: Sendable {
    private let state: AtomicFile
    private let pendingState: AtomicFile
    private let snapshot: Mutex<HostState>

    /// Reads what is there.
    ///
    /// A state file that cannot be understood is set aside, never overwritten.
    init(folder: String, logger: Logger) throws(DriverError) {
        state = AtomicFile(path: folder + "/state.json")
        pendingState = AtomicFile(path: folder + "/pending.json")
        do {
            snapshot = Mutex(try Self.read(state)?.state ?? .fresh)
        } catch {
            guard error.code == .invalid else { throw error }
            logger.error("\(error.message); it is set aside as \(state.path).corrupt, and this host starts afresh")
            do { try state.setAside(suffix: ".corrupt") } catch { throw DriverError(storage: error) }
            snapshot = Mutex(.fresh)
        }
    }

    /// The state that was last committed.
    var current: HostState { snapshot.withLock { $0 } }

    /// Writes down what is going to be tried.
    func begin(_ change: PendingChange) throws(DriverError) {
        try write(change.state, digest: change.configurationDigest, to: pendingState)
    }

    /// What was begun and neither committed nor abandoned.
    ///
    /// A file that cannot be understood stands for nothing: it was written before anything else was touched.
    func pending() throws(DriverError) -> PendingChange? {
        do {
            return try Self.read(pendingState)
        } catch {
            guard error.code == .invalid else { throw error }
            try abandon()
            return nil
        }
    }

    /// Makes `newState` the current one; what was begun is done.
    func commit(_ newState: HostState) throws(DriverError) {
        try write(newState, digest: 0, to: state)
        snapshot.withLock { $0 = newState }
        try abandon()
    }

    /// Forgets what was begun.
    func abandon() throws(DriverError) {
        do { try pendingState.remove() } catch { throw DriverError(storage: error) }
    }

    private static let version = 1

    private func write(_ newState: HostState, digest: UInt64, to file: AtomicFile) throws(DriverError) {
        var object = JSONValue(newState.balancers).object ?? JSONObject()
        object["version"] = .number(Self.version)
        object["phase"] = .string(newState.phase.rawValue)
        object["configurationDigest"] = .string(String(digest, radix: 16))
        do { try file.write(JSONValue.object(object).bytes()) } catch { throw DriverError(storage: error) }
    }

    private static func read(_ file: AtomicFile) throws(DriverError) -> PendingChange? {
        let bytes: [UInt8]?
        do { bytes = try file.read() } catch { throw DriverError(storage: error) }
        guard let bytes else { return nil }
        do {
            let object = try JSONValue(parsing: bytes).object ?? JSONObject()
            guard case .number(let version)? = object["version"], version == JSONNumber(Self.version) else {
                throw DriverError(.storage, "\(file.path) is of a version that this libra_worker does not know")
            }
            guard let phase = object["phase"]?.string.flatMap(HostState.Phase.init(rawValue:)),
                let digest = object["configurationDigest"]?.string.flatMap({ UInt64($0, radix: 16) })
            else { throw DriverError(.invalid, "\(file.path) lacks a part of what it should say") }
            let balancers = object["loadBalancers"] == [] ? [] : try LoadBalancer.list(from: object)
            return PendingChange(state: HostState(phase: phase, balancers: balancers), configurationDigest: digest)
        } catch let error as DriverError {
            throw error
        } catch {
            throw DriverError(.invalid, "\(file.path) cannot be understood: \(error)", cause: error)
        }
    }
}

/// A change that is under way.
struct PendingChange: Sendable, Equatable {
    /// What the host is to become.
    var state: HostState
    /// What tells the configuration of that state from the one before it; see ``digest(of:)``.
    var configurationDigest: UInt64

    /// A 64-bit FNV-1a hash: enough to tell two configurations of one host apart, and the same in every process.
    static func digest(of text: some Sequence<UInt8>) -> UInt64 {
        text.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension DriverError {
    init(storage failure: AtomicFile.Failure) {
        self.init(.storage, failure.description, cause: failure, isRetriable: true)
    }
}
