internal import HAProxy

/// The proxies that HAProxy shows when it serves a configuration, and which of them listen.
struct Expectation {
    private let backends: Set<String>
    private let listening: Set<String>

    init(_ configuration: Configuration) {
        backends = Set(configuration.backends.map(\.name.description))
        listening = Set(configuration.frontends.filter { !$0.isDisabled }.map(\.name.description))
    }

    func isMet(by statistics: Statistics) -> Bool {
        var backends: Set<String> = []
        var listening: Set<String> = []
        for row in statistics.rows {
            switch row.kind {
            case .frontend: if row.status.isUp { listening.insert(row.proxy) }
            case .backend: backends.insert(row.proxy)
            case .server, .listener: break
            }
        }
        return backends == self.backends && listening == self.listening
    }
}
