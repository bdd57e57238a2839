internal import Logging

/// What a connection's thread does, from the first attempt to the end.
final class EventLoop {
    private let uri: BrokerURI
    private let options: ConnectionOptions
    private let mailbox: Mailbox
    private let board: StateBoard
    private let logger: Logger
    private let roster: Roster
    private var isClosing = false

    init(uri: BrokerURI, options: ConnectionOptions, mailbox: Mailbox, board: StateBoard, logger: Logger) {
        self.uri = uri
        self.options = options
        self.mailbox = mailbox
        self.board = board
        var logger = logger
        logger[metadataKey: LogKey.broker] = "\(uri)"
        self.logger = logger
        roster = Roster(
            topology: options.topology,
            backoff: Backoff(minimum: options.minimumPause, maximum: options.maximumPause))
    }

    /// Connects, works, and connects again, until this side closes.
    func run() {
        while !isClosing {
            do throws(AMQPError) {
                try runSession()
            } catch {
                roster.disconnected(error)
                if !isClosing { pause(after: error) }
            }
        }
        // Whoever posts from now on is told that nobody looks; what was posted before is ended like all else.
        for command in mailbox.close() { take(command) }
        roster.end()
        board.set(.closed)
    }

    private func runSession() throws(AMQPError) {
        board.set(.connecting)
        let handle = try ConnectionHandle(
            to: uri, name: options.name, heartbeat: uri.heartbeat ?? options.heartbeat,
            timeout: uri.connectTimeout ?? options.connectTimeout)
        let session = Session(
            handle, roster: roster, board: board, wakeUp: mailbox.wakeUp, logger: logger)
        try session.run { session throws(AMQPError) in
            // The mailbox has them no more: all are done, also when one of them finds the connection lost.
            var failure: AMQPError?
            for command in mailbox.take() {
                guard failure == nil else {
                    take(command)
                    continue
                }
                do throws(AMQPError) {
                    try take(command, session)
                } catch {
                    failure = error
                    take(command)
                }
            }
            if let failure { throw failure }
            return !isClosing
        }
    }

    private func pause(after error: AMQPError) {
        let pause = roster.backoff.next()
        logger.warning(
            "no connection to the broker; trying again",
            metadata: [LogKey.error: "\(error)", LogKey.retryIn: "\(pause)"])
        board.set(.waiting(error, retryIn: pause))
        let end = ContinuousClock.now + pause
        while !isClosing, case let left = end - .now, left > .zero {
            for command in mailbox.take() { take(command) }
            if !isClosing { mailbox.wakeUp.wait(timeout: left.roundedUpMilliseconds) }
        }
    }

    /// Does what can be done without a connection.
    private func take(_ command: Command) {
        switch command {
        case .perform(let request): roster.control.add(request)
        case .addPublisher(let link): roster.add(PublisherChannel(link))
        case .addConsumer(let link): roster.add(ConsumerChannel(link, logger: logger))
        case .closePublisher(let link):
            guard let publisher = roster.publishers.first(where: { $0.link === link }) else { return }
            roster.remove(publisher)
            publisher.end(AMQPError(.closed, "the publisher was closed"))
        case .cancelConsumer(let link):
            guard let consumer = roster.consumers.first(where: { $0.link.inbox === link.inbox }) else { return }
            roster.remove(consumer)
            consumer.end(nil)
        case .close: isClosing = true
        }
    }

    /// Does what has to be told to the broker too.
    private func take(_ command: Command, _ session: Session) throws(AMQPError) {
        switch command {
        case .closePublisher(let link):
            try roster.publishers.first { $0.link === link }?.close(over: session)
            return
        case .cancelConsumer(let link):
            try roster.consumers.first { $0.link.inbox === link.inbox }?.close(over: session)
        case .close:
            for consumer in roster.consumers { try consumer.sendAnswers(over: session) }
        case .perform, .addPublisher, .addConsumer: break
        }
        take(command)
    }
}
