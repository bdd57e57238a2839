internal import ArgumentParser
package import CommandKit
package import LogTransport
package import Spool
package import ZeroMQ

/// Which exit code a failure of the parts below means.
extension CommandError {
    /// A failure of the engine; what lies beneath decides where it says more.
    package init(_ error: LogTransportError) {
        let code: ExitCode =
            switch (error.code, error.cause) {
            case (_, let cause as SpoolError): Self.code(cause)
            case (.invalidArgument, _): .configuration
            case (.unavailable, _): .unavailable
            case (.protocolViolation, _), (.closed, _): .failure
            default: .inputOutput
            }
        self.init(code, "\(error)", cause: error)
    }

    /// A failure of the spool.
    package init(_ error: SpoolError) { self.init(Self.code(error), "\(error)", cause: error) }

    /// A failure of a socket.
    package init(_ error: ZeroMQError) {
        let code: ExitCode =
            switch error.code {
            case .invalidArgument: .configuration
            case .addressInUse, .unavailable: .unavailable
            default: .inputOutput
            }
        self.init(code, "\(error)", cause: error)
    }

    /// A key file that cannot be used.
    package init(_ error: CurveKeyFileError) { self.init(.configuration, "\(error)", cause: error) }

    private static func code(_ error: SpoolError) -> ExitCode {
        switch error.code {
        case .invalidArgument: .configuration
        case .inUse: .unavailable
        case .unreadable: .cannotCreate
        default: .inputOutput
        }
    }
}
