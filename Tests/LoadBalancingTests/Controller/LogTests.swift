import JSON
import LoadBalancing
import Logging
import Testing

@Suite struct LogTests {
    @Test("a message has one line at info level, with action, response and time")
    func info() async throws {
        let harness = Harness(level: .info)
        _ = try await harness.reply(to: #"{"hpcs_action":"ping"}"#)
        _ = try await harness.reply(to: #"{"hpcs_action":"ARCHIVE"}"#)
        let lines = harness.log.at(.info)
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("answered action=PING milliseconds="))
        #expect(lines[0].hasSuffix(" response=PASS"))
        #expect(lines[1].contains("error=ARCHIVE is not available") && lines[1].hasSuffix(" response=FAIL"))
        #expect(harness.log.at(.debug).isEmpty)
    }

    @Test("at debug level messages are logged in and out, without tokens")
    func debug() async throws {
        let harness = Harness()
        let message =
            #"{"hpcs_action":"ARCHIVE","hpcs_object_store_token":"s3cret","a":{"HPCS_OBJECT_STORE_TOKEN":"s3cret"}}"#
        _ = try await harness.reply(to: message)
        let lines = harness.log.at(.debug)
        #expect(
            lines == [
                #"received message={"hpcs_action":"ARCHIVE","hpcs_object_store_token":"*****","#
                    + #""a":{"HPCS_OBJECT_STORE_TOKEN":"*****"}}"#,
                #"sent message={"hpcs_action":"ARCHIVE","hpcs_object_store_token":"*****","#
                    + #""a":{"HPCS_OBJECT_STORE_TOKEN":"*****"},"hpcs_response":"FAIL","#
                    + #""hpcs_error":"ARCHIVE is not available in this version of the worker"}"#,
            ])
    }

    @Test(
        "a message that cannot be read, or has no action, leaves no token in logs and answers",
        arguments: [
            #"{"hpcs_object_store_token":"s3cret""#,
            #"{"hpcs_object_store_token":"s3cret","hpcs_object_store_token":"s3cret"}"#,
            #"{"hpcs_object_store_token":"s3cret"}"#, #"["hpcs_object_store_token","s3cret"]"#,
            #"{"hpcs_action":"UPDATE","hpcs_object_store_token":"s3cret"}"#, #""s3cret""#,
        ])
    func secrets(_ message: String) async throws {
        let harness = Harness()
        let reply = try await harness.reply(to: message)
        #expect(reply["hpcs_response"] == "FAIL")
        #expect(!reply.description.contains("s3cret"))
        #expect(!(harness.log.at(.debug) + harness.log.at(.info)).joined().contains("s3cret"))
    }
}
