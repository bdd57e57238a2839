import HAProxy
import LoadBalancing
import Logging
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct StateStoreTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func state(_ phase: HostState.Phase = .active) throws -> HostState {
        let node = Node(
            key: .id("1001"), address: "10.0.0.1", port: 80, weight: 7, isBackup: true, condition: .draining)
        let monitor = Monitor(kind: .http, delay: 30, timeout: 10, attempts: 2, path: "/healthz")
        return HostState(
            phase: phase,
            balancers: [
                try LoadBalancer(
                    id: "15", name: "a \"name\"\n", protocol: .http, port: 80, monitor: monitor, nodes: [node])
            ])
    }

    @Test("a host where nothing was asked is fresh")
    func fresh() async throws {
        try await withTemporaryFolder { folder in
            let store = try StateStore(folder: folder, logger: logger)
            #expect(store.current == .fresh)
            #expect(try store.pending() == nil)
        }
    }

    @Test("what was committed is there after a restart, and what was begun is known until it is committed")
    func restart() async throws {
        for phase in [HostState.Phase.active, .suspended] {
            try await withTemporaryFolder { folder in
                let wanted = try state(phase)
                let change = PendingChange(state: wanted, previousDigest: .max)
                try StateStore(folder: folder, logger: logger).begin(change)
                let second = try StateStore(folder: folder, logger: logger)
                #expect(second.current == .fresh)
                #expect(try second.pending() == change)
                try second.commit(change)
                let third = try StateStore(folder: folder, logger: logger)
                #expect(third.current == wanted)
                #expect(try third.pending() == nil)
            }
        }
    }

    @Test("a corrupt state file is set aside, not overwritten; a corrupt intent stands for nothing")
    func corrupt() async throws {
        try await withTemporaryFolder { folder in
            try writeText("{\"version\":1,\"phase\":\"act", to: folder + "/state.json")
            try writeText("", to: folder + "/pending.json")
            let store = try StateStore(folder: folder, logger: logger)
            #expect(store.current == .fresh)
            #expect(try store.pending() == nil)
            #expect(readText(folder + "/state.json.corrupt") == "{\"version\":1,\"phase\":\"act")
        }
    }

    @Test("a second corrupt state file does not take the place of the first one that was set aside")
    func corruptTwice() async throws {
        try await withTemporaryFolder { folder in
            for text in ["first", "second", "third"] {
                try writeText(text, to: folder + "/state.json")
                #expect(try StateStore(folder: folder, logger: logger).current == .fresh)
            }
            #expect(
                ["", ".2", ".3"].map { readText(folder + "/state.json.corrupt" + $0) } == ["first", "second", "third"])
        }
    }

    @Test("the process that a change goes to is known after a restart")
    func process() async throws {
        try await withTemporaryFolder { folder in
            let change = PendingChange(
                state: try state(), previousDigest: 1, process: HAProxyProcess(id: 4711, startTime: 1_700_000_000))
            try StateStore(folder: folder, logger: logger).begin(change)
            #expect(try StateStore(folder: folder, logger: logger).pending() == change)
        }
    }

    @Test("the servers that leave are known after a restart, until none is left")
    func leaving() async throws {
        try await withTemporaryFolder { folder in
            let place = ServerPlace(backend: try ProxyName("http-servers"), server: try ServerName("id-1.2"))
            let leaving = LeavingServers(process: HAProxyProcess(id: 4711, startTime: 1_700_000_000), places: [place])
            let change = PendingChange(state: try state(), leaving: leaving)
            let store = try StateStore(folder: folder, logger: logger)
            try store.begin(change)
            try store.commit(change)
            #expect(try StateStore(folder: folder, logger: logger).leaving == leaving)
            try store.remember(LeavingServers(process: leaving.process, places: []))
            let next = try StateStore(folder: folder, logger: logger)
            #expect(next.leaving == nil)
            #expect(next.current == change.state)
        }
    }

    @Test("a state file of a newer version is refused and left alone")
    func newer() async throws {
        try await withTemporaryFolder { folder in
            let text = #"{"version":2,"phase":"active","loadBalancers":[]}"#
            try writeText(text, to: folder + "/state.json")
            #expect(throws: DriverError.self) { try StateStore(folder: folder, logger: logger) }
            #expect(readText(folder + "/state.json") == text)
        }
    }

    @Test("a folder that cannot be written is an error that names the file")
    func unwritable() async throws {
        let store = try StateStore(folder: "/proc/self", logger: logger)
        let change = PendingChange(state: .deleted, previousDigest: nil)
        let error = try #require(throws: DriverError.self) { try store.begin(change) }
        #expect(error.message.contains("/proc/self/pending.json"))
        #expect(throws: DriverError.self) { try store.commit(change) }
        #expect(store.current == .fresh)
    }

    @Test("a change is committed on a disk that has no room for another byte")
    func commitNeedsNoRoom() async throws {
        try await withSmallDisk { disk in
            let store = try StateStore(folder: disk.path, logger: logger)
            let change = PendingChange(state: try state(), previousDigest: nil)
            try store.begin(change)
            try disk.fill()
            try store.commit(change)
            #expect(store.current == change.state)
            #expect(try StateStore(folder: disk.path, logger: logger).current == change.state)
            let error = try #require(throws: DriverError.self) { try store.begin(change) }
            #expect(error.code == .storage && error.message.contains("No space left on device"))
            #expect(try store.pending() == nil)
            disk.empty()
            try store.begin(change)
            try disk.fill()
            let other = PendingChange(state: .deleted, previousDigest: nil)
            #expect(throws: DriverError.self) { try store.begin(other) }
            #expect(try store.pending() == change, "what is left over is not forgotten")
        }
    }
}
