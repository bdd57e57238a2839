import ArgumentParser

extension ParsableCommand {
    /// The error of a command line that names a subcommand which there is not; nil when it is right so far.
    ///
    /// The argument parser calls it an unexpected argument, and so are all that follow.
    static func unknownSubcommand(_ arguments: [String]) -> CommandError? {
        var command: any ParsableCommand.Type = self
        for argument in arguments {
            let configuration = command.configuration
            guard !configuration.subcommands.isEmpty, configuration.defaultSubcommand == nil, !argument.hasPrefix("-")
            else { return nil }
            // It is the argument parser's own, and knows no wrong one.
            if argument == "help" { return nil }
            guard let next = configuration.subcommands.first(where: { names(of: $0).contains(argument) }) else {
                let known = configuration.subcommands.flatMap { names(of: $0) }
                return CommandError(
                    .usage,
                    "there is no command '\(argument)'"
                        + (suggestion(for: argument, among: known).map { "; did you mean '\($0)'?" }
                            ?? "; there are: \(known.joined(separator: ", "))"))
            }
            command = next
        }
        return nil
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        [command.configuration.commandName ?? command._commandName] + command.configuration.aliases
    }
}
