internal import ArgumentParser
internal import CommandKit
internal import LogCommands
internal import SystemPackage

/// `hayrack keygen`: a pair of CURVE keys.
struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a pair of CURVE keys: NAME.key to keep, NAME.pub for the other side.")

    @Argument(help: "Where the files are to be, without '.key' and '.pub'. Files that are there are not replaced.")
    var name: String

    func run() throws {
        let files = try KeyGeneration.make(FilePath(name))
        Terminal.output.write("\(visibleText(files.secret.string))\n\(visibleText(files.public.string))\n")
    }
}
