/// What somebody who watches the broadcast sees.
public enum BroadcastEvent: Sendable {
    /// A record; each comes once.
    case record(LogRecord)
    /// A message that is no record, as it is.
    case foreign([UInt8])
    /// Records of a process that did not come: it dropped them, or they were lost on the way to this viewer.
    ///
    /// It stands before the first that came after them.
    case missed(machine: String, pid: Int, count: UInt64)
    /// A broker or peer is there; its address without a password.
    case connected(String)
    /// A broker or peer is not there, or refuses; it is tried again until the viewer is closed.
    ///
    /// What is broadcast until ``connected(_:)`` does not come, unless those who log keep it meanwhile.
    case disconnected(reason: String)
}
