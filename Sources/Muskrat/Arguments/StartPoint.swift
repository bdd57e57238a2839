internal import ArgumentParser
internal import CivilTime
internal import MessageLog

/// Where to begin, on the command line: `beginning`, `end`, a sequence number, or a time as RFC 3339 has it.
struct StartPoint: ExpressibleByArgument, Equatable {
    let start: ReaderOptions.Start

    init?(argument: String) {
        switch argument.lowercased() {
        case "beginning": start = .beginning
        case "end": start = .end
        default:
            if argument.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
                guard let number = UInt64(argument), number > 0 else { return nil }
                start = .sequence(number)
            } else if let time = UTCTime(argument) {
                start = .time(time)
            } else {
                return nil
            }
        }
    }

    static let words = "beginning, end, a sequence number, or a time such as 2026-11-21T01:23:45Z"
}
