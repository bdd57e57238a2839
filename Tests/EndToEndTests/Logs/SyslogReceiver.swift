import JSON
import TestServers

/// What gets the lines of a log tool that runs under a syslog daemon: a PULL socket of pyzmq for zmqpush, and
/// `hayrack receive --delivery reliable` for hayrack.
struct SyslogReceiver: Sendable {
    private enum Process {
        case python(PythonPeer)
        case hayrack(ChildProcess, output: String)
    }

    private let process: Process

    /// Starts it at the endpoint that the tool's files in `etc/` name.
    static func start(for tool: SyslogStand.Tool, in folder: String) async throws -> SyslogReceiver {
        switch tool {
        case .zmqpush:
            return SyslogReceiver(process: .python(try await PythonPeer.pull(.bind, tool.endpoint, in: folder)))
        case .hayrack:
            let output = "\(folder)/received-\(UInt32.random(in: 0 ... .max))"
            let child = try await ChildProcess.start(
                Repository.executable("hayrack"),
                ["receive", tool.endpoint, "--delivery", "reliable", "--output", output], in: folder)
            return SyslogReceiver(process: .hayrack(child, output: output))
        }
    }

    /// The messages that came so far, in their order.
    var messages: [String] {
        switch process {
        case .python(let peer): peer.messages
        // The last one may be half written.
        case .hayrack(_, let output):
            readText(output).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }
    }

    /// Waits until so many messages have come.
    func wait(for count: Int) async throws {
        try await eventually(within: .seconds(30), "\(count) messages; there are \(messages.count)") {
            messages.count >= count
        }
    }

    /// The numbers of the lines that came so far, which must be HAProxy's through a syslog daemon.
    func numbers() throws -> [Int] {
        try messages.map { text in
            guard let line = try line(in: text), line.hasPrefix("<134>1 "), line.contains(" haproxy 77 - "),
                let number = line.split(separator: " ").last.flatMap({ Int($0) })
            else { throw TestServerError("this is no such line: \(text)") }
            return number
        }
    }

    /// Waits until lines with so many numbers have come, some perhaps twice; gives the numbers in the order of their first.
    func numbersWithoutRepeats(_ count: Int) async throws -> [Int] {
        var came: [Int] = []
        do {
            try await eventually(within: .seconds(40), "\(count) lines") {
                guard messages.count >= count else { return false }
                came = withoutRepeats(try numbers())
                return came.count >= count
            }
        } catch {
            throw TestServerError("\(error); there are \(messages.count)")
        }
        return came
    }

    /// Sends it a signal; SIGSTOP makes it slow.
    func signal(_ number: Int32) {
        switch process {
        case .python(let peer): peer.signal(number)
        case .hayrack(let child, _): child.signal(number)
        }
    }

    /// Kills it.
    func stop() async {
        switch process {
        case .python(let peer): await peer.stop()
        case .hayrack(let child, _): await child.kill()
        }
    }

    private func line(in message: String) throws -> String? {
        guard case .python = process else { return message }
        let object = try JSONValue(parsing: Array(message.utf8))
        return object["type"]?.string == "syslog" ? object["message"]?.string : nil
    }
}

/// The numbers without repeats of what came before.
func withoutRepeats(_ numbers: [Int]) -> [Int] {
    var seen: Set<Int> = []
    return numbers.filter { seen.insert($0).inserted }
}
