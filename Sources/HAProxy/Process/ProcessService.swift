internal import DedicatedThread
public import SystemPackage

/// HAProxy as a process of one's own: a master and its worker, detached, with everything in one folder.
///
/// HAProxy is no child of this process and lives on when it ends; a later one finds it again by the master's socket in
/// the same folder. It runs as this user, without root; ports below 1024 need `CAP_NET_BIND_SERVICE`.
public struct ProcessService: Sendable {
    /// The folder, of which this user is the owner.
    public let folder: FilePath
    /// HAProxy itself.
    public let executable: FilePath
    /// How long a start, a stop or a reload may take.
    public let timeout: Duration
    /// The file that HAProxy reads.
    public let configurationFile: FilePath
    /// Where calls that block are made.
    let thread = DedicatedThread(name: "haproxy-service")

    /// Creates a service control; nothing is run yet.
    ///
    /// - Parameters:
    ///   - folder: Where the configuration, the sockets, the process id and what HAProxy says are kept. It exists, and
    ///     its path is absolute and has at most 76 bytes, since unix sockets allow little more.
    ///   - configurationFile: The file that HAProxy reads; `haproxy.cfg` in the folder by default.
    ///   - executable: HAProxy itself.
    ///   - timeout: How long a start, a stop or a reload may take.
    public init(
        folder: FilePath, configurationFile: FilePath? = nil, executable: FilePath = "/usr/sbin/haproxy",
        timeout: Duration = .seconds(60)
    ) {
        self.folder = folder
        self.configurationFile = configurationFile ?? folder.appending("haproxy.cfg")
        self.executable = executable
        self.timeout = timeout
    }

    /// The master's socket.
    public var masterSocket: FilePath { folder.appending("haproxy-master.sock") }
    /// The file with the master's process id.
    public var processIDFile: FilePath { folder.appending("haproxy.pid") }
    /// A named pipe with what HAProxy last said on its standard error; what is read from it is gone.
    public var messagePipe: FilePath { folder.appending("haproxy.messages") }
    /// The master.
    public var master: MasterClient { MasterClient(socket: masterSocket) }
}
