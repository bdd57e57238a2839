internal import HAProxy
import JSON
internal import LoadBalancing
internal import Logging
internal import Synchronization

/// What the worker remembers of its host over restarts, in two files of the state folder.
///
/// `state.json` says what was last asked and done. `pending.json` stands beside it while a change is under way; renaming
/// it to `state.json` is what commits the change, so that there is no moment between the two and a disk that has filled
/// up meanwhile cannot keep it from happening. Both have the schema of an UPDATE in `loadBalancers`.
///
/// Reading ``current`` never blocks; the rest does, and is for one caller at a time.
final class StateStore: Sendable {
    private let state: AtomicFile
    private let pendingState: AtomicFile
    private let snapshot: Mutex<PendingChange>

    /// Reads what is there.
    ///
    /// A state file that cannot be understood is set aside, never overwritten.
    init(folder: String, logger: Logger) throws(DriverError) {
        state = AtomicFile(path: folder + "/state.json")
        pendingState = AtomicFile(path: folder + "/pending.json")
        do {
            snapshot = Mutex(try Self.read(state) ?? PendingChange(state: .fresh))
        } catch {
            guard error.code == .invalid else { throw error }
            do {
                let place = try state.setAside(suffix: ".corrupt")
                logger.error("\(error.message); it is set aside as \(place), and this host starts afresh")
            } catch let failure {
                throw DriverError(storage: failure)
            }
            snapshot = Mutex(PendingChange(state: .fresh))
        }
    }

    /// The state that was last committed.
    var current: HostState { snapshot.withLock { $0.state } }

    /// The servers that were removed and may still be there, as the last change or ``remember(_:)`` has it.
    var leaving: LeavingServers? { snapshot.withLock { $0.leaving } }

    /// Writes down which servers wait for their end; nothing where that is known already.
    func remember(_ leaving: LeavingServers) throws(DriverError) {
        var present = snapshot.withLock { $0 }
        guard leaving != present.leaving, !leaving.places.isEmpty || present.leaving?.places.isEmpty == false
        else { return }
        present.leaving = leaving.places.isEmpty ? nil : leaving
        do { try state.write(Self.bytes(of: present)) } catch { throw DriverError(storage: error) }
        snapshot.withLock { $0 = present }
    }

    /// Writes down what is going to be tried, in the place of what may be left over from an earlier change.
    func begin(_ change: PendingChange) throws(DriverError) {
        do { try pendingState.write(Self.bytes(of: change)) } catch { throw DriverError(storage: error) }
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

    /// Makes what was begun the current state.
    func commit(_ change: PendingChange) throws(DriverError) {
        do { try pendingState.rename(over: state) } catch { throw DriverError(storage: error) }
        snapshot.withLock { $0 = change }
    }

    /// Forgets what was begun.
    func abandon() throws(DriverError) {
        do { try pendingState.remove() } catch { throw DriverError(storage: error) }
    }
}

// MARK: - Schema

extension StateStore {
    private static let version = 1

    private enum Key {
        static let version = "version"
        static let phase = "phase"
        static let previousDigest = "previousConfigurationDigest"
        static let process = "process"
        static let leaving = "leaving"
    }

    private static func bytes(of change: PendingChange) -> [UInt8] {
        var object = JSONValue(change.state.balancers).object ?? JSONObject()
        object[Key.version] = .number(version)
        object[Key.phase] = .string(change.state.phase.rawValue)
        object[Key.previousDigest] = change.previousDigest.map { .string(String($0, radix: 16)) }
        object[Key.process] = change.process?.json
        object[Key.leaving] = change.leaving?.json
        return JSONValue.object(object).bytes()
    }

    private static func read(_ file: AtomicFile) throws(DriverError) -> PendingChange? {
        let bytes: [UInt8]?
        do { bytes = try file.read() } catch { throw DriverError(storage: error) }
        guard let bytes else { return nil }
        do {
            let object = try JSONValue(parsing: bytes).object ?? JSONObject()
            guard case .number(let version)? = object[Key.version], version == JSONNumber(Self.version) else {
                throw DriverError(.storage, "\(file.path) is of a version that this libra_worker does not know")
            }
            guard let phase = object[Key.phase]?.string.flatMap(HostState.Phase.init(rawValue:)) else {
                throw DriverError(.invalid, "\(file.path) does not say in which phase the host is")
            }
            let balancers = object["loadBalancers"] == [] ? [] : try LoadBalancer.list(from: object)
            return PendingChange(
                state: HostState(phase: phase, balancers: balancers),
                previousDigest: object[Key.previousDigest]?.string.flatMap { UInt64($0, radix: 16) },
                process: object[Key.process].flatMap(HAProxyProcess.init(json:)),
                leaving: object[Key.leaving].flatMap(LeavingServers.init))
        } catch let error as DriverError {
            throw error
        } catch {
            throw DriverError(.invalid, "\(file.path) cannot be understood: \(error)", cause: error)
        }
    }
}

extension DriverError {
    init(storage failure: AtomicFile.Failure) {
        self.init(.storage, failure.description, cause: failure, isRetriable: true)
    }
}
