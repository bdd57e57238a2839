internal import HAProxy
internal import LoadBalancing
internal import Logging

/// The servers that were removed, and wait for their connections to end.
struct Retirement {
    /// Whether somebody looks after them.
    var isUnderWay = false
    /// When the patience with each ends.
    var deadlines: [ServerPlace: ContinuousClock.Instant] = [:]
    /// HAProxy's numbers of them.
    var numbers: [ServerPlace: Int] = [:]

    /// Forgets what is known of a server.
    mutating func forget(_ place: ServerPlace) {
        deadlines[place] = nil
        numbers[place] = nil
    }
}

// Removing servers behind the replies: they take nothing new, and are deleted when their connections have ended.
extension ChangeEngine {
    /// After the deadline connections are ended; HAProxy needs a moment until it has let go of them.
    private static let grace = Duration.seconds(2)
    /// How many servers are looked at before the next change has its turn.
    private static let batch = 100

    /// Goes on with the servers that an earlier worker had removed, and has written down.
    func resumeRetiring() async {
        await gate.enter()
        defer { gate.leave() }
        guard live == nil, let process = try? await haproxy.runtime.info().process, store.leaving?.process == process,
            let current = try? await readConfiguration(), let sight = await adopt(process, current)
        else { return }
        live = (process, start(sight, changing: []))
        startRetiring()
    }

    /// Writes down which servers leave, for the next worker, where that is not what the last change has foretold.
    func recordLeaving() {
        guard let live else { return }
        do throws(DriverError) {
            try store.remember(LeavingServers(process: live.process, places: Set(live.state.leaving)))
        } catch {
            logger.warning("the next worker will not know which servers were removed: \(error.message)")
        }
    }

    /// Looks after the servers that leave, until there are none.
    func startRetiring() {
        guard !retirement.isUnderWay, let live, !live.state.leaving.isEmpty else { return }
        retirement.isUnderWay = true
        Task {
            var pause = Duration.milliseconds(20)
            while await !retireSome() {
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// Removes those that have no connections any more, or have had their time.
    ///
    /// - Returns: Whether none is left.
    private func retireSome() async -> Bool {
        await gate.enter()
        defer { gate.leave() }
        let places = live?.state.leaving ?? []
        // One that is in service again begins anew when it is removed again, with another process too.
        retirement.deadlines = retirement.deadlines.filter { places.contains($0.key) }
        retirement.numbers = retirement.numbers.filter { places.contains($0.key) }
        let now = ContinuousClock.now
        let patience = Duration.milliseconds(Int64(options.drainTimeout.value))
        for place in places where retirement.deadlines[place] == nil { retirement.deadlines[place] = now + patience }
        do throws(HAProxyError) {
            if let live, !places.isEmpty {
                guard try await haproxy.runtime.info().process == live.process else {
                    // A new process never had them.
                    self.live = nil
                    retirement = Retirement()
                    return true
                }
                for place in places.prefix(Self.batch) { try await retire(place) }
            }
        } catch {
            logger.warning("servers that were removed wait for HAProxy: \(error.message)")
        }
        guard live?.state.leaving.isEmpty ?? true else { return false }
        recordLeaving()
        retirement = Retirement()
        return true
    }

    private func retire(_ place: ServerPlace) async throws(HAProxyError) {
        let overdue = retirement.deadlines[place].map { ContinuousClock.now - $0 } ?? .zero
        if overdue < .zero, try await sessions(of: place) > 0 { return }
        do throws(HAProxyError) {
            if overdue > Self.grace {
                try await haproxy.runtime.perform(.shutdownSessions(place.backend, place.server))
            }
            try await haproxy.runtime.perform([
                .setServerState(place.backend, place.server, .maint), .deleteServer(place.backend, place.server),
            ])
        } catch let error where error.code == .commandRefused {
            // Connections that are idle or just ending; or somebody else has removed the server already.
            guard error.message.contains("No such server") else { return }
        }
        live?.state.remove(place)
        // A server of the same name that is added and removed later begins anew.
        retirement.forget(place)
    }

    /// The connections that a server has at this moment.
    private func sessions(of place: ServerPlace) async throws(HAProxyError) -> UInt64 {
        if retirement.numbers[place] == nil {
            let leaving = Set(retirement.deadlines.keys)
            for row in try await haproxy.runtime.serversState(backend: place.backend).rows {
                let other = ServerPlace(backend: place.backend, server: try ServerName(row.name))
                if leaving.contains(other) { retirement.numbers[other] = row.number }
            }
        }
        guard let number = retirement.numbers[place] else { return 0 }
        let reply = try await haproxy.runtime.send(.showStat(place.backend, serverNumber: number))
        return try Statistics(reply).rows.first { $0.server == place.server.description }?.currentSessions ?? 0
    }
}
