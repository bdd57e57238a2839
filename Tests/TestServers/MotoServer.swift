/// A `moto_server` on a free loopback port, which checks signatures, session tokens and policies as Amazon does.
public struct MotoServer: Sendable {
    /// Where it is.
    public let login: S3Login
    private let process: ChildProcess

    /// Starts a server with a bucket, and a user who may do everything.
    ///
    /// - Parameter folder: Where files may be written.
    /// - Returns: The running server; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(in folder: String) async throws -> MotoServer {
        let port = try freePort()
        // The first requests, which make a user and its key, cannot be signed by it.
        let environment = try PythonPackages.environment().merging(["INITIAL_NO_AUTH_ACTION_COUNT": "3"]) { $1 }
        let process = try await ChildProcess.start(
            "python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"], environment: environment, in: folder)
        try await eventually(within: .seconds(60), "moto on port \(port)") {
            guard process.isRunning else { throw TestServerError("moto has ended: \(process.output)") }
            return accepts(port: port)
        }
        let nobody = S3Login(port: port)
        let key = try await nobody.boto3(
            """
            iam = boto3.client("iam")
            iam.create_user(UserName="libra")
            iam.put_user_policy(UserName="libra", PolicyName="all", PolicyDocument='{"Version": "2012-10-17", '
                '"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}')
            key = iam.create_access_key(UserName="libra")["AccessKey"]
            boto3.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
                config=Config(s3={"addressing_style": "path"})).create_bucket(Bucket=bucket)
            print(key["AccessKeyId"], key["SecretAccessKey"])
            """, in: folder
        ).split(whereSeparator: \.isWhitespace)
        guard key.count == 2 else { throw TestServerError("moto gave no key: \(key)") }
        return MotoServer(
            login: S3Login(port: port, accessKeyID: String(key[0]), secretAccessKey: String(key[1])), process: process)
    }

    /// Has the user take on a role that may do everything with S3.
    ///
    /// - Parameter folder: Where files may be written.
    /// - Returns: The role's temporary credentials.
    /// - Throws: ``TestServerError`` when there are none.
    public func temporaryLogin(in folder: String) async throws -> S3Login {
        let words = try await login.boto3(
            """
            iam = boto3.client("iam")
            role = iam.create_role(RoleName="writer", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": '
                '[{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}')["Role"]
            iam.put_role_policy(RoleName="writer", PolicyName="all", PolicyDocument='{"Version": "2012-10-17", '
                '"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}')
            key = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
            print(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
            """, in: folder
        ).split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 3 else { throw TestServerError("moto gave no temporary key: \(words)") }
        return S3Login(
            port: login.port, accessKeyID: words[0], secretAccessKey: words[1], sessionToken: words[2])
    }

    /// Ends it.
    public func stop() async { await process.kill() }
}
