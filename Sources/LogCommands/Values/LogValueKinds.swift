package import CommandKit
package import Spool
package import ZeroMQ

extension ValueKind where Value == Linger {
    /// A length of time, or `forever`.
    package static var linger: ValueKind {
        .parsed("a time such as '500ms', '30s' or '2m', or 'forever'") {
            Linger($0)
        } format: {
            "\($0)"
        }
    }

    /// A number of milliseconds as ZMQ_LINGER takes it: -1 for no limit.
    package static var lingerInMilliseconds: ValueKind {
        .parsed("a number of milliseconds, or -1 for no limit") { text in
            guard let number = Int32(text), number >= -1 else { return nil }
            return number < 0 ? .forever : .atMost(TimeSpan(.milliseconds(Int(number))))
        } format: { linger in
            linger.limit.map { "\(Int($0 / .milliseconds(1)))" } ?? "-1"
        }
    }
}

extension ValueKind where Value == SyncPolicy {
    /// When the spool is made to survive a loss of power.
    package static var sync: ValueKind<SyncPolicy> {
        .parsed("'always', 'never' or an interval from 1ms to 60min, as in 'interval=5ms'") { text in
            guard let policy = try? SyncPolicy(text.lowercased()) else { return nil }
            if case .interval(let time) = policy, time > .seconds(3600) { return nil }
            return policy
        } format: {
            "\($0)"
        }
    }
}

extension ValueKind where Value == Verbosity {
    /// A level of a log.
    package static var verbosity: ValueKind {
        .parsed("a level: 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL' or its number") {
            Verbosity($0)
        } format: {
            "\($0)"
        }
    }
}

extension Endpoint {
    /// Why nothing can connect to an endpoint that ``isWildcard``, and what can be done about it.
    var cannotConnect: String {
        "'\(self)' stands for no single peer, so that it can only be bound: name the peer's host and port, as in "
            + "tcp://127.0.0.1:5000"
    }
}

extension ValueKind where Value == Endpoint {
    /// Where a socket binds or connects.
    package static var endpoint: ValueKind<Endpoint> {
        .parsed("an endpoint: tcp://HOST:PORT, an IPv6 address in brackets, or ipc://PATH") {
            try? Endpoint($0)
        } format: {
            "\($0)"
        }
    }
}
