import Testing

@testable import ObjectStorage

@Suite struct ObjectStoreURLTests {
    @Test("a bucket is read with its prefix and parameters")
    func bucket() throws {
        let url = try ObjectStoreURL(
            "s3://logs/fleet/%C3%BC%20x/?endpoint=http://127.0.0.1:8333&region=eu-central-1&path-style=true"
                + "&profile=ops&cacertfile=/etc/ssl/fleet.pem")
        #expect(url.prefix == "fleet/ü x")
        guard case .s3(let place) = url.place else { throw ObjectStoreError(.invalidArgument, "no bucket") }
        let configuration = place.configuration(region: "us-east-1", credentials: .standard(profile: place.profile))
        #expect(configuration.bucket == "logs")
        #expect(configuration.region == "eu-central-1")
        #expect(configuration.credentials == .standard(profile: "ops"))
        #expect(configuration.authorityFile == "/etc/ssl/fleet.pem")
        let address = try S3Address(configuration)
        #expect("\(address.endpoint)\(address.bucketPath)" == "http://127.0.0.1:8333/logs")
    }

    @Test(
        "where the requests for a bucket go",
        arguments: [
            ("s3://logs", "https://logs.s3.us-east-1.amazonaws.com"),
            ("s3://logs?region=eu-west-1", "https://logs.s3.eu-west-1.amazonaws.com"),
            ("s3://logs?path-style=true", "https://s3.us-east-1.amazonaws.com/logs"),
            ("s3://my.logs", "https://s3.us-east-1.amazonaws.com/my.logs"),
            ("s3://logs?endpoint=https://s3.example:9000/base/", "https://logs.s3.example:9000/base"),
            ("s3://logs?endpoint=http://[::1]:9000&path-style=true", "http://[::1]:9000/logs"),
            ("s3://logs?endpoint=http://127.0.0.1:9000", "http://127.0.0.1:9000/logs"),
            ("s3://logs?endpoint=https://[::1]", "https://[::1]/logs"),
            ("s3://Old_Logs?endpoint=http://ceph&path-style=true", "http://ceph/Old_Logs"),
        ])
    func addresses(_ text: String, _ expected: String) throws {
        guard case .s3(let place) = try ObjectStoreURL(text).place else {
            throw ObjectStoreError(.invalidArgument, "no bucket")
        }
        let address = try S3Address(place.configuration(region: "us-east-1", credentials: .standard(profile: nil)))
        #expect("\(address.endpoint)\(address.bucketPath)" == expected)
    }

    @Test("a container is read; its account may, and the token has to be in the environment")
    func container() throws {
        let url = try ObjectStoreURL(
            "swift://old-logs/2026?endpoint=https://swift.example/v1/AUTH_a&cacertfile=/ca.pem")
        #expect(url.prefix == "2026")
        guard case .swift(let place) = url.place else { throw ObjectStoreError(.invalidArgument, "no container") }
        let configuration = try place.configuration(environment: [
            "OS_AUTH_TOKEN": "t", "OS_STORAGE_URL": "https://b/v1/b",
        ])
        #expect(configuration.container == "old-logs" && configuration.token == "t")
        #expect(configuration.storageURL == "https://swift.example/v1/AUTH_a")
        #expect(configuration.authorityFile == "/ca.pem")
        guard case .swift(let bare) = try ObjectStoreURL("swift://logs").place else {
            throw ObjectStoreError(.invalidArgument, "no container")
        }
        let environment = ["OS_AUTH_TOKEN": "t", "OS_STORAGE_URL": "https://b/v1/b"]
        #expect(try bare.configuration(environment: environment).storageURL == "https://b/v1/b")
        for (name, code) in [("OS_AUTH_TOKEN", ObjectStoreError.Code.denied), ("OS_STORAGE_URL", .invalidArgument)] {
            let error = #expect(throws: ObjectStoreError.self) {
                try bare.configuration(environment: environment.filter { $0.key != name })
            }
            #expect(error?.code == code && error?.message.contains(name) == true)
        }
    }

    @Test("a folder is read, its path decoded")
    func folder() throws {
        let url = try ObjectStoreURL("file:///var/lib/mus%20krat")
        #expect(url.place == .file("/var/lib/mus krat"))
        #expect(url.prefix.isEmpty)
    }

    @Test("parameters that are the caller's are left to it")
    func others() throws {
        let url = try ObjectStoreURL("s3://logs?layout=legacy&region=eu-west-1", leaving: ["layout", "batch"])
        #expect(url.otherParameters == ["layout": "legacy"])
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("logs", "file:, s3:, swift:, memory:"), ("ftp://logs", "'ftp' is none of"), ("s3://", "no bucket"),
            ("s3://lo", "no bucket"), ("s3://Logs", "no bucket"), ("s3://logs?regoin=eu", "no parameter 'regoin'"),
            ("s3://logs?region=eu&region=us", "'region' is there twice"), ("s3://logs?region", "'region' has no value"),
            ("s3://logs?path-style=yes", "either true or false"), ("s3://logs?region=a%20b", "no region"),
            ("s3://logs?endpoint=s3.example", "http:// or https://"),
            ("s3://logs?endpoint=http://a:0", "a port from 1"),
            ("s3://logs?endpoint=http://u:p@a", "no '?', '#' or '@'"), ("s3://logs/../x", "a part of it is '..'"),
            ("s3://logs//x", "a part of it is empty"),
            ("swift://", "needs a container"), ("swift://logs?region=x", "no parameter 'region'"),
            ("swift://user:secret@logs", "OS_AUTH_TOKEN"), ("s3://logs/a#b", "%23"),
            ("s3://logs/%zz", "not percent-encoded"),
            ("file:///var/lib/a%00b", "NUL"), ("s3://logs/a%00b", "NUL"), ("file://relative/path", "three slashes"),
            ("file:///a?region=x", "no parameter 'region'"),
        ])
    func faults(_ text: String, _ part: String) {
        let error = #expect(throws: ObjectStoreError.self) { try ObjectStoreURL(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(part) == true, "\(String(describing: error))")
    }

    @Test("a secret in a URL is refused, and not repeated")
    func secret() {
        let error = #expect(throws: ObjectStoreError.self) { try ObjectStoreURL("s3://AKIA:hush@logs/x") }
        #expect(error?.message.contains("AWS_SECRET_ACCESS_KEY") == true)
        #expect(error?.message.contains("hush") == false)
    }
}
