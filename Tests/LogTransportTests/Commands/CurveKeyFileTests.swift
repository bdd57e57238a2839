import CommandKit
import Glibc
import LogCommands
import SystemPackage
import Testing
import TestServers
import ZeroMQ

@Suite("CURVE key files")
struct CurveKeyFileTests {
    private func make(_ folder: String, _ name: String = "web1") throws -> KeyGeneration.Files {
        try KeyGeneration.make(FilePath("\(folder)/\(name)"))
    }

    private func mode(_ path: FilePath) -> UInt32 {
        var status = stat()
        return stat(path.string, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test("keygen writes a secret file for its owner and a public one for all, which can be read back")
    func generation() async throws {
        try await withTemporaryFolder { folder in
            let files = try make(folder)
            #expect(mode(files.secret) == 0o600 && mode(files.public) == 0o644)
            let pair = try CurveKeyFile.pair(in: files.secret, origin: "--curve-key")
            #expect(try CurveKeyFile.publicKeys(in: files.public, origin: "--curve-allow") == [pair.publicKey])
            #expect(!readText(files.public.string).contains(pair.secretKey.z85))
        }
    }

    @Test("keygen replaces nothing, and leaves no half of a pair", arguments: ["key", "pub"])
    func refusal(end: String) async throws {
        try await withTemporaryFolder { folder in
            try writeText("mine", to: "\(folder)/web1.\(end)")
            let error = #expect(throws: CommandError.self) { try make(folder) }
            #expect(error?.exitCode == .cannotCreate)
            #expect(error?.description.contains("web1.\(end)") == true)
            #expect(readText("\(folder)/web1.\(end)") == "mine")
            #expect(!exists("\(folder)/web1.\(end == "key" ? "pub" : "key")"))
        }
    }

    @Test("several public files, one after the other, are a list of allowed peers")
    func list() async throws {
        try await withTemporaryFolder { folder in
            let files = try ["a", "b"].map { try make(folder, $0) }
            try writeText(files.map { readText($0.public.string) }.joined(separator: "\n"), to: "\(folder)/allowed")
            #expect(try CurveKeyFile.publicKeys(in: FilePath("\(folder)/allowed"), origin: "").count == 2)
        }
    }

    @Test("lines of key files may end as on Windows")
    func windows() async throws {
        try await withTemporaryFolder { folder in
            let files = try make(folder)
            for path in [files.secret, files.public] {
                let text = readText(path.string).split(separator: "\n").joined(separator: "\r\n") + "\r\n"
                try writeText(text, to: path.string, mode: 0o600)
            }
            let pair = try CurveKeyFile.pair(in: files.secret, origin: "")
            #expect(try CurveKeyFile.publicKeys(in: files.public, origin: "") == [pair.publicKey])
        }
    }

    @Test("a secret file that others can read is refused")
    func openFile() async throws {
        try await withTemporaryFolder { folder in
            let files = try make(folder)
            chmod(files.secret.string, 0o640)
            let error = #expect(throws: CurveKeyFileError.self) {
                try CurveKeyFile.pair(in: files.secret, origin: "--curve-key")
            }
            #expect(error?.description.contains("chmod 600") == true)
            #expect(error?.description.hasPrefix("--curve-key: ") == true)
        }
    }

    @Test("what is wrong with a key file is said without repeating what stands in it")
    func faults() async throws {
        try await withTemporaryFolder { folder in
            let first = try CurveKeyPair.generate()
            let second = try CurveKeyPair.generate()
            let path = FilePath("\(folder)/test.key")
            for (text, words) in [
                ("", "is not a secret key file"),
                ("public-key = \(first.publicKey)\n", "is not a secret key file"),
                ("public-key = \(first.publicKey)\nsecret-key = \(second.secretKey.z85)\n", "do not belong together"),
                ("secret-key = hunter2\n", "line 1 has no key of 40 characters"),
                ("# x\n\nhunter2\n", "line 3 is neither"),
                ("password = hunter2\n", "line 1 is neither"),
            ] {
                try writeText(text, to: path.string, mode: 0o600)
                let error = #expect(throws: CurveKeyFileError.self) { try CurveKeyFile.pair(in: path, origin: "") }
                let message = error?.description ?? ""
                #expect(message.contains(words) && message.contains("test.key"), "\(message)")
                #expect(!message.contains("hunter2") && !message.contains(second.secretKey.z85))
            }
            #expect(throws: CurveKeyFileError.self) { try CurveKeyFile.pair(in: "/nowhere/a.key", origin: "") }
            #expect(throws: CurveKeyFileError.self) { try CurveKeyFile.publicKeys(in: FilePath(folder), origin: "") }
            // A secret key where a public one is wanted is on its way to the other side.
            let files = try make(folder)
            #expect(throws: CurveKeyFileError.self) { try CurveKeyFile.publicKeys(in: files.secret, origin: "") }
        }
    }

    @Test("a bind that others can reach is warned of, unless it asks who they are")
    func warning() throws {
        let open = try ["tcp://127.0.0.1:1", "tcp://*:5000", "tcp://[::1]:2", "ipc:///tmp/a", "tcp://10.0.0.1:3"]
            .map { text throws(ZeroMQError) in try Endpoint(text) }
        let text = try #require(OpenBindWarning.text(open, curve: nil))
        #expect(text.contains("tcp://*:5000") && text.contains("tcp://10.0.0.1:3"))
        #expect(!text.contains("127.0.0.1") && !text.contains("ipc") && !text.contains("::1"))
        #expect(OpenBindWarning.text([open[0], open[2], open[3]], curve: nil) == nil)
        let server = CurveServer(secretKey: try CurveKeyPair.generate().secretKey, allowedClients: [])
        #expect(OpenBindWarning.text(open, curve: .server(server)) == nil)
    }
}
