internal import CivilTime
internal import CommandKit
internal import MessageLog
internal import Synchronization

/// Prints messages; that nobody reads them any more ends the command, and is no failure.
final class MessagePrinter: Sendable {
    /// Why printing ended.
    enum Ending: Error {
        case readerGone
        case failed(CommandError)
    }

    private let output = MessageOutput()
    private let isJSON: Bool
    private let asLists: Bool
    private let timeFormat: TimeFormat?
    private let meter: Meter
    private let end = Mutex<Ending?>(nil)

    init(isJSON: Bool, asLists: Bool, timeFormat: TimeFormat?, meter: Meter) {
        self.isJSON = isJSON
        self.asLists = asLists
        self.timeFormat = timeFormat
        self.meter = meter
    }

    /// Why it ended; nil when it did not.
    var ending: Ending? { end.withLock { $0 } }

    /// Writes messages, whole.
    ///
    /// - Throws: ``Ending``.
    func print(_ messages: [Message]) async throws(Ending) {
        let ending: Ending
        do throws(CommandError) {
            let outcome =
                asLists
                ? try await output.write(listOf: messages, times: timeFormat)
                : try await output.write(messages, as: isJSON ? .json(timeFormat) : .body)
            switch outcome {
            case .written: return meter.add(messages.count)
            case .readerGone(let written):
                meter.add(written)
                ending = .readerGone
            }
        } catch {
            ending = .failed(error)
        }
        end.withLock { $0 = ending }
        throw ending
    }
}
