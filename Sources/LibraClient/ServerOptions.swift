import ArgumentParser
import CommandKit
import Gearman
import SystemPackage

/// Which job servers are used: `--server`, else LIBRA_GEARMAN_SERVERS, else `[gearman] servers` of the configuration file.
struct ServerOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help:
            "A job server, HOST:PORT; may be repeated. (default: [gearman] servers in the configuration, else localhost:4730)"
    )
    var server: [String] = []

    @Option(name: .shortAndLong, help: "The configuration file. (default: /etc/libra/libra.cfg, if it is there)")
    var config: String?

    private static let servers = Setting("gearman", "servers", .words)
    private static let schema = SettingsSchema(
        [servers], foreignSections: ["worker", "worker:haproxy"], exemptVariables: ["LIBRA_TEST_", "LIBRA_GEARMAN_"])

    func jobServers() throws(CommandError) -> [JobServer] {
        let names = try server.isEmpty ? configured() : server
        do throws(GearmanError) {
            var servers: [JobServer] = []
            for name in names.isEmpty ? ["localhost"] : names { servers.append(try JobServer(name)) }
            return servers
        } catch {
            throw CommandError(server.isEmpty ? .configuration : .usage, error.message, cause: error)
        }
    }

    private func configured() throws(CommandError) -> [String] {
        let file = config.map { FilePath($0) } ?? "/etc/libra/libra.cfg"
        return try Self.schema.load(file: file, fileMustExist: config != nil)[Self.servers] ?? []
    }
}
