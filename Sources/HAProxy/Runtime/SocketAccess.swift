/// How a unix socket of HAProxy is reached.
public enum SocketAccess: String, Hashable, Sendable, CaseIterable {
    /// By opening it.
    case direct
    /// By `sudo -n socat`, for a socket that belongs to root (``SudoCommand/socat(to:)``); about 3 ms and more a command.
    case socat
    /// By opening it, and by `sudo -n socat` when that is not permitted.
    case auto
}
