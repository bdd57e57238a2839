internal import HAProxy

/// A change that is under way.
struct PendingChange: Sendable, Equatable {
    /// What the host is to become.
    var state: HostState

    /// What tells the configuration from before the change from any other; nil when there was none.
    ///
    /// While the file still has this digest nothing was put in its place, and the backup may be of an older one.
    var previousDigest: UInt64? = nil

    /// The process that is changed while it runs; nil when HAProxy is reloaded or started.
    var process: HAProxyProcess? = nil

    /// The servers that have been removed and are still there when it is done; nil when nothing is known of any.
    var leaving: LeavingServers? = nil

    /// A 64-bit FNV-1a hash: enough to tell two configurations of one host apart, and the same in every process.
    static func digest(of text: some Sequence<UInt8>) -> UInt64 {
        text.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
