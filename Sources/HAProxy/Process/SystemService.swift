internal import DedicatedThread
public import SystemPackage

/// HAProxy as a service of the operating system: `service haproxy`, and files that belong to root, through `sudo -n`.
public struct SystemService: Sendable {
    /// Where things are.
    public struct Paths: Hashable, Sendable {
        /// The file that the service reads.
        public var configuration: FilePath
        /// Its backup.
        public var backup: FilePath
        /// Where a new configuration waits: its folder belongs to root, has the sticky bit, and this user may write it.
        public var staged: FilePath
        /// Where the service keeps its process ids.
        public var processIDs: FilePath
        /// HAProxy itself.
        public var executable: FilePath

        /// Creates a set of paths.
        ///
        /// - Parameters:
        ///   - configuration: The file that the service reads.
        ///   - backup: Its backup; by default beside it, with `.libra-backup` added to its name.
        ///   - staged: Where a new configuration waits.
        ///   - processIDs: Where the service keeps its process ids.
        ///   - executable: HAProxy itself.
        public init(
            configuration: FilePath = "/etc/haproxy/haproxy.cfg", backup: FilePath? = nil,
            staged: FilePath = "/var/spool/libra/haproxy.cfg", processIDs: FilePath = "/run/haproxy.pid",
            executable: FilePath = "/usr/sbin/haproxy"
        ) {
            self.configuration = configuration
            self.backup = backup ?? FilePath(configuration.string + ".libra-backup")
            self.staged = staged
            self.processIDs = processIDs
            self.executable = executable
        }
    }

    /// Where things are.
    public let paths: Paths
    /// The user that HAProxy becomes, by its configuration (``Global/user``).
    public let user: String
    /// How long one command may take.
    public let timeout: Duration
    /// Where calls that block are made.
    let thread = DedicatedThread(name: "haproxy-service")

    /// Creates a service control; nothing is run yet.
    ///
    /// - Parameters:
    ///   - paths: Where things are.
    ///   - user: The user that HAProxy becomes, by its configuration; a process of anybody else but root is not its.
    ///   - timeout: How long one command may take.
    public init(paths: Paths = Paths(), user: String = "haproxy", timeout: Duration = .seconds(60)) {
        self.paths = paths
        self.user = user
        self.timeout = timeout
    }

    /// Every command that this service control runs through sudo, for a sudoers file and for checks.
    public var sudoCommands: [SudoCommand] {
        SudoCommand.ServiceAction.allCases.map(SudoCommand.service) + [
            .copy(paths.configuration, to: paths.backup),
            .copy(paths.backup, to: paths.configuration),
            .move(paths.staged, to: paths.configuration),
            .remove(paths.configuration),
            .remove(paths.backup),
        ]
    }
}
