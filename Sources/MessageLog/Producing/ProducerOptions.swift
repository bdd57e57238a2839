public import CivilTime
public import Logging
public import SystemPackage

/// How a producer gathers messages, how long it waits for brokers, and where messages wait for those that are away.
public struct ProducerOptions: Sendable {
    /// Which messages are appended together.
    public struct Batching: Sendable, Hashable {
        /// The longest that a message waits for company, from zero to an hour.
        ///
        /// It is what ``ConcurrentProducer`` keeps to. ``Producer`` waits for company only with ``waits``: while one
        /// batch is on its way the next one gathers by itself, and what comes alone goes at once.
        public var interval: Duration
        /// How many bytes a batch has at most, unless a single message has more; 1 to ``Message/maximumBody``.
        public var bytes: Int
        /// How many messages a batch has at most, at least 1.
        public var count: Int
        /// Whether ``Producer/send(_:)-(String)`` and its kin wait for company, too.
        public var waits: Bool

        /// Describes batches.
        public init(
            interval: Duration = .milliseconds(250), bytes: Int = 1 << 20, count: Int = 1 << 20, waits: Bool = false
        ) {
            self.interval = interval
            self.bytes = bytes
            self.count = count
            self.waits = waits
        }
    }

    /// Which brokers' messages wait in a spool when the broker is away.
    public enum Spooling: String, Sendable, Hashable, CaseIterable {
        /// When there are several brokers; with one, sends fail.
        case several
        /// Always, also when the broker refuses them, since that may be mended on its side.
        case always
        /// Never: sends fail.
        case never
    }

    /// Which messages are appended together.
    public var batching: Batching
    /// How many bytes of messages wait in memory at most, those on their way included; at least 64 KiB.
    ///
    /// When there are as many, ``ConcurrentProducer/enqueue(_:)-(String)`` and sends wait.
    public var bufferBytes: Int
    /// How many messages may be on their way at once to brokers that store each by itself (the legacy layout).
    public var maxInFlight: Int
    /// How long a batch is tried before its broker counts as away.
    ///
    /// `nil` stands for 1 s where there is a spool, in which the messages then wait, and for 30 s where there is none,
    /// when they are refused. At least 1 ms: with none nothing would
    /// ever be stored.
    public var patience: Duration?
    /// The shortest and the longest pause between attempts to reach a broker; pauses double, with chance in them.
    public var pauses: ClosedRange<Duration>
    /// Which messages wait in a spool when their broker is away.
    public var spooling: Spooling
    /// The folder below which each broker's and key's messages wait; it is made when it is needed.
    public var spoolFolder: FilePath
    /// How many bytes wait at most for each broker and key, on disk.
    ///
    /// At least eight times those of a batch; a longer message has to fit in an eighth, too.
    public var spoolLimit: Int
    /// How ``Producer/sendJSON(_:)`` writes dates.
    public var timeFormat: TimeFormat
    /// Where brokers that go away and come back are reported.
    public var logger: Logger

    /// Describes a producer; the defaults suit a program that sends now and then.
    public init(
        batching: Batching = Batching(), bufferBytes: Int = 32 << 20, maxInFlight: Int = 20, patience: Duration? = nil,
        pauses: ClosedRange<Duration> = .milliseconds(100) ... .seconds(15), spooling: Spooling = .several,
        spoolFolder: FilePath = MessageLogFolders.standard.appending("spool"), spoolLimit: Int = 1 << 30,
        timeFormat: TimeFormat = .standard,
        logger: Logger = Logger(label: "muskrat", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.batching = batching
        self.bufferBytes = bufferBytes
        self.maxInFlight = maxInFlight
        self.patience = patience
        self.pauses = pauses
        self.spooling = spooling
        self.spoolFolder = spoolFolder
        self.spoolLimit = spoolLimit
        self.timeFormat = timeFormat
        self.logger = logger
    }

    func check() throws(MessageLogError) {
        func require(_ holds: Bool, _ fault: @autoclosure () -> String) throws(MessageLogError) {
            if !holds { throw MessageLogError(.invalidArgument, fault()) }
        }
        let interval = batching.interval
        try require(
            (.zero ... .seconds(3600)).contains(interval), "a batching interval of \(interval) is not from 0 to an hour"
        )
        try require(
            (1...Message.maximumBody).contains(batching.bytes),
            "batches of \(batching.bytes) bytes: 1 to \(Message.maximumBody) are right")
        try require(batching.count >= 1, "batches of \(batching.count) messages: at least 1 is right")
        try require(bufferBytes >= 64 << 10, "a buffer of \(bufferBytes) bytes: at least 65536 are right")
        try require(maxInFlight >= 1, "\(maxInFlight) messages in flight: at least 1 is right")
        try require(
            pauses.lowerBound >= .milliseconds(1), "pauses of \(pauses.lowerBound) between attempts: 1 ms is the least")
        let patience = patience ?? .seconds(1)
        try require(patience >= .milliseconds(1), "a patience of \(patience): 1 ms is the least")
        try require(
            spoolLimit / 8 >= batching.bytes,
            "a spool limit of \(spoolLimit) bytes for batches of \(batching.bytes): a batch has an eighth of a spool at "
                + "most, so let it have \(batching.bytes * 8) bytes, or make batches smaller")
    }
}
