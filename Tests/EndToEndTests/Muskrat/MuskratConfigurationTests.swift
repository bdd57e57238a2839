import CivilTime
import MessageLog
import SystemPackage
import TestServers
import Testing

@testable import CommandKit
@testable import Muskrat

extension EndToEnd {
    @Suite("etc/muskrat.cfg")
    struct MuskratConfigurationTests {
        private let sample = readText(Repository.file("etc/muskrat.cfg"))

        @Test("has a line for every setting, and every key commented out")
        func isComplete() {
            let document = INIDocument(parsing: Array(uncommented(sample).utf8))
            #expect(document.faults.isEmpty)
            let places = Set(document.entries.map { SettingPlace($0.section, $0.key) })
            for declaration in MuskratSettings.schema.declarations {
                #expect(places.contains(declaration.place), "\(declaration.place)")
            }
            #expect(sample.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("[") })
        }

        @Test("is taken as a configuration, with the old keys")
        func isTaken() async throws {
            try await withTemporaryFolder { folder in
                let file = FilePath(folder).appending("muskrat.cfg")
                try writeText(uncommented(sample), to: file.string)
                let settings = try MuskratSettings.schema.load(file: file, environment: [:])
                #expect(settings[MuskratSettings.s3Bucket] == "chatserver")
                #expect(settings[MuskratSettings.cursorLocation] == "/var/lib/muskrat/cursors")
                #expect(settings[MuskratSettings.exchangeName] == "muskrat")
                let empty = try MuskratSettings.schema.load(file: nil, environment: [:])
                #expect(settings[MuskratSettings.batchBytes] == empty[MuskratSettings.batchBytes])
                #expect(settings[MuskratSettings.batchInterval] == empty[MuskratSettings.batchInterval])
                #expect(settings[MuskratSettings.spoolLimit] == empty[MuskratSettings.spoolLimit])
                #expect(settings[MuskratSettings.spooling] == empty[MuskratSettings.spooling])
                #expect(settings[MuskratSettings.timeFormat] == .standard)
            }
        }
    }
}
