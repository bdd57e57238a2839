package import LogTransport
package import Logging
package import Spool
package import ZeroMQ

/// Which outlet a relay hands its lines to, from what its settings say.
package struct OutletChoice: Sendable {
    /// Where it binds.
    package var bind: [Endpoint] = []
    /// Where it connects.
    package var connect: [Endpoint] = []
    /// Its part in CURVE.
    package var curve: Curve?
    /// Whether each message begins with an empty frame.
    package var sendsEmptyTopic = false

    private let plan: RelayPlan

    /// Begins with no endpoint.
    ///
    /// - Parameter plan: How lines travel.
    package init(_ plan: RelayPlan) { self.plan = plan }

    /// What makes the outlet, in the thread of the relay.
    ///
    /// - Parameters:
    ///   - form: What lines look like, for the notes between them.
    ///   - spool: The relay's spool, whose identity a reliable sender has; nil for none.
    ///   - logger: Who is told of peers.
    /// - Returns: The outlet's maker.
    package func factory(form: LineForm, spool: Spool?, logger: Logger) -> OutletFactory {
        switch plan.delivery {
        case .push:
            var options = PushOptions(bind: bind, connect: connect)
            options.highWaterMark = plan.highWaterMark
            options.batchLines = plan.batch ?? 1
            options.sendsEmptyTopic = sendsEmptyTopic
            options.curve = curve
            // What waits elsewhere need not wait here too; all of it is to stay below 10 MB with lines of any length.
            if spool != nil || plan.options.whenFull != .block { options.waitingBytes = 3 << 20 }
            return { [options] () throws(LogTransportError) in
                let outlet = try PushOutlet(options, form: form, logger: logger)
                Self.tell(outlet.boundEndpoints, options.connect, logger)
                return outlet
            }
        case .reliable:
            var options = ReliableOutletOptions(binds: bind, connects: connect)
            options.batchLines = plan.batch ?? RelaySettings.reliableBatch
            options.curve = curve
            if let spool { options.sender = SenderID(spool: spool.identity) }
            return { [options] () throws(LogTransportError) in
                let outlet = try ReliableOutlet(options, logger: logger)
                Self.tell(outlet.endpoints, options.connects, logger)
                return outlet
            }
        }
    }

    /// Says where the outlet is.
    private static func tell(_ bound: [Endpoint], _ connected: [Endpoint], _ logger: Logger) {
        for endpoint in bound { logger.info("bound to \(endpoint)") }
        for endpoint in connected { logger.info("connects to \(endpoint)") }
        warnOfUnknownHosts(in: connected, logger: logger)
    }
}
