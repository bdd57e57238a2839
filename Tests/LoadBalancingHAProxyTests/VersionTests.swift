import HAProxy
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct VersionTests {
    @Test("HAProxy is asked for its version once, and again when another is installed")
    func cached() async throws {
        try await withTemporaryFolder { folder in
            let executable = folder + "/haproxy"
            func install(_ version: String) throws {
                try writeText(
                    "#!/bin/sh\necho >> \(folder)/calls\necho 'HAProxy version \(version) 2026/01/01'\n",
                    to: executable,
                    mode: 0o755)
            }
            let service = ProcessService(folder: FilePath(folder), executable: FilePath(executable))
            let reader = VersionReader(service: service, executable: executable)
            try install("2.6.12")
            for _ in 1...3 { #expect(try await reader.version().release == "2.6.12") }
            #expect(readText(folder + "/calls") == "\n")
            try install("2.8.10-1")
            for _ in 1...3 { #expect(try await reader.version().release == "2.8.10-1") }
            #expect(readText(folder + "/calls") == "\n\n")
        }
    }

    @Test("HAProxy 2.4 is recent enough, older ones are not")
    func recent() throws {
        for version in ["2.4.0", "2.6.12-1+deb12u4", "2.10.1", "3.0-dev1"] { #expect(try Version(version).isRecent) }
        for version in ["2.3.21", "1.8.19", "1.10.0"] { #expect(try !Version(version).isRecent) }
    }
}
