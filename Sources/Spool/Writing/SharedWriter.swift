import Synchronization

/// The writer's side behind a lock, held as long as a call of it lasts.
final class SharedWriter: Sendable {
    let state: Mutex<BlockWriter>

    init(_ writer: sending BlockWriter) { state = Mutex(writer) }
}
