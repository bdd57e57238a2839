internal import HAProxy
internal import LoadBalancing
internal import Logging

extension TrafficMeter {
    /// Opens a session with the process that is about to be replaced, and asks it by that until it has nothing else left.
    ///
    /// Shortly before HAProxy would cut what is left then (`hard-stop-after`), and end without telling its last counts, the
    /// same connections are cut through the session.
    ///
    /// - Returns: Whether there is a session; there is none without a process, or when its socket cannot be opened.
    func hold() async -> Bool {
        await sample()
        guard books.isOpen else { return false }
        let session = RuntimeSession(socket: client.socket, access: client.access)
        do throws(HAProxyError) {
            try await session.open()
            follow(session, of: TrafficLedger.Process(try await session.counters()))
        } catch {
            if error.code != .notRunning {
                logger.warning("HAProxy's last counters may be missed: \(error.message)")
            }
            return false
        }
        return true
    }

    private func follow(_ session: RuntimeSession, of process: TrafficLedger.Process) {
        // A process whose reload failed may be held still; two sessions would each wait for the other.
        held.removeAll { $0.process == process }
        newestHeld += 1
        let number = newestHeld
        held.append(Held(number: number, process: process))
        Task { [weak self, drainTimeout] in
            var watch = DrainWatch(drainTimeout: drainTimeout, start: .now)
            following: while let sight = await self?.ask(session), let place = await self?.place(of: number) {
                let (count, isOneTooMany) = place
                switch watch.action(after: sight, at: .now, held: count, isOneTooMany: isOneTooMany) {
                case .wait(let pause): try? await Task.sleep(for: pause)
                case .cut: await self?.cut(session, isOneTooMany: isOneTooMany)
                case .leave: break following
                }
            }
            await session.close()
            await self?.leave(number)
        }
    }

    /// A process that is held by a session.
    struct Held {
        let number: Int
        let process: TrafficLedger.Process
    }

    /// How many processes are held, and whether this one is older than those that may be; nil when another session has it.
    private func place(of number: Int) -> (count: Int, isOneTooMany: Bool)? {
        guard let index = held.firstIndex(where: { $0.number == number }) else { return nil }
        return (held.count, index < held.count - heldLimit)
    }

    private func leave(_ number: Int) { held.removeAll { $0.number == number } }

    private func ask(_ session: RuntimeSession) async -> DrainWatch.Sight {
        let sight: DrainWatch.Sight = await gate.pass {
            do throws(HAProxyError) {
                let counters = try await session.counters()
                books.note(counters)
                guard counters.isStopping else { return .goesOn }
                // Nothing new comes to a process that stops: what was read after its other jobs had ended is the last.
                return counters.jobs <= 1 ? .ended : .stopping(connections: counters.connections)
            } catch {
                logLoss(error)
                return .ended
            }
        }
        // What a process counts that goes on is read again.
        if sight != .goesOn { books.saveOrLog() }
        return sight
    }

    private func cut(_ session: RuntimeSession, isOneTooMany: Bool) async {
        if isOneTooMany {
            logger.warning(
                "more than \(heldLimit) processes of HAProxy that were replaced have connections: those of the oldest are ended, and counted, before drain_timeout is over"
            )
        }
        do throws(HAProxyError) {
            try await session.endConnections()
        } catch {
            logLoss(error)
        }
    }

    /// Logs why a process cannot be asked any more, unless it has just ended.
    private func logLoss(_ error: HAProxyError) {
        guard error.code != .connectionLost else { return }
        logger.warning("the last counters of a HAProxy that was replaced may be missed: \(error.message)")
    }

    // MARK: Old workers of a master

    /// Asks old workers through their master until they have ended: those for which nobody holds a session.
    func followOldWorkers() async {
        guard !isFollowingOldWorkers, await !oldWorkers().isEmpty, !isFollowingOldWorkers else { return }
        isFollowingOldWorkers = true
        Task { [weak self] in
            let start = ContinuousClock.now
            while await self?.oldWorkers().isEmpty == false {
                await self?.sample()
                // Short at first, for most processes end soon.
                let pause = min(max(start.duration(to: .now) / 8, .milliseconds(5)), .milliseconds(200))
                try? await Task.sleep(for: pause)
            }
            await self?.endFollowing()
        }
    }

    private func endFollowing() { isFollowingOldWorkers = false }

    /// The workers that finish what they have, as their master knows them.
    func oldWorkers() async -> [Int32] {
        guard let master, let list = try? await master.processes() else { return [] }
        return list.oldWorkers.map(\.processID)
    }
}

extension ProcessCounters {
    /// How many connections pass through backends.
    fileprivate var connections: Int {
        backends.rows.reduce(0) { $0 + ($1.kind == .backend ? Int(clamping: $1.currentSessions) : 0) }
    }
}
