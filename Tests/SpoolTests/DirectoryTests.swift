import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

/// The program that the tests run as a process of its own; it is built beside them.
let probe =
    String(cString: realpath("/proc/self/exe", nil)).split(separator: "/").dropLast()
    .reduce("") { "\($0)/\($1)" } + "/spool-probe"

@Suite struct DirectoryTests {
    @Test("a second process, and a second spool of one process, are refused") func exclusive() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"))
            let spool = try Spool(options)
            let error = #expect(throws: SpoolError.self) { try Spool(options) }
            #expect(error?.code == .inUse)
            let (exitCode, output) = try await run(probe, ["open", "\(folder)/spool"])
            #expect(exitCode == 1)
            #expect(output.contains("another process uses the spool directory \(folder)/spool"))
            try spool.close()
            #expect(try await run(probe, ["open", "\(folder)/spool"]).output == "opened\n")
        }
    }

    @Test("nobody else may read what is in a spool") func modes() async throws {
        try await withTemporaryFolder { folder in
            let spool = try Spool(SpoolOptions(directory: FilePath("\(folder)/spool")))
            try spool.append("secret")
            try spool.write()
            var status = stat()
            #expect(lstat("\(folder)/spool", &status) == 0 && status.st_mode & 0o777 == 0o700)
            for name in segmentNames("\(folder)/spool") + ["cursor", "lock"] {
                #expect(lstat("\(folder)/spool/\(name)", &status) == 0 && status.st_mode & 0o777 == 0o600)
            }
        }
    }

    @Test(
        "a directory that others may write to is told",
        arguments: [(0o700, false), (0o755, false), (0o770, true), (0o1777, true)])
    func openDirectory(mode: UInt32, isOpen: Bool) async throws {
        try await withTemporaryFolder { folder in
            mkdir("\(folder)/spool", 0o700)
            chmod("\(folder)/spool", mode)
            let spool = try Spool(SpoolOptions(directory: FilePath("\(folder)/spool")))
            #expect(spool.recovery.isOpenToOthers == isOpen)
            try spool.close()
        }
    }

    @Test("files that are not the spool's are left alone") func unknownFiles() async throws {
        try await withTemporaryFolder { folder in
            let directory = "\(folder)/spool"
            mkdir(directory, 0o700)
            mkdir("\(directory)/lost+found", 0o700)
            mkdir("\(directory)/00000000000000000007.segment", 0o700)
            let names = ["notes.txt", "1.segment", "00000000000000000000.segment", "00000000000000000002.segment~"]
            for name in names { try writeText("not mine", to: "\(directory)/\(name)") }
            symlink("/etc/passwd", "\(directory)/00000000000000000009.segment")
            let spool = try Spool(SpoolOptions(directory: FilePath(directory)))
            for text in texts(0..<20) { try spool.append(text) }
            try spool.write()
            #expect(try spool.drain() == texts(0..<20))
            #expect(spool.counts.corruptPlaces == 0)
            try spool.close()
            for name in names { #expect(readText("\(directory)/\(name)") == "not mine") }
        }
    }

    @Test("a directory that cannot be used is an error that names it") func unusable() async throws {
        try await withTemporaryFolder { folder in
            try writeText("", to: "\(folder)/file")
            for path in ["\(folder)/file", "\(folder)/missing/spool"] {
                let error = #expect(throws: SpoolError.self) { try Spool(SpoolOptions(directory: FilePath(path))) }
                #expect(error?.code == .unreadable)
                #expect(error?.message.contains("\(path): ") == true)
            }
            // Root without its capabilities is bound by modes like any user.
            mkdir("\(folder)/locked", 0o500)
            let (exitCode, output) = try await run(
                "setpriv", ["--inh-caps=-all", "--bounding-set=-all", probe, "open", "\(folder)/locked"])
            #expect(exitCode == 1)
            #expect(output.contains("\(folder)/locked") && output.contains("Permission denied"))
        }
    }

    @Test("a spool of a later format is refused and left as it is") func laterFormat() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"))
            let spool = try Spool(options)
            try spool.append("a")
            try spool.close()
            let segment = "\(folder)/spool/" + (try #require(segmentNames("\(folder)/spool").first))
            for file in [segment, "\(folder)/spool/cursor"] {
                let bytes = try readBytes(file)
                var later = bytes
                for start in file == segment ? [0] : [0, 4096] where later[start] != 0 {
                    later[start + 8] = 2
                    let end = start + (file == segment ? 60 : 76)
                    let sum = checksum(later[start..<end])
                    for index in 0..<4 { later[end + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
                }
                try writeBytes(later, to: file)
                let error = #expect(throws: SpoolError.self) { try Spool(options) }
                #expect(error?.code == .unreadable)
                #expect(error?.message.contains("version 2") == true)
                #expect(try readBytes(file) == later)
                try writeBytes(bytes, to: file)
            }
            #expect(try Spool(options).readAll() == ["a"])
        }
    }

    @Test("a directory that is renamed while it is in use stays in use") func renamed() async throws {
        try await withTemporaryFolder { folder in
            let spool = try Spool(
                SpoolOptions(directory: FilePath("\(folder)/old"), limit: 1 << 20, segmentSize: 16 << 10, sync: .never))
            for text in texts(0..<500) { try spool.append(text) }
            try spool.write()
            rename("\(folder)/old", "\(folder)/new")
            for text in texts(500..<1000) { try spool.append(text) }
            try spool.write()
            #expect(try spool.drain() == texts(0..<1000))
        }
    }
}

/// CRC-32C bit by bit.
func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var value = ~UInt32(0)
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
    }
    return ~value
}
