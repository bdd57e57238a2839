import TestServers
import Testing

@testable import ObjectStorage

@Suite struct S3CredentialSourceTests {
    private let file = """
        # made by hand
        [default]
        aws_access_key_id = FROMFILE
        aws_secret_access_key=secret=with=equals
        [other profile]
        AWS_ACCESS_KEY_ID = OTHER
        aws_secret_access_key = s2
        aws_session_token = t2
        [broken]
        aws_access_key_id = X
        """

    @Test("variables come before the file, and a profile that is named before both")
    func order() async throws {
        try await withTemporaryFolder { folder in
            try writeText(file, to: "\(folder)/credentials")
            let named = ["AWS_SHARED_CREDENTIALS_FILE": "\(folder)/credentials"]
            let keys = ["AWS_ACCESS_KEY_ID": "FROMENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"]
            let standard = S3CredentialSource.standard(profile: nil)
            let fromVariables = try standard.load(environment: named.merging(keys) { $1 })
            #expect(fromVariables == S3Credentials(accessKeyID: "FROMENV", secretAccessKey: "s", sessionToken: "t"))
            let fromFile = try standard.load(environment: named)
            #expect(fromFile == S3Credentials(accessKeyID: "FROMFILE", secretAccessKey: "secret=with=equals"))
            let other = S3Credentials(accessKeyID: "OTHER", secretAccessKey: "s2", sessionToken: "t2")
            #expect(try standard.load(environment: named.merging(["AWS_PROFILE": "other profile"]) { $1 }) == other)
            let profile = S3CredentialSource.standard(profile: "other profile")
            #expect(try profile.load(environment: named.merging(keys) { $1 }) == other)
            let path = S3CredentialSource.file(path: "\(folder)/credentials", profile: "default")
            #expect(try path.load(environment: keys).accessKeyID == "FROMFILE")
        }
    }

    @Test("the file is looked for in the home folder")
    func home() async throws {
        try await withTemporaryFolder { folder in
            _ = try await run("mkdir", ["\(folder)/.aws"])
            try writeText(file, to: "\(folder)/.aws/credentials")
            let credentials = try S3CredentialSource.standard(profile: nil).load(environment: ["HOME": folder])
            #expect(credentials.accessKeyID == "FROMFILE")
        }
    }

    @Test("what is missing is named, with the way out")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            try writeText(file, to: "\(folder)/credentials")
            let named = ["AWS_SHARED_CREDENTIALS_FILE": "\(folder)/credentials"]
            func message(_ source: S3CredentialSource, _ environment: [String: String]) -> String {
                do {
                    _ = try source.load(environment: environment)
                    return "no error"
                } catch {
                    return error.code == .denied ? error.message : "\(error.code)"
                }
            }
            let standard = S3CredentialSource.standard(profile: nil)
            #expect(message(standard, ["HOME": folder]).contains("set AWS_ACCESS_KEY_ID"))
            #expect(message(standard, ["AWS_ACCESS_KEY_ID": "A"]).contains("AWS_SECRET_ACCESS_KEY is not"))
            #expect(message(standard, ["AWS_SECRET_ACCESS_KEY": "A"]).contains("AWS_ACCESS_KEY_ID is not"))
            #expect(message(.standard(profile: "none"), named).contains("no profile [none]"))
            #expect(message(.standard(profile: "broken"), named).contains("no aws_secret_access_key"))
        }
    }

    @Test("credentials are read again when they are refused, and used when they are others")
    func rotation() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/credentials"
            try writeText(file, to: path)
            let box = S3CredentialBox(.file(path: path, profile: "default"), environment: [:])
            let old = try await box.current()
            #expect(try await box.replace(old) == false)
            try writeText(file.replacing("FROMFILE", with: "ROTATED"), to: path)
            #expect(try await box.current() == old)
            #expect(try await box.replace(old))
            #expect(try await box.current().accessKeyID == "ROTATED")
            // Another request that was refused with the old ones finds the new ones there.
            #expect(try await box.replace(old))
        }
    }
}
