internal import HAProxy

/// Finds the steps from what runs to what is wanted, or why there are none.
///
/// A pure function. Steps come in an order in which traffic has somewhere to go at every moment: servers are put in
/// service before others are taken out of it. Where servers are replaced, those that are backups from now on come first:
/// a backup and an active node that change places never both take traffic as active ones, which GALERA must not have.
struct Planner {
    /// How many servers are replaced at most in a backend that has so many.
    ///
    /// HAProxy looks through its list of them for each command, so one takes 0.1 ms among 500 and 0.8 ms among 10,000. With
    /// 500 of 500, and with 2,000 of 10,000, the steps take about as long as a reload; all of 10,000 take six times as long.
    static func replacementLimit(of count: Int) -> Int { max(500, count / 5) }

    private var adding: [PlanStep] = []
    private var openingBackups: [PlanStep] = []
    private var opening: [PlanStep] = []
    private var closing: [PlanStep] = []
    private var reasons: [String] = []
    private let resolved: [Address: Address]
    private var numbers: [ProxyName: Int]

    /// Plans a change, with the addresses of host names; a step that needs one that is not there forces a reload, in which
    /// HAProxy looks the name up itself.
    static func plan(
        from live: LiveState, to wanted: Configuration, resolved: [Address: Address] = [:]
    ) -> Plan {
        let reasons = FixedDifferences.list(from: live.fixed, to: wanted)
        guard reasons.isEmpty else { return .reload(reasons) }
        var planner = Planner(resolved: resolved, numbers: live.highestNumbers)
        for frontend in wanted.frontends { planner.compareLimit(live.fixed, with: frontend) }
        for backend in wanted.backends { planner.compare(live.servers[backend.name] ?? [:], with: backend) }
        guard planner.reasons.isEmpty else { return .reload(planner.reasons) }
        let steps = planner.adding + planner.openingBackups + planner.opening + planner.closing
        return steps.isEmpty ? .nothing : .steps(steps)
    }

    private init(resolved: [Address: Address], numbers: [ProxyName: Int]) {
        self.resolved = resolved
        self.numbers = numbers
    }

    private mutating func compareLimit(_ fixed: Configuration, with frontend: Frontend) {
        let current = fixed.frontends.first { $0.name == frontend.name }?.maximumConnections
        guard let limit = frontend.maximumConnections, limit.value > 0, limit != current else { return }
        opening.append(.setFrontendLimit(frontend.name, limit))
    }

    private mutating func compare(_ live: [ServerName: LiveServer], with backend: Backend) {
        let line = Incarnations(live)
        var (found, replaced) = (0, 0)
        for server in backend.servers {
            let incarnations = line.all(of: server.name)
            found += incarnations.count
            if let current = Incarnations.best(of: incarnations, for: server) {
                change(current, to: server, of: backend)
                dismiss(incarnations, but: current, for: server, of: backend)
            } else {
                add(server, to: backend, after: incarnations)
                if !incarnations.isEmpty { replaced += 1 }
                dismiss(incarnations, for: server, of: backend)
            }
        }
        let limit = Self.replacementLimit(of: backend.servers.count)
        if replaced > limit {
            reasons.append(
                "backend \(backend.name): \(replaced) servers change their backup or their monitor's delay or attempts,"
                    + " and more than \(limit) are not replaced one by one")
        }
        guard found < live.count else { return }
        let wanted = Set(backend.servers.map(\.name))
        let extra = live.values.filter { !$0.isLeaving && !wanted.contains($0.server.name.plain) }
        // While it drained, HAProxy would go on sending it the clients that belong to it by a cookie or by their address.
        for server in extra.sorted(by: { $0.server.name.description < $1.server.name.description }) {
            closing.append(.retire(server.place(in: backend), into: .maint))
        }
    }

    /// Adds a server, after those that were there for its node.
    private mutating func add(_ wanted: Server, to backend: Backend, after incarnations: [LiveServer]) {
        let place = ServerPlace(backend: backend.name, server: wanted.name)
        guard wanted.cookieValue == nil else { return reasons.append("server \(place): a cookie of its own") }
        guard let address = address(of: wanted, after: incarnations.first) else { return }
        var server = wanted
        let incarnation = incarnations.first.map { $0.server.name.incarnation + 1 } ?? 1
        guard let name = try? wanted.name.incarnation(incarnation) else {
            return reasons.append("server \(place): its name is too long for a successor's")
        }
        server.name = name
        let next = (numbers[backend.name] ?? 0) + 1
        numbers[backend.name] = next
        let withCookie = backend.cookie?.dynamicKey != nil
        adding.append(.add(backend.name, server, at: address, number: next, withCookie: withCookie))
        if !server.isDisabled {
            let step = PlanStep.setState(ServerPlace(backend: backend.name, server: name), .ready)
            if server.isBackup { openingBackups.append(step) } else { opening.append(step) }
        }
    }

    /// Takes those out of service in whose place another one is.
    ///
    /// They do not drain: in maintenance they keep the connections they have as well, and clients that belong to them by
    /// their cookie, which is the same, go to the other.
    private mutating func dismiss(
        _ servers: [LiveServer], but current: LiveServer? = nil, for wanted: Server, of backend: Backend
    ) {
        for server in servers where !server.isLeaving || server.state != .maint {
            if server.server.name == current?.server.name { continue }
            let step = PlanStep.retire(server.place(in: backend), into: .maint)
            if wanted.isBackup { openingBackups.append(step) } else { opening.append(step) }
        }
    }

    private mutating func change(_ current: LiveServer, to wanted: Server, of backend: Backend) {
        let place = current.place(in: backend)
        func open(_ step: PlanStep) {
            if wanted.isBackup { openingBackups.append(step) } else { opening.append(step) }
        }
        if current.server.address != wanted.address || current.server.port != wanted.port {
            guard let address = address(of: wanted, after: current) else { return }
            open(.setAddress(place, wanted.address, wanted.port, at: address))
        }
        if (current.server.maximumConnections?.value ?? 0) != (wanted.maximumConnections?.value ?? 0) {
            open(.setLimit(place, wanted.maximumConnections))
        }
        if current.server.weight != wanted.weight {
            let step = PlanStep.setWeight(place, wanted.weight)
            if wanted.weight.value > 0 || current.state != .ready { open(step) } else { closing.append(step) }
        }
        if wanted.check != nil, !current.isChecked { open(.enableHealth(place)) }
        let state: RuntimeCommand.ServerAdminState = wanted.isDisabled ? .maint : .ready
        if current.state != state || current.isLeaving {
            if state == .ready { open(.setState(place, state)) } else { closing.append(.setState(place, state)) }
        }
    }

    /// Where a server is to be reached; nil, and a reason, when that is not known.
    private mutating func address(of wanted: Server, after current: LiveServer?) -> Address? {
        guard wanted.address.kind == .hostName else { return wanted.address }
        // A node that stays with its name stays where it is.
        if let current, current.server.address == wanted.address, let address = current.address { return address }
        if let address = resolved[wanted.address] { return address }
        reasons.append("host name \(wanted.address) of \(wanted.name): it is looked up by a reload")
        return nil
    }
}

extension LiveServer {
    fileprivate func place(in backend: Backend) -> ServerPlace {
        ServerPlace(backend: backend.name, server: server.name)
    }
}
