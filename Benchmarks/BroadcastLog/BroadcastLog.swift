import Glibc
import LogBroadcast
import Logging

/// What `Benchmarks/broadcast` measures of the log broadcast.
///
/// It prints numbers, one line a run:
///
///     broadcast-log cost URL COUNT PACE     nanoseconds of logger.info on the calling thread: p50 p99; PACE is the
///                                           time between two calls in ns
///     broadcast-log send URL COUNT RATE     records a second that were logged, records left, resident KiB
///     broadcast-log view URL COUNT          "ready", then records a second that were seen, records missed, CPU
///                                           seconds, resident KiB
@main struct BroadcastLog {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst(2).compactMap { Int($0) }
        guard arguments.count == 2 + numbers.count, let mode = arguments.first, let count = numbers.first else {
            throw LogBroadcastUsage()
        }
        let url = try BroadcastURL(arguments[2])
        switch (mode, numbers.count) {
        case ("cost", 2): try await cost(url, count, pace: numbers[1])
        case ("send", 2): try await send(url, count, rate: numbers[1])
        case ("view", 1): try await view(url, count)
        default: throw LogBroadcastUsage()
        }
    }

    private static func cost(_ url: BroadcastURL, _ count: Int, pace: Int) async throws {
        let broadcast = try Broadcast(to: url)
        // A broker that is not there is one of the cases.
        try? await broadcast.waitUntilReady(within: .seconds(1))
        let logger = logger(to: broadcast)
        let text = String(repeating: "x", count: 150)
        var times = [Int](repeating: 0, count: count)
        var next = nanoseconds()
        for call in 0..<count {
            next += pace
            pause(until: next)
            let begun = nanoseconds()
            logger.info("\(text)")
            times[call] = nanoseconds() - begun
        }
        times.sort()
        print(times[count / 2], times[count * 99 / 100])
        await broadcast.shutdown(within: .seconds(1))
    }

    private static func send(_ url: BroadcastURL, _ count: Int, rate: Int) async throws {
        let broadcast = try Broadcast(to: url)
        try await broadcast.waitUntilReady(within: .seconds(10))
        let logger = logger(to: broadcast)
        let text = String(repeating: "x", count: 80)
        // One by one where there is time for it.
        let group = rate > 5_000 ? 100 : 1
        let begun = nanoseconds()
        for call in 1...count {
            logger.info("\(text) \(call)")
            if call.isMultiple(of: group) { pause(until: begun + call * 1_000_000_000 / rate) }
        }
        let seconds = Double(nanoseconds() - begun) / 1e9
        let left = await broadcast.shutdown(within: .seconds(30))
        print(Int(Double(count) / seconds), left, residentKiB())
    }

    private static func view(_ url: BroadcastURL, _ count: Int) async throws {
        let viewer = try BroadcastViewer(from: [url])
        try await viewer.waitUntilReady(within: .seconds(10))
        _ = write(STDOUT_FILENO, "ready\n", 6)
        var (seen, missed, begun) = (0, 0, 0)
        for await event in viewer {
            switch event {
            case .record(let record) where record.seq > 0:
                if seen == 0 { begun = nanoseconds() }
                seen += 1
            case .missed(_, _, let count): missed += Int(count)
            default: continue
            }
            if seen + missed >= count { break }
        }
        let seconds = Double(nanoseconds() - begun) / 1e9
        var usage = rusage()
        getrusage(0, &usage)
        let cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        print(Int(Double(seen) / seconds), missed, cpu, residentKiB())
    }

    private static func logger(to broadcast: Broadcast) -> Logger {
        Logger(label: "benchmark") { BroadcastLogHandler(label: $0, to: broadcast) }
    }
}

private struct LogBroadcastUsage: Error {}

private func nanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Waits: asleep where that is precise enough.
private func pause(until end: Int) {
    while case let left = end - nanoseconds(), left > 0 {
        guard left > 100_000 else { continue }
        var time = timespec(tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000)
        nanosleep(&time, nil)
    }
}

/// The process's resident memory now (proc(5)).
private func residentKiB() -> Int {
    let file = open("/proc/self/statm", O_RDONLY)
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 256)
    let count = read(file, &text, text.count)
    let fields = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
}
