/// Where a server on S3's protocol is, and who may do everything with a bucket there.
public struct S3Login: Sendable, Hashable {
    /// The loopback port.
    public let port: Int
    /// The name of the key.
    public let accessKeyID: String
    /// The key.
    public let secretAccessKey: String
    /// The token that goes with temporary credentials.
    public let sessionToken: String?
    /// The bucket, which is there.
    public let bucket: String

    /// The server, as in `http://127.0.0.1:9000`.
    public var endpoint: String { "http://127.0.0.1:\(port)" }

    /// The variables that Amazon's tools, and this project, take the login from.
    public var environment: [String: String] {
        [
            "AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secretAccessKey, "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true",
        ]
    }

    /// Makes a login for a port; servers are started with it.
    public init(
        port: Int, accessKeyID: String = "LIBRATESTKEY", secretAccessKey: String = "libra-test/secret+key",
        sessionToken: String? = nil
    ) {
        self.port = port
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        bucket = "libra"
    }

    /// Runs a program in Python with boto3 and this login.
    ///
    /// - Parameters:
    ///   - program: The program; a client for S3 is `s3` in it, the bucket's name is `bucket`.
    ///   - folder: Where the program may be written.
    ///   - arguments: What it finds in `sys.argv[1:]`.
    /// - Returns: What it wrote.
    /// - Throws: ``TestServerError`` when it fails.
    @discardableResult
    public func boto3(_ program: String, in folder: String, _ arguments: [String] = []) async throws -> String {
        let path = "\(folder)/boto3-\(try freePort()).py"
        try writeText(
            """
            import sys, boto3
            from botocore.config import Config

            bucket = "\(bucket)"
            s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
            \(program)
            """, to: path)
        return try await python([path] + arguments)
    }

    /// Runs the AWS command line with this login.
    ///
    /// - Returns: What it wrote.
    /// - Throws: ``TestServerError`` when it fails.
    @discardableResult
    public func aws(_ arguments: String...) async throws -> String { try await python(["-m", "awscli"] + arguments) }

    private func python(_ arguments: [String]) async throws -> String {
        let packages = try PythonPackages.environment()
        let (code, output) = try await run(
            "python3", arguments, environment: environment.merging(packages) { $1 }, within: .seconds(60))
        guard code == 0 else { throw TestServerError("python3 \(arguments) ended with \(code): \(output)") }
        return output
    }
}
