internal import HAProxy

/// The differences between two configurations that HAProxy takes over only by a reload, each in words that name the field.
///
/// Servers are not looked at, nor is what makes no difference to HAProxy: comments, and the order of proxies.
enum FixedDifferences {
    static func list(from old: Configuration, to new: Configuration) -> [String] {
        var differences: [String] = []
        if old.global != new.global { differences.append("the global settings") }
        if old.defaults != new.defaults { differences.append("the default settings") }
        compare(old.frontends, new.frontends, "frontend", by: \.name, fields: frontendFields, &differences)
        compare(old.backends, new.backends, "backend", by: \.name, fields: backendFields, &differences)
        return differences
    }

    private typealias Field<Proxy> = (name: String, differs: (Proxy, Proxy) -> Bool)

    private static func field<Proxy, Value: Equatable>(
        _ name: String, _ value: @escaping (Proxy) -> Value
    ) -> Field<Proxy> {
        (name, { value($0) != value($1) })
    }

    private static var frontendFields: [Field<Frontend>] {
        [
            field("protocol", \.mode), field("address or port", \.binds), field("whether it listens", \.isDisabled),
            field("log format", \.logFormat), field("X-Forwarded-For", \.forwardsClientAddress),
            field("idle connections", \.keepsIdleConnectionsWhenReplaced),
            field("continuous counters", \.countsContinuously),
            // Another limit can be set at run time; one where there was none, or none where there was one, cannot.
            field("connection limit") { ($0.maximumConnections?.value ?? 0) > 0 },
            field("client_timeout", \.clientTimeout), field("backend", \.defaultBackend),
        ]
    }

    private static var backendFields: [Field<Backend>] {
        [
            field("protocol", \.mode), field("algorithm", \.balance),
            field("X-Forwarded-For", \.forwardsClientAddress), field("cookie", \.cookie),
            field("stick table", \.stickTable), field("monitor's type or path", \.httpCheck),
            field("connect_retries", \.retries), field("connect_timeout", \.timeouts.connect),
            field("server_timeout", \.timeouts.server), field("monitor's timeout", \.timeouts.check),
            field("time-outs", \.timeouts.queue), field("client_timeout", \.timeouts.client),
            field("server state", \.loadsServerState),
        ]
    }

    private static func compare<Proxy>(
        _ old: [Proxy], _ new: [Proxy], _ kind: String, by name: (Proxy) -> ProxyName, fields: [Field<Proxy>],
        _ differences: inout [String]
    ) {
        var before: [ProxyName: Proxy] = [:]
        for proxy in old { before[name(proxy)] = proxy }
        for proxy in new {
            guard let previous = before.removeValue(forKey: name(proxy)) else {
                differences.append("\(kind) \(name(proxy)) is new")
                continue
            }
            for field in fields where field.differs(previous, proxy) {
                differences.append("\(kind) \(name(proxy)): \(field.name)")
            }
        }
        for name in before.keys.map(\.description).sorted() { differences.append("\(kind) \(name) is removed") }
    }
}
