import SystemPackage

/// What went wrong with a spool directory.
public struct SpoolError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An option cannot be used as it is; nothing was opened.
        public static let invalidArgument = Code("invalidArgument")
        /// Another process has the spool directory.
        public static let inUse = Code("inUse")
        /// The directory or a file in it cannot be read, or is of a format that this version does not know.
        public static let unreadable = Code("unreadable")
        /// There is no room: the limit is reached, or the disk is full.
        public static let full = Code("full")
        /// The spool was closed.
        public static let closed = Code("closed")
        /// The operating system refused something; the message has its reason.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// The message, and that of the cause.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func unknownVersion(_ version: UInt32, _ file: FilePath) -> SpoolError {
        SpoolError(
            .unreadable,
            "\(file) is of the spool format's version \(version), and this program knows version \(SegmentHeader.version): "
                + "drain the spool with the program that wrote it, or name another directory")
    }
}
