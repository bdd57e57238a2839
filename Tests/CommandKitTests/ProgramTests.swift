import ArgumentParser
import Glibc
import Testing

@testable import CommandKit

private enum Colour: String, CaseIterable, ExpressibleByArgument { case red, green, blue, yellow, black, white }

private struct Sample: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", version: "1.2.3", subcommands: [Child.self])

    struct Child: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "child")
        @Argument var count: Int
        @Option var colour = Colour.red
        func run() async throws {}
    }
}

@Suite struct ProgramTests {
    private func ending(_ arguments: [String]) async -> ProgramEnding? {
        do {
            var command = try Sample.parseAsRoot(arguments)
            try command.run()
            return nil
        } catch {
            return ProgramEnding(error, of: Sample.self)
        }
    }

    @Test("a usage error exits with 64 and says where help is")
    func usage() async throws {
        let ending = try #require(await ending(["--nonsense"]))
        #expect(ending.exitCode.rawValue == 64)
        #expect(ending.output == "")
        #expect(ending.complaint == "sample: Unknown option '--nonsense'\nSee 'sample --help'.\n")
        #expect(try #require(await self.ending(["child", "x"])).exitCode.rawValue == 64)
    }

    @Test("a command that there is not is named, with the one that was probably meant, or with all")
    func unknownCommand() throws {
        let near = try #require(Sample.unknownSubcommand(["chlid", "1"]))
        #expect(near.exitCode.rawValue == 64)
        #expect(near.messages == ["there is no command 'chlid'; did you mean 'child'?"])
        #expect(Sample.unknownSubcommand(["x"])?.messages == ["there is no command 'x'; there are: child"])
        for right in [[], ["child"], ["child", "chlid"], ["--version"], ["help", "chlid"]] {
            #expect(Sample.unknownSubcommand(right) == nil, "\(right)")
        }
    }

    @Test(
        "of a URL that stands where it should not no password is shown",
        arguments: [
            ("amqp://logs:s3cret@h/v", "'amqp://logs:***@h/v'"),
            ("amqp://logs:s3c@r/et@h?x", "'amqp://logs:***@h?x'"), ("amqp://logs@h:5672", "'amqp://logs@h:5672'"),
            ("tcp://127.0.0.1:5570", "'tcp://127.0.0.1:5570'"),
        ])
    func passwords(argument: String, shown: String) async throws {
        // The argument parser's complaint, and this module's.
        let unexpected = try #require(await ending(["child", "1", argument]))
        var complaints = [unexpected.complaint]
        if let unknown = Sample.unknownSubcommand([argument]) {
            complaints.append(ProgramEnding(unknown, of: Sample.self).complaint)
        }
        for complaint in complaints {
            #expect(complaint.hasPrefix("sample: ") && complaint.contains(shown), "\(complaint)")
            #expect(!complaint.contains("s3c"), "\(complaint)")
        }
        let bad = CommandError(.usage, "what is \(argument) for, or a@b?")
        #expect(ProgramEnding(bad, of: Sample.self).complaint.hasSuffix(" for, or a@b?\n"))
    }

    @Test("a value that is none of many is refused in one line that names them")
    func choice() async throws {
        let ending = try #require(await ending(["child", "1", "--colour", "grey"]))
        let line = try #require(ending.complaint.split(separator: "\n").first)
        #expect(line.hasPrefix("sample: ") && line.contains("'grey'"))
        #expect(line.hasSuffix(": red, green, blue, yellow, black, white"), "\(line)")
    }

    @Test("--help and --version are printed and exit with 0")
    func clean() async throws {
        let help = try #require(await ending(["child", "--help"]))
        #expect(help.exitCode == .success)
        #expect(help.output.contains("USAGE: sample child <count>"))
        #expect(help.complaint == "")
        let version = try #require(await ending(["--version"]))
        #expect(version.output == "1.2.3\n")
    }

    @Test("a command error prints a line a fault, and nothing in it can begin another")
    func commandError() {
        let error = CommandError(.unavailable, messages: ["one\nsample: two", "three \u{1b}[2J"])
        let ending = ProgramEnding(error, of: Sample.self)
        #expect(ending.exitCode.rawValue == 69)
        #expect(error.isRetriable)
        #expect(ending.complaint == "sample: one\\nsample: two\nsample: three \\x1b[2J\n")
        let silent = ProgramEnding(CommandError(.failure, messages: []), of: Sample.self)
        #expect(silent.complaint == "")
        #expect(silent.exitCode == .failure)
    }

    @Test("any other error is printed and exits with 1; an exit code alone prints nothing")
    func others() {
        struct Odd: Error, CustomStringConvertible { var description: String { "odd" } }
        let odd = ProgramEnding(Odd(), of: Sample.self)
        #expect(odd.exitCode.rawValue == 1)
        #expect(odd.complaint == "sample: odd\n")
        let code = ProgramEnding(ExitCode(3), of: Sample.self)
        #expect(code.exitCode.rawValue == 3)
        #expect(code.complaint == "")
    }

    @Test("exit codes are those of sysexits.h")
    func codes() {
        let codes: [ExitCode] = [.usage, .unavailable, .cannotCreate, .inputOutput, .configuration, .failure]
        #expect(codes.map(\.rawValue) == [64, 69, 73, 74, 78, 1])
    }
}
