import HAProxy
import SystemPackage
import Testing
import TestServers

extension EndToEnd {
    @Suite("etc/sudoers.d/libra")
    struct SudoersTests {
        @Test("allows exactly what the HAProxy module runs")
        func commands() throws {
            let text = readText(Repository.file("etc/sudoers.d/libra")).replacing("\\\n", with: " ")
            var aliases: [String: [String]] = [:]
            var granted: [String] = []
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                let halves = line.split(separator: " = ", maxSplits: 1).map(String.init)
                if let alias = halves.first, alias.hasPrefix("Cmnd_Alias "), halves.count == 2 {
                    aliases[String(alias.dropFirst("Cmnd_Alias ".count))] = items(halves[1])
                } else {
                    let rule = try #require(line.split(separator: "haproxy ALL = (root) NOPASSWD: ").first)
                    granted += items(String(rule))
                }
            }
            #expect(granted.sorted() == aliases.keys.sorted())
            let expected = SystemService().sudoCommands + [.socat(to: "/var/run/haproxy-stats.socket")]
            #expect(aliases.values.joined().sorted() == expected.map(\.sudoersText).sorted())
        }

        @Test("is accepted by visudo")
        func visudo() async throws {
            let (code, output) = try await run("visudo", ["-c", "-s", "-f", Repository.file("etc/sudoers.d/libra")])
            #expect(code == 0, "\(output)")
        }

        /// The parts of a list: a comma that is meant as such has a backslash before it.
        private func items(_ list: String) -> [String] {
            list.replacing("\\,", with: "\0").split(separator: ",").map { item in
                item.replacing("\0", with: "\\,").split(separator: " ").joined(separator: " ")
            }
        }
    }
}
