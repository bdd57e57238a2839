internal import HAProxy
internal import LoadBalancing

/// The HAProxy that runs on this host, and whether it serves what it should.
struct LiveHAProxy: Sendable {
    let service: any ServiceControl
    let runtime: RuntimeClient

    /// How long a new process may take to answer, once the command that starts it has returned.
    private static let patience = Duration.seconds(20)

    /// What runs.
    enum Presence: Hashable {
        /// Nothing.
        case absent
        /// A HAProxy that has no socket of ours, such as the one that a package starts when it is installed.
        case stranger
        /// This process, which answers.
        case process(HAProxyProcess)
    }

    func presence() async throws(DriverError) -> Presence {
        do throws(HAProxyError) {
            do throws(HAProxyError) {
                return .process(try await runtime.info().process)
            } catch let error where error.code == .notRunning || error.code == .permissionDenied {
                // A socket that may not be opened can be one that a HAProxy left behind.
                guard try await service.isRunning() else { return .absent }
                guard error.code == .notRunning else { throw error }
                return .stranger
            }
        } catch {
            throw DriverError(error)
        }
    }

    /// Makes HAProxy serve the configuration that is on disk.
    func load() async throws(DriverError) {
        do throws(HAProxyError) {
            if try await service.isRunning() {
                try await service.reload()
            } else {
                try await service.start()
            }
        } catch {
            throw DriverError(error)
        }
    }

    /// Waits for a process other than the one before, and makes sure that every frontend listens in it.
    ///
    /// - Returns: The process.
    func verify(_ state: HostState, replacing presence: Presence) async throws(DriverError) -> HAProxyProcess {
        let old: Int32? = if case .process(let process) = presence { process.id } else { nil }
        let process: HAProxyProcess
        let frontends: Statistics
        do throws(HAProxyError) {
            process = try await runtime.waitForProcess(otherThan: old, within: Self.patience).process
            frontends = try await runtime.statistics(kinds: .frontends)
        } catch {
            throw DriverError(error)
        }
        let listening = Set(frontends.rows.filter(\.status.isUp).map(\.proxy))
        for balancer in state.balancers where state.phase == .active {
            guard listening.contains(balancer.key.frontendName) else {
                throw DriverError(
                    .refused,
                    "HAProxy does not listen on address \(balancer.address) port \(balancer.port) for \(balancer.key)")
            }
        }
        return process
    }
}
