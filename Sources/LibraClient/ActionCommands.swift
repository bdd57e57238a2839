import ArgumentParser
import CommandKit
import JSON
import LoadBalancing

/// `libra_client send FILE`: a request as it stands in a file.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send the request in a file as it is.")
    @Argument(help: "A JSON request; - is standard input.") var file: String
    @OptionGroup var recipients: RecipientOptions

    func run() async throws {
        try await recipients.deliver(try RequestFile.read(file))
    }
}

/// A command that sends the request in a file as one action, whatever action the file names.
protocol FileActionCommand: AsyncParsableCommand {
    static var action: Action { get }
    var file: String { get }
    var recipients: RecipientOptions { get }
}

extension FileActionCommand {
    func run() async throws {
        try await recipients.deliver(try RequestFile.read(file, as: Self.action))
    }
}

/// The command `libra_client update FILE`.
struct UpdateCommand: FileActionCommand {
    static let action = Action.update
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Make the load balancers in a file the state of the host.")
    @Argument(help: "A JSON object with loadBalancers; - is standard input.") var file: String
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client plan FILE`.
struct PlanCommand: FileActionCommand {
    static let action = Action.plan
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Ask what an update with a file would do.",
        discussion: "Prints a list of steps; with --json the replies as they are.")
    @Argument(help: "A JSON object with loadBalancers; - is standard input.") var file: String
    @Flag(help: "Show JSON instead of a list of steps.") var json = false
    @OptionGroup var recipients: RecipientOptions

    func validate() throws {
        guard !json || !recipients.table else { throw ValidationError("--json and --table exclude each other") }
    }

    func run() async throws {
        var recipients = recipients
        recipients.table = !json
        try await recipients.deliver(try RequestFile.read(file, as: Self.action), tablePrinter: PlanPrinter())
    }
}

/// The command `libra_client archive FILE`.
struct ArchiveCommand: FileActionCommand {
    static let action = Action.archive
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Send the balancers' logs to an object store.")
    @Argument(help: "A JSON object with hpcs_object_store_… fields and loadBalancers; - is standard input.")
    var file: String
    @OptionGroup var recipients: RecipientOptions
}

/// A command that sends an action and nothing else.
protocol BareActionCommand: AsyncParsableCommand {
    static var action: Action { get }
    var recipients: RecipientOptions { get }
}

extension BareActionCommand {
    func run() async throws {
        try await recipients.deliver(["hpcs_action": .string(Self.action.rawValue)])
    }
}

/// The command `libra_client suspend`.
struct SuspendCommand: BareActionCommand {
    static let action = Action.suspend
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Stop all traffic; connections are refused.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client enable`.
struct EnableCommand: BareActionCommand {
    static let action = Action.enable
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Let traffic through again.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client delete`.
struct DeleteCommand: BareActionCommand {
    static let action = Action.delete
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Stop HAProxy and remove its configuration and the worker's state.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client discover`.
struct DiscoverCommand: BareActionCommand {
    static let action = Action.discover
    static let configuration = CommandConfiguration(commandName: "discover", abstract: "Ask for HAProxy's version.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client stats`.
struct StatsCommand: BareActionCommand {
    static let action = Action.stats
    static let configuration = CommandConfiguration(commandName: "stats", abstract: "Ask how the nodes are.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client metrics`.
struct MetricsCommand: BareActionCommand {
    static let action = Action.metrics
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Ask for the traffic since it was last asked for.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client diagnostics`.
struct DiagnosticsCommand: BareActionCommand {
    static let action = Action.diagnostics
    static let configuration = CommandConfiguration(
        commandName: "diagnostics", abstract: "Ask whether the worker has what it needs.")
    @OptionGroup var recipients: RecipientOptions
}

/// The command `libra_client ping`.
struct PingCommand: BareActionCommand {
    static let action = Action.ping
    static let configuration = CommandConfiguration(
        commandName: "ping", abstract: "Ask whether HAProxy runs and answers.")
    @OptionGroup var recipients: RecipientOptions
}
