import SystemPackage
import Testing

@testable import HAProxy

@Suite struct WordsTests {
    @Test("only the alerts that say why are kept")
    func alerts() {
        let output = """
            [NOTICE]   (7) : haproxy version is 2.6.12-1+deb12u4
            [ALERT]    (7) : config : parsing [a.cfg:16] : unknown keyword 'foo' in 'frontend' section
            [ALERT]    (7) : config : Error(s) found in configuration file : a.cfg
            [ALERT]    (7) : config : Fatal errors found in configuration.
            """
        #expect(
            HAProxyWords.summary(of: Array(output.utf8))
                == "parsing [a.cfg:16] : unknown keyword 'foo' in 'frontend' section")
    }

    @Test("without alerts everything is kept, in one line and without control bytes")
    func plain() {
        #expect(HAProxyWords.summary(of: Array("  a\tb \n\n\u{1b}[31mc\n".utf8)) == "a b; [31mc")
        #expect(HAProxyWords.summary(of: []).isEmpty)
    }

    @Test("a flood is cut")
    func flood() {
        let output = Array(String(repeating: "[ALERT] (1) : something is wrong\n", count: 10_000).utf8)
        let summary = HAProxyWords.summary(of: output)
        #expect(summary.utf8.count < 2100 && summary.hasSuffix("…"))
    }
}

@Suite struct SudoCommandTests {
    @Test("a sudoers file gets the special characters escaped")
    func sudoers() {
        #expect(
            SudoCommand.socat(to: "/run/a,b.sock").sudoersText
                == #"/usr/bin/socat -t 60 STDIO UNIX-CONNECT\:/run/a\,b.sock"#)
        #expect(SudoCommand.move("/a", to: "/b").sudoArguments == ["-n", "/usr/bin/mv", "-T", "/a", "/b"])
        #expect(SudoCommand.service(.stop).probeArguments == ["-n", "-l", "/usr/sbin/service", "haproxy", "stop"])
    }

    @Test("what sudo refuses is told apart from a command that fails")
    func refusal() {
        func failure(_ words: String) -> HAProxyError {
            CommandOutcome(
                command: "/usr/bin/sudo -n /usr/bin/x", isSuccess: false, ending: "exit code 1", output: [],
                errorOutput: Array(words.utf8)
            ).failure(.commandFailed)
        }
        #expect(failure("sudo: a password is required\n").code == .permissionDenied)
        #expect(
            failure("Sorry, user a is not allowed to execute '/usr/bin/x' as root on h.\n").code == .permissionDenied)
        #expect(failure("x: no such thing\n").message == "'/usr/bin/sudo -n /usr/bin/x' failed: x: no such thing")
        #expect(failure("").message.contains("it ended with exit code 1 and said nothing"))
    }
}
