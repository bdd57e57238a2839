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

    /// Reads the configuration, unless the command line names the job servers and no configuration.
    func jobServers() throws(CommandError) -> JobServers {
        var given = CommandLineValues()
        given.set(ClientSettings.servers, to: server, option: "--server")
        let file = config ?? (server.isEmpty ? ClientSettings.defaultFile : nil)
        let settings = try ClientSettings.schema.load(
            file: file.map { FilePath($0) }, fileMustExist: config != nil, commandLine: given)
        let tls = try tls(settings)
        if let list = settings[ClientSettings.servers], !list.isEmpty { return JobServers(list: list, tls: tls) }
        return JobServers(list: [try ClientSettings.localServer()], tls: tls)
    }

    private func tls(_ settings: Settings) throws(CommandError) -> TLSOptions? {
        switch (
            settings[ClientSettings.tlsAuthority], settings[ClientSettings.tlsCertificate],
            settings[ClientSettings.tlsKey]
        ) {
        case (nil, nil, nil): return nil
        case (let authority?, let certificate?, let key?):
            return TLSOptions(authorityFile: authority.string, certificateFile: certificate.string, keyFile: key.string)
        default: throw CommandError(.configuration, "[gearman] ssl_ca, ssl_cert and ssl_key belong together")
        }
    }
}

/// The job servers of a command, and how they are reached.
struct JobServers {
    let list: [JobServer]
    let tls: TLSOptions?

    var names: String { list.map(\.description).joined(separator: ", ") }
}

/// What `libra_client` reads of the configuration that it shares with the worker.
enum ClientSettings {
    static let defaultFile = "/etc/libra/libra.cfg"

    static let servers = Setting("gearman", "servers", .list(of: .jobServer))
    static let tlsAuthority = Setting("gearman", "ssl_ca", .path)
    static let tlsCertificate = Setting("gearman", "ssl_cert", .path)
    static let tlsKey = Setting("gearman", "ssl_key", .path)
    static let schema = SettingsSchema([servers, tlsAuthority, tlsCertificate, tlsKey], isPartial: true)

    static func localServer() throws(CommandError) -> JobServer {
        do throws(GearmanError) {
            return try JobServer(host: "localhost")
        } catch {
            throw CommandError(.configuration, error.message, cause: error)
        }
    }
}

extension ValueKind where Value == JobServer {
    static var jobServer: ValueKind {
        .parsed("a job server: HOST or HOST:PORT, an IPv6 address in brackets") {
            try? JobServer($0)
        } format: {
            $0.description
        }
    }
}
