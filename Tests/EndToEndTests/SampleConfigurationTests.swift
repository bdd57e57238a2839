import Gearman
import HAProxy
import LoadBalancingHAProxy
import SystemPackage
import TestServers
import Testing

@testable import CommandKit
@testable import LibraWorker

/// A configuration with every key that is commented out made to count, but for some.
func uncommented(_ sample: String, except exempt: [String] = []) -> String {
    sample.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        // A comment for the reader has a space after its sign.
        guard line.hasPrefix("#"), !line.hasPrefix("# "), line != "#",
            !exempt.contains(where: { line.dropFirst().hasPrefix($0) })
        else { return String(line) }
        return String(line.dropFirst())
    }.joined(separator: "\n")
}

extension EndToEnd {
    @Suite("etc/sample_libra.cfg")
    struct SampleConfigurationTests {
        private let sample = readText(Repository.file("etc/sample_libra.cfg"))

        @Test("has every key commented out")
        func isCommentedOut() {
            #expect(!sample.isEmpty)
            #expect(sample.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("[") })
        }

        @Test("says what holds without it")
        func defaults() async throws {
            try await withTemporaryFolder { folder in
                func load(_ text: String, _ name: String) throws -> Settings {
                    let file = FilePath(folder).appending(name)
                    try writeText(text, to: file.string)
                    return try WorkerSettings.schema.load(file: file, environment: [:])
                }
                let said = try load(uncommented(sample), "sample.cfg")
                let holds = try load("", "empty.cfg")
                func same<Value>(_ setting: Setting<Value>) -> Bool { "\(said[setting])" == "\(holds[setting])" }
                for isSame in [
                    same(WorkerSettings.noDaemon), same(WorkerSettings.debug), same(WorkerSettings.verbose),
                    same(WorkerSettings.driver), same(WorkerSettings.connections), same(WorkerSettings.networkCheck),
                    same(WorkerSettings.keepalive), same(WorkerSettings.keepaliveCount),
                    same(WorkerSettings.keepaliveIdle),
                    same(WorkerSettings.keepaliveInterval), same(WorkerSettings.reconnectSleep),
                    same(WorkerSettings.statsPoll), same(WorkerSettings.service), same(WorkerSettings.stagingFolder),
                    same(WorkerSettings.socketAccess), same(WorkerSettings.log), same(WorkerSettings.drainTimeout),
                ] { #expect(isSame) }
                #expect(said[WorkerSettings.servers]?.map(\.description) == [WorkerSettings.defaultServer])
                #expect(said[WorkerSettings.pidFile] == WorkerSettings.daemonPIDFile)
                #expect(said[WorkerSettings.logFile] == WorkerSettings.daemonLogFile)
                #expect(said[WorkerSettings.stateFolder] == WorkerSettings.defaultStateFolder)
                let options = HAProxyDriverOptions(
                    service: .ubuntu, stateFolder: "/var/lib/libra", log: try LogTarget(holds[WorkerSettings.log]),
                    drainTimeout: try Milliseconds(30_000))
                #expect(said[WorkerSettings.configurationFile]?.string == options.configurationFile)
                #expect(said[WorkerSettings.socket]?.string == options.socket)
            }
        }

        @Test("has a line for every setting of the worker")
        func isComplete() async throws {
            try await withTemporaryFolder { folder in
                let document = INIDocument(parsing: Array(uncommented(sample).utf8))
                let places = Set(document.entries.map { SettingPlace($0.section, $0.key) })
                for declaration in WorkerSettings.schema.declarations {
                    #expect(declaration.places.contains(where: places.contains), "\(declaration.place)")
                }
            }
        }
    }
}
