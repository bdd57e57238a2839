import HAProxy
import Testing

@Suite struct StatisticsTests {
    @Test("rows are read by the header: in another order, with columns that are new")
    func reordered() throws {
        let reply = """
            # svname,new one,bout,pxname,status,type,weight,bin,lastchg,act,bck,check_desc,last_chk,scur,stot,req_tot,
            FRONTEND,x,18446744073709551615,web-in,OPEN,0,,7,,,,,,1,2,3,
            id-1,"a, b",12,web,UP 1/2,2,5,7,61,1,0,Layer7 check passed,"200 ""OK"", fine",1,9,,
            BACKEND,,20,web,UP,1,11,7,5,2,1,,,0,0,0,

            """
        let statistics = try Statistics(Array(reply.utf8))
        #expect(statistics.rows.map(\.kind) == [.frontend, .server, .backend])
        let frontend = try #require(statistics.frontend(try ProxyName("web-in")))
        #expect(frontend.bytesOut == .max)
        #expect(frontend.lastChange == nil)
        #expect(frontend.totalRequests == 3)
        let server = try #require(statistics.servers(of: try ProxyName("web")).first)
        #expect(server.server == "id-1")
        #expect(server.status.kind == .goingDown)
        #expect(server.lastCheck == #"200 "OK", fine"#)
        #expect(server.checkDescription == "Layer7 check passed")
        #expect(server.lastChange == .seconds(61))
        #expect(server.weight == 5)
        #expect(server.totalSessions == 9)
        let backend = try #require(statistics.backend(try ProxyName("web")))
        #expect(backend.activeServers == 2 && backend.backupServers == 1)
        #expect(statistics.backend(try ProxyName("other")) == nil)
    }

    @Test("a quoted field may contain a line's end")
    func quotedNewline() throws {
        let reply = "# pxname,svname,status,last_chk\nb,s,DOWN,\"a\nb\"\nb,t,UP,\n\n"
        let rows = try Statistics(Array(reply.utf8)).rows
        #expect(rows.map(\.lastCheck) == ["a\nb", ""])
        #expect(rows.map(\.kind) == [.server, .server])
    }

    @Test("numbers that are no numbers, negative or too large count as absent")
    func badNumbers() throws {
        let reply = "# pxname,svname,status,bout,lastchg,weight\nb,s,UP,18446744073709551616,-1,x\n\n"
        let row = try #require(try Statistics(Array(reply.utf8)).rows.first)
        #expect(row.bytesOut == 0 && row.lastChange == nil && row.weight == 0)
    }

    @Test("no rows is a valid reply")
    func empty() throws {
        #expect(try Statistics(Array("# pxname,svname,status,\n\n".utf8)).rows.isEmpty)
    }

    @Test(
        "what is no statistics is refused, and HAProxy's words are in the error",
        arguments: [
            "No such proxy.\n\n", "", "\n", "Permission denied\n\n", "# pxname,svname\na,b\n\n",
            "# pxname,svname,status\na,b\n\n", "# pxname,svname,status\na,b,\"UP\n\n",
            "# pxname,svname,status\na,b,\"UP\"x\n\n",
        ])
    func refused(reply: String) throws {
        let error = try #require(throws: HAProxyError.self) { try Statistics(Array(reply.utf8)) }
        #expect(error.code == .unreadableReply)
        if reply.hasPrefix("No such proxy") { #expect(error.message.contains("No such proxy.")) }
    }

    @Test("a reply cut anywhere never ends the process")
    func truncated() {
        let reply = Array("# pxname,svname,status,last_chk,\nb,s,UP,\"a\"\"b\",\nb,t,\"DOWN\",,\n\n".utf8)
        for length in 0...reply.count { _ = try? Statistics(Array(reply[..<length])) }
    }

    @Test(
        "what receives traffic is up, anything else is not",
        arguments: [
            ("UP", true), ("UP 1/2", true), ("no check", true), ("OPEN", true), ("DOWN", false), ("DOWN 1/2", false),
            ("DOWN (agent)", false), ("MAINT", false), ("MAINT (via b/s)", false), ("MAINT (resolution)", false),
            ("DRAIN", false), ("DRAIN (agent)", false), ("NOLB", false), ("NOLB 1/2", false), ("STOP", false),
            ("PAUSED", false), ("", false), ("something new", false), ("up", false),
        ])
    func states(text: String, isUp: Bool) {
        #expect(ServerStatus(text).isUp == isUp)
        #expect(ServerStatus(text).description == text)
    }
}

@Suite struct RuntimeInfoTests {
    @Test("known values are typed and the others can be had by name")
    func info() throws {
        let info = try RuntimeInfo(
            Array(
                "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nPid: 42\nUptime_sec: 7\nCurrConns: 3\nnode: \nStopping: 0\n\n"
                    .utf8))
        #expect(info.processID == 42)
        #expect(info.version == "2.6.12-1+deb12u4")
        #expect(info.uptime == .seconds(7))
        #expect(info.currentConnections == 3)
        #expect(!info.isStopping)
        #expect(info["Name"] == "HAProxy")
        #expect(info["node"] == "")
        #expect(info["Other"] == nil)
    }

    @Test(
        "a reply without a process id is refused", arguments: ["", "\n", "Permission denied\n", "Pid: x\nVersion: 1\n"])
    func refused(reply: String) {
        #expect(throws: HAProxyError.self) { try RuntimeInfo(Array(reply.utf8)) }
    }

    @Test("a version has a release and a branch")
    func versions() throws {
        #expect(try Version("2.6.12-1+deb12u4").branch == "2.6")
        #expect(try Version("2.6.12-1+deb12u4").release == "2.6.12-1+deb12u4")
        #expect(try Version("3.1-dev5").branch == "3.1")
        for text in ["", "2", "x.y", ".6", "2."] { #expect(throws: HAProxyError.self) { try Version(text) } }
    }
}

@Suite struct ProcessListTests {
    @Test("the master, its worker and old workers are told apart, and failed reloads counted")
    func list() throws {
        let reply = """
            #<PID>          <type>          <reloads>       <uptime>        <version>      
            21328           master          8 [failed: 1]   0d00h00m05s     2.6.12-1+deb12u4
            # workers
            21437           worker          0               0d00h00m01s     2.6.12-1+deb12u4
            # old workers
            21410           worker          1               0d00h00m01s     2.6.12-1+deb12u4
            21411           worker          2               0d00h00m01s     2.6.12-1+deb12u4
            # programs
            21500           p               0               0d00h00m01s     -


            """
        let list = try ProcessList(Array(reply.utf8))
        #expect(list.master.processID == 21_328)
        #expect(list.master.reloads == 8)
        #expect(list.master.failedReloads == 1)
        #expect(list.master.version == "2.6.12-1+deb12u4")
        #expect(list.workers.map(\.processID) == [21_437])
        #expect(list.oldWorkers.map(\.reloads) == [1, 2])
        #expect(list.oldWorkers.map(\.processID) == [21_410, 21_411])
    }

    @Test("a reply without a master is refused")
    func refused() {
        #expect(throws: HAProxyError.self) { try ProcessList(Array("Unknown command\n".utf8)) }
    }
}

@Suite struct StickTableReplyTests {
    @Test("the servers of a stick table's entries are read, and any other text is a fault")
    func numbers() throws {
        let head = "# table: b, type: ip, size:204800, used:2\n"
        let entry = "0x55: key=127.0.0.1 use=0 exp=1799998 server_id=1000007 server_key=c\n"
        #expect(try StickTableReply(Array("\(head)\(entry)\n".utf8)).serverNumbers == [1_000_007])
        #expect(try StickTableReply(Array("\(head)0x55: key=::1 use=0 exp=7\n\n".utf8)).serverNumbers.isEmpty)
        for reply in ["No such table\n\n", "\(head)\(entry)", "", "\(head)0x5: server_id=x\n\n"] {
            let error = #expect(throws: HAProxyError.self) { try StickTableReply(Array(reply.utf8)) }
            #expect(error?.code == .unreadableReply)
        }
    }
}
