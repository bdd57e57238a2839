internal import HAProxy
internal import LoadBalancing
internal import Logging

/// What was there before a change, and what the change did to it.
struct Attempt {
    /// What ran before; nil when that is not known any more.
    var presence: LiveHAProxy.Presence?
    /// What that served; nil when HAProxy has to be asked.
    var live: LiveState?
    /// The nodes that it changes.
    var nodes: Set<ServerPlace> = []
    /// How it was changed.
    var plan: Plan
    /// The command that HAProxy refused, which it therefore has not done.
    var refused: RuntimeCommand?

    /// The servers that may be there because of the change.
    var added: Set<ServerPlace> {
        var places: Set<ServerPlace> = []
        for step in plan.steps ?? [] {
            guard case .add(let backend, let server, _, _, _) = step else { continue }
            if let refused, (try? step.commands().first) == refused { break }
            places.insert(ServerPlace(backend: backend, server: server.name))
        }
        return places
    }
}

// Undoing changes that did not get to their end.
extension ChangeEngine {
    /// Finishes a DELETE, or undoes another change, that an earlier worker or a failing undo has left over.
    func finishOrUndo(_ change: PendingChange) async throws(DriverError) {
        if change.state.phase == .deleted {
            logger.notice("a DELETE did not get to its end; it is finished")
            try await stop()
            return try await finishDelete(change)
        }
        logger.notice("a change did not get to its end; it is undone")
        let presence = try await haproxy.presence()
        if let process = change.process, presence == .process(process) {
            let nodes = try nodesChanged(by: try rendered(change.state).configuration)
            try await undo(change, Attempt(presence: presence, nodes: nodes, plan: .steps([])))
        } else {
            try await undo(change, Attempt(plan: .reload([])))
        }
    }

    /// Undoes a change, and says in the error when that did not work.
    func undone(_ change: PendingChange, _ attempt: Attempt, because error: DriverError) async -> DriverError {
        logger.error("the change is undone: \(error.message)")
        var attempt = attempt
        attempt.refused = (error.cause as? HAProxyError)?.command
        do throws(DriverError) {
            try await undo(change, attempt)
            return error
        } catch let second {
            return DriverError(
                error.code,
                "\(error.message); then what was served before could not be restored: \(second.message)",
                cause: error, failedNodes: error.failedNodes)
        }
    }

    /// Puts back the configuration from before a change, and has HAProxy serve it.
    private func undo(_ change: PendingChange, _ attempt: Attempt) async throws(DriverError) {
        live = nil
        try? await service.discardStaged()
        let wasRunning = attempt.presence.map { $0 != .absent } ?? (change.previousDigest != nil)
        // Stopping comes first: without a configuration file `service haproxy stop` does nothing and says it is done.
        if !wasRunning { try await stop() }
        try await restoreConfiguration(withDigest: change.previousDigest)
        if wasRunning { try await serveAgain(attempt, insteadOf: change.state) }
        try store.abandon()
    }

    /// Puts back the file that has this digest and no other: from the backup, or written anew from the current state.
    private func restoreConfiguration(withDigest digest: UInt64?) async throws(DriverError) {
        guard try await readConfiguration().map(PendingChange.digest(of:)) != digest else { return }
        guard let digest else {
            return try await perform { service throws(HAProxyError) in try await service.removeConfiguration() }
        }
        let backup = try await perform { service throws(HAProxyError) in try await service.readBackup() }
        if backup.map(PendingChange.digest(of:)) == digest {
            return try await perform { service throws(HAProxyError) in try await service.restore() }
        }
        let fault =
            "the backup \(service.backupFile) "
            + (backup == nil ? "is gone" : "is not of the configuration from before the change")
        let text = try rendered(store.current).text
        guard PendingChange.digest(of: text.utf8) == digest else {
            throw DriverError(.storage, "\(fault), so \(service.configurationFile) is left as it is")
        }
        logger.warning("\(fault); the configuration is written anew")
        try await perform { service throws(HAProxyError) in try await service.install(text) }
    }

    /// Has HAProxy serve what was restored, unless the process from before the change still does.
    private func serveAgain(_ attempt: Attempt, insteadOf state: HostState) async throws(DriverError) {
        let present = try await haproxy.presence()
        // Where nothing is known of before, a HAProxy that does not run is none of this change's doing.
        if present == attempt.presence ?? .absent {
            guard !attempt.plan.isReload else { return }
            if await takeBackSteps(attempt, in: present) { return }
        }
        let (wanted, current) = (try rendered(store.current).configuration, store.current)
        let asked = try rendered(state).configuration
        let process = try await keepingServers(for: wanted, after: asked, nil, present) {
            () async throws(DriverError) -> HAProxyProcess? in
            try await haproxy.load()
            return current.balancers.isEmpty ? nil : try await haproxy.verify(current, replacing: present)
        }
        live = process.map { ($0, LiveState(wanted)) }
    }

    /// Plans from what runs now to what ran before, so that it does not matter how far the steps came.
    ///
    /// Servers that somebody else has added are left alone where they can be told from those of the change.
    ///
    /// - Returns: Whether that worked; a reload does the same.
    private func takeBackSteps(_ attempt: Attempt, in presence: LiveHAProxy.Presence) async -> Bool {
        guard case .process(let process) = presence, attempt.plan.steps?.allSatisfy(\.isVisible) ?? false
        else { return false }
        do {
            let configuration = try rendered(store.current).configuration
            let current = try await readConfiguration()
            guard let sight = await adopt(process, current, after: attempt.live) else { return false }
            let present = start(sight, changing: attempt.nodes)
            var own = present
            if options.reconciliation == .repair, let before = attempt.live {
                for place in present.places where before[place] == nil && !attempt.added.contains(place) {
                    own.remove(place)
                }
            }
            let resolved = attempt.live?.resolved ?? [:]
            guard let steps = Planner.plan(from: own, to: configuration, resolved: resolved).steps else { return false }
            live = (process, present)
            try await perform(steps)
            recordLeaving()
            startRetiring()
            return true
        } catch {
            logger.error("the steps cannot be taken back, so HAProxy is reloaded: \(error)")
            live = nil
            return false
        }
    }
}

extension PlanStep {
    /// Whether HAProxy can tell somebody who knows only the states before and after if the step was done.
    ///
    /// A server that takes another's place is checked otherwise, or is a backup or not, and HAProxy tells neither.
    var isTraceable: Bool {
        if case .add(_, let server, _, _, _) = self { return server.name == server.name.plain }
        return isVisible
    }
}

extension LiveState {
    /// Every server.
    fileprivate var places: [ServerPlace] {
        servers.flatMap { backend, list in list.keys.map { ServerPlace(backend: backend, server: $0) } }
    }

    fileprivate subscript(place: ServerPlace) -> LiveServer? { servers[place.backend]?[place.server] }
}
