internal import HAProxy

/// Finds the steps from what runs to what is wanted, or why there are none.
///
/// A pure function. Steps come in an order in which traffic has somewhere to go at every moment: servers are put in
/// service before others are taken out of it.
struct Planner {
    private var adding: [PlanStep] = []
    private var opening: [PlanStep] = []
    private var closing: [PlanStep] = []
    private var reasons: [String] = []

    static func plan(from live: LiveState, to wanted: Configuration) -> Plan {
        let reasons = FixedDifferences.list(from: live.fixed, to: wanted)
        guard reasons.isEmpty else { return .reload(reasons) }
        var planner = Planner()
        for backend in wanted.backends { planner.compare(live.servers[backend.name] ?? [:], with: backend) }
        guard planner.reasons.isEmpty else { return .reload(planner.reasons) }
        let steps = planner.adding + planner.opening + planner.closing
        return steps.isEmpty ? .nothing : .steps(steps)
    }

    private mutating func compare(_ live: [ServerName: LiveServer], with backend: Backend) {
        let stepsBefore = adding.count
        var found = 0
        for server in backend.servers {
            if let current = live[server.name] {
                found += 1
                change(current, to: server, of: backend)
            } else {
                add(server, to: backend)
            }
        }
        if adding.count > stepsBefore, backend.cookie?.dynamicKey != nil {
            adding.append(.enableDynamicCookie(backend.name))
        }
        guard found < live.count else { return }
        let wanted = Set(backend.servers.map(\.name))
        let extra = live.values.filter { !$0.isLeaving && !wanted.contains($0.server.name) }.map(\.server.name)
        for name in extra.sorted(by: { $0.description < $1.description }) {
            closing.append(.retire(ServerPlace(backend: backend.name, server: name)))
        }
    }

    private mutating func add(_ server: Server, to backend: Backend) {
        guard server.address.kind != .hostName else {
            reasons.append("server \(backend.name)/\(server.name): a host name is resolved by a reload")
            return
        }
        guard server.cookieValue == nil else {
            reasons.append("server \(backend.name)/\(server.name): a cookie of its own")
            return
        }
        adding.append(.add(backend.name, server))
        if !server.isDisabled {
            opening.append(.setState(ServerPlace(backend: backend.name, server: server.name), .ready))
        }
    }

    private mutating func change(_ current: LiveServer, to wanted: Server, of backend: Backend) {
        let place = ServerPlace(backend: backend.name, server: wanted.name)
        func force(_ field: String) -> String { "server \(place): \(field)" }
        if current.server.isBackup != wanted.isBackup { reasons.append(force("backup")) }
        if current.server.check != wanted.check { reasons.append(force("the monitor's delay or attempts")) }
        if current.server.maximumConnections != wanted.maximumConnections { reasons.append(force("connection limit")) }
        if current.server.cookieValue != wanted.cookieValue { reasons.append(force("cookie")) }
        let hasMoved = current.server.address != wanted.address || current.server.port != wanted.port
        if hasMoved, wanted.address.kind == .hostName {
            reasons.append(force("a host name is resolved by a reload"))
        } else if hasMoved {
            opening.append(.setAddress(place, wanted.address, wanted.port))
        }
        if current.server.weight != wanted.weight {
            let step = PlanStep.setWeight(place, wanted.weight)
            if wanted.weight.value > 0 { opening.append(step) } else { closing.append(step) }
        }
        let state: RuntimeCommand.ServerAdminState = wanted.isDisabled ? .maint : .ready
        if current.state != state || current.isLeaving {
            if state == .ready {
                opening.append(.setState(place, state))
            } else {
                closing.append(.setState(place, state))
            }
        }
    }
}
