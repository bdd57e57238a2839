import HAProxy
import SystemPackage
import Testing
import TestServers

@Suite("etc/sudoers.d/libra")
struct SudoersTests {
    @Test("allows exactly what the HAProxy module runs")
    func sudoers() throws {
        let text = readText(Repository.file("etc/sudoers.d/libra")).replacing("\\\n", with: " ")
        var commands: Set<String> = []
        var aliases: Set<String> = []
        var granted: Set<String> = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let halves = line.split(separator: "=", maxSplits: 1).map(String.init)
            try #require(halves.count == 2, "\(line)")
            if halves[0].hasPrefix("Cmnd_Alias") {
                aliases.insert(halves[0].split(separator: " ").last.map(String.init) ?? "")
                commands.formUnion(items(halves[1]))
            } else {
                #expect(halves[0].split(separator: " ") == ["haproxy", "ALL"])
                let rule = try #require(halves[1].split(separator: "NOPASSWD:").last)
                #expect(halves[1].contains("(root) NOPASSWD:"))
                granted.formUnion(items(String(rule)))
            }
        }
        #expect(granted == aliases)
        let expected = SystemService().sudoCommands + [.socat(to: "/var/run/haproxy-stats.socket")]
        #expect(commands.sorted() == expected.map(\.description).sorted())
    }

    @Test("is accepted by visudo")
    func visudo() async throws {
        let (code, output) = try await run("visudo", ["-c", "-s", "-f", Repository.file("etc/sudoers.d/libra")])
        #expect(code == 0, "\(output)")
    }

    /// The parts of a list, its commas and escapes read as sudo reads them.
    private func items(_ list: String) -> [String] {
        var items = [""]
        var isEscaped = false
        for character in list {
            if character == ",", !isEscaped { items.append("") }
            if isEscaped || character != "\\" && character != "," { items[items.count - 1].append(character) }
            isEscaped = character == "\\" && !isEscaped
        }
        return items.map { $0.split(separator: " ").joined(separator: " ") }
    }
}
