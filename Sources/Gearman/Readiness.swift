/// What became of a worker's first attempts to reach its job servers.
public enum Readiness: Hashable, Sendable {
    /// The function is registered with one job server at least.
    case registered
    /// Every job server was tried once, none could be reached, and the worker goes on trying.
    case retrying
    /// The worker was stopped before either.
    case stopped
}
