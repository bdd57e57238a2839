/// What `show proc` on a master's socket says: the master, its worker, and workers that finish what they have
/// (Management Guide, section 9.4).
public struct ProcessList: Hashable, Sendable {
    /// The master.
    public var master: Master
    /// The worker that serves, and any others of the master's present generation.
    public var workers: [Worker]
    /// Workers of earlier generations that finish what they have.
    public var oldWorkers: [Worker]

    /// A master process.
    public struct Master: Hashable, Sendable {
        /// Its process id.
        public var processID: Int32
        /// How often it was reloaded.
        public var reloads: Int
        /// How many reloads in a row failed: it then goes on with the workers it has.
        public var failedReloads: Int
        /// Its version.
        public var version: String
    }

    /// A worker process.
    public struct Worker: Hashable, Sendable {
        /// Its process id.
        public var processID: Int32
        /// How many reloads of its master it has seen.
        public var reloads: Int
    }
}
