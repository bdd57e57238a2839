internal import HAProxy
internal import LoadBalancing
internal import Logging

/// The servers that were removed, and wait for their connections to end.
struct Retirement {
    /// Whether somebody looks after them.
    var isUnderWay = false
    /// When the patience with each ends.
    private(set) var deadlines: [ServerPlace: ContinuousClock.Instant] = [:]
    /// All of them, in the order in which they are looked at.
    private var queue: [ServerPlace] = []

    /// Takes note of those that there are: one that is in service again begins anew when it is removed again.
    mutating func update(_ places: [ServerPlace], patience: Duration, now: ContinuousClock.Instant) {
        let leaving = Set(places)
        for place in queue where !leaving.contains(place) { deadlines[place] = nil }
        queue.removeAll { deadlines[$0] == nil }
        for place in places where deadlines[place] == nil {
            deadlines[place] = now + patience
            queue.append(place)
        }
    }

    /// The next to be looked at; they are last in the line then, so that none waits behind others that are busy.
    mutating func next(_ count: Int) -> [ServerPlace] {
        let batch = Array(queue.prefix(count))
        queue.removeFirst(batch.count)
        queue += batch
        return batch
    }

    /// Forgets what is known of a server.
    mutating func forget(_ place: ServerPlace) { deadlines[place] = nil }
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
            while let progress = await retireSome() {
                // Idle ones go one batch after the other; changes have their turn in between.
                pause = progress ? .milliseconds(20) : pause
                if !progress {
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(1))
                }
            }
        }
    }

    /// Removes some of those that have no connections any more, or have had their time.
    ///
    /// - Returns: Whether it has removed one; nil when none is left.
    private func retireSome() async -> Bool? {
        await gate.enter()
        defer { gate.leave() }
        let places = live?.state.leaving ?? []
        let patience = Duration.milliseconds(Int64(options.drainTimeout.value))
        retirement.update(places, patience: patience, now: .now)
        var hasProgress = false
        do throws(HAProxyError) {
            if let live, !places.isEmpty {
                try await session.open()
                // Whoever answers here goes on answering, whatever is reloaded meanwhile.
                guard try await session.info().process == live.process else {
                    await session.close()
                    // A new process never had them.
                    self.live = nil
                    retirement = Retirement()
                    return nil
                }
                for place in retirement.next(Self.batch) where try await retire(place) { hasProgress = true }
            }
        } catch {
            logger.warning("servers that were removed wait for HAProxy: \(error.message)")
        }
        await session.close()
        guard live?.state.leaving.isEmpty ?? true else { return hasProgress }
        recordLeaving()
        retirement = Retirement()
        return nil
    }

    /// Deletes a server; HAProxy refuses that while it has connections.
    ///
    /// - Returns: Whether there is nothing left to do.
    private func retire(_ place: ServerPlace) async throws(HAProxyError) -> Bool {
        let overdue = retirement.deadlines[place].map { ContinuousClock.now - $0 } ?? .zero
        do throws(HAProxyError) {
            if overdue > Self.grace {
                try await session.perform(.shutdownSessions(place.backend, place.server))
            }
            try await session.perform(.deleteServer(place.backend, place.server))
        } catch let error where error.code == .commandRefused {
            // Connections that go on, are idle or just ending; or somebody else has removed the server, or put it in service.
            let words = error.message
            guard words.contains("No such server") || words.contains("maintenance mode") else { return false }
            logger.notice("server \(place) was removed, and then changed by somebody else: \(words)")
        }
        live?.state.remove(place)
        // A server of the same name that is added and removed later begins anew.
        retirement.forget(place)
        return true
    }
}
