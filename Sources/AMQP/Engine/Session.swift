internal import CRabbitMQ
internal import Glibc
internal import Logging

/// One connection to the broker, from the login to its end; lives on the connection's thread.
final class Session {
    private var handle: ConnectionHandle
    private let roster: Roster
    private let board: StateBoard
    private let wakeUp: WakeUp
    private let logger: Logger
    private var users: [UInt16: any ChannelUser] = [:]
    /// Channels on which this side sent `channel.close`; what comes on them is dropped until its answer.
    private var closing: Set<UInt16> = []
    private var opening: Set<UInt16> = []
    private var isRestored = false
    private var isAnnounced = false
    private var blockedReason: String?
    private var writableBytes = 0
    private var wantsToWrite = false
    /// Messages of this turn; from the second on they are gathered into larger packets.
    private var messagesOfTurn = 0
    /// What went wrong where it could not be thrown.
    private var failure: AMQPError?

    /// Frames are read in turns of at most so many, so that publishers get theirs.
    private static let framesPerTurn = 2_000

    init(_ handle: consuming ConnectionHandle, roster: Roster, board: StateBoard, wakeUp: WakeUp, logger: Logger) {
        self.handle = handle
        self.roster = roster
        self.board = board
        self.wakeUp = wakeUp
        self.logger = logger
    }

    /// Restores what was declared, and works until this side closes.
    ///
    /// - Throws: Why the connection ended otherwise.
    func run(readCommands: (Session) throws(AMQPError) -> Bool) throws(AMQPError) {
        do throws(AMQPError) {
            try work(readCommands)
        } catch {
            throw error.code == .connectionLost ? lastWords() ?? error : error
        }
    }

    /// What the broker said before it closed, when writing was what failed first.
    private func lastWords() -> AMQPError? {
        do throws(AMQPError) {
            _ = try readFrames()
            return nil
        } catch {
            return error.code == .closedByBroker ? error : nil
        }
    }

    private func work(_ readCommands: (Session) throws(AMQPError) -> Bool) throws(AMQPError) {
        try open(roster.control)
        while true {
            guard try readCommands(self) else { return try close() }
            let isDrained = try readFrames()
            try reopenChannels()
            try roster.control.proceed(over: self)
            for consumer in roster.consumers { try consumer.sendAnswers(over: self) }
            if blockedReason == nil {
                for publisher in roster.publishers { try publisher.publish(over: self) }
                flush()
            }
            if let failure { throw failure }
            announce()
            if isDrained && !handle.hasInput { wait() }
        }
    }

    /// Whether the broker takes messages now.
    var isBlocked: Bool { blockedReason != nil }

    /// The largest payload of a body frame.
    var bodyFrameBytes: Int { handle.bodyFrameBytes }

    // MARK: Channels

    /// Asks for a channel for `user`.
    func open(_ user: any ChannelUser) throws(AMQPError) {
        guard let number = (1...max(handle.channelMax, 1)).first(where: { users[$0] == nil && !closing.contains($0) })
        else {
            throw AMQPError(.systemError, "the broker allows \(handle.channelMax) channels, and all are in use")
        }
        users[number] = user
        opening.insert(number)
        try send(AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t(out_of_band: amqp_empty_bytes), on: number)
    }

    /// Closes a channel; its user hears no more of it.
    func close(_ channel: UInt16) throws(AMQPError) {
        users[channel] = nil
        opening.remove(channel)
        closing.insert(channel)
        try send(
            AMQP_CHANNEL_CLOSE_METHOD,
            amqp_channel_close_t(reply_code: 200, reply_text: amqp_empty_bytes, class_id: 0, method_id: 0),
            on: channel)
    }

    /// Opens a channel for `user` after a pause; all others go on.
    func openLater(_ user: any ChannelUser, in pause: Duration) {
        roster.openLater([Roster.Opening(user: user, due: .now + pause, wasRefused: true)])
    }

    /// Forgets a user that has ended.
    func forget(_ user: any ChannelUser) { roster.remove(user) }

    /// Says that a user's channel can be used, or will not be.
    func settled(_ channel: UInt16) { opening.remove(channel) }

    /// All that was declared is there again.
    func restored() throws(AMQPError) {
        isRestored = true
        try reopenChannels()
    }

    private func reopenChannels() throws(AMQPError) {
        guard isRestored else { return }
        let due = roster.takeUsersToOpen()
        guard !due.isEmpty else { return }
        // One of them was refused before: perhaps somebody has deleted what it needs.
        if isAnnounced && due.contains(where: \.wasRefused) && roster.control.restoreAgain() {
            isRestored = false
            return roster.openLater(due.map { Roster.Opening(user: $0.user, due: $0.due, wasRefused: false) })
        }
        for entry in due { try open(entry.user) }
    }

    private func announce() {
        guard isRestored, !isAnnounced, opening.isEmpty else { return }
        isAnnounced = true
        roster.backoff.reset()
        board.set(blockedReason.map { .blocked(reason: $0) } ?? .connected)
        logger.info("connected to the broker")
    }

    // MARK: Writing

    /// Whether so many bytes can be written without waiting; if not, the loop comes back when there is room.
    func hasRoom(for bytes: Int) -> Bool {
        if bytes <= writableBytes { return true }
        guard handle.isWritable else {
            wantsToWrite = true
            return false
        }
        writableBytes = ConnectionHandle.writableBytes
        return true
    }

    /// Sends a method, which is small.
    func send<Method: BitwiseCopyable>(
        _ id: amqp_method_number_t, _ method: Method, on channel: UInt16
    ) throws(AMQPError) {
        writableBytes -= 64
        try handle.send(id, method, on: channel)
    }

    /// Sends a message that fits one frame; the room was asked for.
    func publish(
        _ body: UnsafeRawBufferPointer, to route: EncodedRoute, properties: UnsafePointer<amqp_basic_properties_t>,
        on channel: UInt16
    ) {
        writableBytes -= route.overhead + body.count
        messagesOfTurn += 1
        if messagesOfTurn == 2 { handle.setCork(true) }
        do throws(AMQPError) {
            try handle.publish(body, to: route, properties: properties, on: channel)
        } catch {
            failure = error
        }
    }

    /// Sends what comes before the body of a larger message; the room was asked for.
    func publishHead(
        bodySize: Int, to route: EncodedRoute, properties: UnsafePointer<amqp_basic_properties_t>, on channel: UInt16
    ) {
        writableBytes -= route.overhead
        do throws(AMQPError) {
            try handle.publishHead(bodySize: bodySize, to: route, properties: properties, on: channel)
        } catch {
            failure = error
        }
    }

    /// Sends as much of a body as there is room for.
    ///
    /// - Returns: How many bytes were sent.
    func sendBody(_ body: UnsafeRawBufferPointer, on channel: UInt16) -> Int {
        var sent = 0
        while sent < body.count, failure == nil, hasRoom(for: handle.bodyFrameBytes + 8) {
            let piece = UnsafeRawBufferPointer(rebasing: body[sent..<min(sent + handle.bodyFrameBytes, body.count)])
            writableBytes -= piece.count + 8
            do throws(AMQPError) {
                try handle.sendBody(piece, on: channel)
            } catch {
                failure = error
            }
            sent += piece.count
        }
        return sent
    }

    /// Lets go of what was gathered.
    private func flush() {
        if messagesOfTurn > 1 { handle.setCork(false) }
        messagesOfTurn = 0
    }

    // MARK: Reading

    /// Reads what is there.
    ///
    /// - Returns: Whether there is nothing more now.
    private func readFrames() throws(AMQPError) -> Bool {
        for _ in 0..<Self.framesPerTurn {
            guard let frame = try handle.receive() else { return true }
            try take(frame)
            handle.release(frame.channel)
        }
        return false
    }

    private func take(_ frame: amqp_frame_t) throws(AMQPError) {
        let channel = frame.channel
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD where channel == 0:
            try takeConnectionMethod(frame.payload.method)
        case AMQP_FRAME_METHOD:
            try takeMethod(frame.payload.method, on: channel)
        case AMQP_FRAME_HEADER:
            guard let decoded = frame.payload.properties.decoded,
                Int32(frame.payload.properties.class_id) == AMQP_BASIC_CLASS
            else {
                throw AMQPError(.protocolViolation, "the broker sent a message of an unknown class")
            }
            let properties = MessageProperties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
            try users[channel]?.receive(
                .header(bodySize: frame.payload.properties.body_size, properties), over: self)
        case AMQP_FRAME_BODY:
            let bytes = frame.payload.body_fragment
            try users[channel]?.receive(
                .body(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len)), over: self)
        default: break
        }
    }

    private func takeMethod(_ method: amqp_method_t, on channel: UInt16) throws(AMQPError) {
        switch method.id {
        case AMQP_CHANNEL_CLOSE_OK_METHOD:
            closing.remove(channel)
        case AMQP_CHANNEL_OPEN_OK_METHOD:
            try users[channel]?.opened(channel, of: self)
        case AMQP_CHANNEL_CLOSE_METHOD:
            let fields = try method.fields(amqp_channel_close_t.self)
            let reply = text(fields.reply_text)
            let error = AMQPError(
                .channelClosed, "the broker refuses: \(fields.reply_code) \(reply)",
                replyCode: Int(fields.reply_code), replyText: reply)
            try send(AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t(), on: channel)
            opening.remove(channel)
            try users.removeValue(forKey: channel)?.refused(error, by: self)
        case AMQP_CHANNEL_FLOW_METHOD:
            // RabbitMQ never asks for it; the answer is due all the same.
            let fields = try method.fields(amqp_channel_flow_t.self)
            try send(AMQP_CHANNEL_FLOW_OK_METHOD, amqp_channel_flow_ok_t(active: fields.active), on: channel)
        default:
            try users[channel]?.receive(method, over: self)
        }
    }

    private func takeConnectionMethod(_ method: amqp_method_t) throws(AMQPError) {
        switch method.id {
        case AMQP_CONNECTION_BLOCKED_METHOD:
            let reason = text(try method.fields(amqp_connection_blocked_t.self).reason)
            blockedReason = reason
            logger.warning("the broker takes no messages for now", metadata: [LogKey.reason: "\(reason)"])
            if isAnnounced { board.set(.blocked(reason: reason)) }
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            blockedReason = nil
            logger.notice("the broker takes messages again")
            if isAnnounced { board.set(.connected) }
        case AMQP_CONNECTION_CLOSE_METHOD:
            let fields = try method.fields(amqp_connection_close_t.self)
            let reply = text(fields.reply_text)
            // A broker that is about to end may not wait for it.
            try? send(AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t(), on: 0)
            throw AMQPError(
                .closedByBroker, "the broker closed the connection: \(fields.reply_code) \(reply)",
                replyCode: Int(fields.reply_code), replyText: reply)
        default:
            throw unexpected(method)
        }
    }

    // MARK: Waiting and ending

    private func wait() {
        var timeout = handle.heartbeat == 0 ? Duration.seconds(86_400) : .milliseconds(handle.heartbeat * 250)
        if isRestored, let due = roster.nextOpening { timeout = min(timeout, max(due - .now, .zero)) }
        let events = wantsToWrite ? POLLIN | POLLOUT : POLLIN
        wantsToWrite = false
        wakeUp.wait(other: handle.descriptor, events: events, timeout: timeout.roundedUpMilliseconds)
    }

    /// Says goodbye, and waits a second for the answer: what was sent before is with the broker then.
    private func close() throws(AMQPError) {
        try send(
            AMQP_CONNECTION_CLOSE_METHOD,
            amqp_connection_close_t(reply_code: 200, reply_text: amqp_empty_bytes, class_id: 0, method_id: 0), on: 0)
        let deadline = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < deadline {
            while let frame = try handle.receive() {
                if frame.channel == 0, Int32(frame.frame_type) == AMQP_FRAME_METHOD,
                    frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD
                {
                    return
                }
                try take(frame)
                handle.release(frame.channel)
            }
            wakeUp.wait(
                other: handle.descriptor, events: POLLIN,
                timeout: (deadline - ContinuousClock.now).roundedUpMilliseconds)
        }
    }
}

extension Duration {
    /// Milliseconds for `poll`, so that it does not return before the time.
    var roundedUpMilliseconds: Int32 {
        let parts = max(self, .zero).components
        let milliseconds = parts.seconds * 1_000 + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: milliseconds)
    }
}
