internal import CivilTime
internal import CommandKit
internal import MessageLog
internal import Subprocess
internal import SystemPackage

/// A program that gets messages on its standard input, without a shell.
struct MessageProgram: Sendable {
    /// Why a message does not count as handled.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let words: CommandWords
    /// How times are written in the environment; nil for RFC 3339.
    let timeFormat: TimeFormat?
    let meter: Meter
    /// Those that run.
    let groups = ProgramGroups()
    private let input = ProgramInput()

    init(words: CommandWords, timeFormat: TimeFormat?, meter: Meter) {
        self.words = words
        self.timeFormat = timeFormat
        self.meter = meter
    }

    /// Runs the program with one message on its standard input, as it is; where it stands is in the environment.
    ///
    /// - Throws: ``Failure`` when the program cannot be run, or does not end with 0.
    func run(with message: Message) async throws(Failure) {
        try await run(input: Array(message.body), variables: variables(message, count: 1))
        meter.add(1)
    }

    /// Runs the program with many messages on its standard input, one a line; where the last stands is in the environment.
    ///
    /// - Throws: ``Failure``, as the other `run` does.
    func run(with messages: [Message]) async throws(Failure) {
        guard let last = messages.last else { return }
        var input: [UInt8] = []
        for message in messages { MessageText.body.append(message, to: &input) }
        try await run(input: input, variables: variables(last, count: messages.count))
        meter.add(messages.count)
    }

    /// The program: with a slash it is where that says, without one it is looked for in PATH.
    private var executable: Executable {
        let name = words.words[0]
        return name.contains("/") ? .path(FilePath(name)) : .name(name)
    }

    private func run(input bytes: [UInt8], variables: [Environment.Key: String]) async throws(Failure) {
        let file: FileDescriptor
        do {
            file = try await input.descriptor(holding: bytes)
        } catch {
            throw Failure(description: "a message cannot be handed on: \(error)")
        }
        let (executable, arguments, groups) = (executable, Arguments(Array(words.words.dropFirst())), groups)
        var options = PlatformOptions()
        options.processGroupID = 0
        // A task that is cancelled has its program killed; what has begun is to come to its end.
        let outcome = await Task { [options] in
            let result = try await Subprocess.run(
                executable, arguments: arguments, environment: .inherit.updating(variables), platformOptions: options,
                input: .fileDescriptor(file, closeAfterSpawningProcess: true),
                // Its words go where this command's go.
                output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
            ) { execution in
                groups.insert(execution.processIdentifier.value)
                return execution.processIdentifier.value
            }
            groups.remove(result.closureResult)
            return result.terminationStatus
        }.result
        let status: TerminationStatus
        do {
            status = try outcome.get()
        } catch {
            throw Failure(description: "'\(words.words[0])' cannot be run: \(error)")
        }
        switch status {
        case .exited(0): return
        case .exited(let code): throw Failure(description: "'\(words.words[0])' ended with \(code)")
        case .signaled(let signal): throw Failure(description: "'\(words.words[0])' was ended by signal \(signal)")
        }
    }

    private func variables(_ message: Message, count: Int) -> [Environment.Key: String] {
        [
            "MUSKRAT_KEY": message.key.description, "MUSKRAT_SEQUENCE": message.position.description,
            "MUSKRAT_TIME": MessageText.time(message.time, in: timeFormat), "MUSKRAT_COUNT": String(count),
        ]
    }
}
