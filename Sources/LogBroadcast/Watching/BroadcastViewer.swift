import Synchronization

/// Watches the broadcast: what programs log from now on, as a sequence of events.
///
/// ```swift
/// let viewer = try BroadcastViewer(from: [BroadcastURL("amqp://guest@localhost")])
/// for await event in viewer {
///     if case .record(let record) = event, record.level >= .warning { print(record.machine, record.message) }
/// }
/// ```
/// It never gives up: a broker or peer that is lost is tried again until ``close()``, and what did not come meanwhile is
/// told as ``BroadcastEvent/missed(machine:pid:count:)``. Records that come twice, as some do after a broker was lost, are
/// given once. A viewer that does not keep up harms nobody: see ``ViewerOptions/queueBytes``.
public final class BroadcastViewer: AsyncSequence, Sendable {
    /// What it sees.
    public typealias Element = BroadcastEvent
    /// It never throws.
    public typealias Failure = Never

    private let desk = EventDesk()
    private let places: [any WatchedPlace]
    private let watching: [Task<Void, Never>]

    /// Begins to watch, in the background.
    ///
    /// ZeroMQ endpoints are connected to, unless the URL says `?bind`.
    ///
    /// - Parameters:
    ///   - urls: What to watch, one place or several at once.
    ///   - options: How to watch.
    /// - Throws: ``LogBroadcastError``: `invalidArgument`, also without any URL; `unavailable` when a ZeroMQ endpoint
    ///   cannot be bound. A broker that is not there is no error: an event tells of it.
    public init(from urls: [BroadcastURL], options: ViewerOptions = ViewerOptions()) throws(LogBroadcastError) {
        guard !urls.isEmpty else { throw LogBroadcastError(.invalidArgument, "a viewer needs a URL at least") }
        var places: [any WatchedPlace] = []
        do throws(LogBroadcastError) {
            for url in urls { places.append(try Self.place(at: url, options)) }
        } catch {
            // A connection is kept until it is closed.
            for place in places { Task.detached { await place.close() } }
            throw error
        }
        self.places = places
        watching = places.map { [desk] place in Task.detached { await place.watch(for: desk) } }
    }

    private static func place(
        at url: BroadcastURL, _ options: ViewerOptions
    ) throws(LogBroadcastError) -> any WatchedPlace {
        switch url.place {
        case .broker(let uri): try WatchedBroker(uri, options: options)
        case .peers(let endpoint): try WatchedPeers(endpoint, side: url.side ?? .connect)
        }
    }

    deinit {
        desk.finish()
        for place in places { Task.detached { await place.close() } }
    }

    /// Waits until records that are logged from now on will come, from all places.
    ///
    /// - Parameter limit: How long to wait.
    /// - Throws: ``LogBroadcastError``: `unavailable` when that took too long, `refused` as soon as a broker refuses, for
    ///   instance the password. It goes on trying all the same.
    public func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        let deadline = ContinuousClock.now + limit
        for place in places { try await place.waitUntilReady(within: Swift.max(.zero, deadline - .now)) }
    }

    /// Begins to iterate; several iterators share the events.
    public func makeAsyncIterator() -> Iterator { Iterator(viewer: self) }

    /// Gives every event to a handler, one after the other, until it is closed or the task is cancelled.
    ///
    /// - Parameter handler: What is to be done with an event.
    public func forEach(_ handler: (BroadcastEvent) async -> Void) async {
        for await event in self { await handler(event) }
    }

    /// Stops; the iteration ends after the events that are here.
    public func close() async {
        desk.finish()
        for place in places { await place.close() }
        for task in watching { await task.value }
    }

    /// Takes one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let viewer: BroadcastViewer

        /// Waits for the next event.
        ///
        /// - Returns: The event; nil when the viewer was closed or the task was cancelled.
        public mutating func next() async -> BroadcastEvent? { await viewer.desk.next() }

        /// Waits for the next event, as ``next()`` does.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> BroadcastEvent? {
            await viewer.desk.next()
        }
    }
}
