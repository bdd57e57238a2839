import Glibc
public import Logging
public import ServiceLifecycle
import UnixSignals

/// What signals mean to a daemon.
public enum Signals {
    /// Makes writing to a peer that is gone an error rather than the end of the process (SIGPIPE).
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}

extension ServiceGroup {
    /// A group of services that SIGTERM and SIGINT ask to finish what they began.
    ///
    /// Services are asked in the reverse of their order, one after the other.
    ///
    /// - Parameters:
    ///   - services: The services.
    ///   - limit: How long finishing may take; after that the services' tasks are cancelled.
    ///   - logger: Where the group says what goes wrong with a service.
    public init(daemon services: [any Service], finishingWithin limit: Duration, logger: Logger) {
        // At debug level the group logs its services with all that is in them, secrets included.
        var logger = logger
        logger.logLevel = max(logger.logLevel, .info)
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = limit
        self.init(configuration: configuration)
    }
}
