import FoundationEssentials
public import Logging
import SystemPackage

/// A place for objects, and a prefix in it, as one line of text.
///
/// | URL | Place |
/// |---|---|
/// | `file:///var/lib/muskrat` | a folder |
/// | `s3://bucket/prefix?region=…&endpoint=http://host:port&path-style=true&profile=…&cacertfile=…` | a bucket |
/// | `swift://container/prefix?endpoint=https://host/v1/AUTH_account&cacertfile=…` | a container of OpenStack Swift |
/// | `memory:` | the memory of this process |
///
/// Parameters that are not known are errors. Secrets do not belong into a URL, which command lines and logs show:
/// see ``S3CredentialSource`` for where they are taken from. A token for OpenStack Swift is taken from `OS_AUTH_TOKEN`.
public struct ObjectStoreURL: Sendable, Hashable, CustomStringConvertible {
    enum Place: Sendable, Hashable {
        case file(String)
        case s3(S3Place)
        case swift(SwiftPlace)
        case memory
    }

    /// The URL.
    public let description: String
    /// What the keys of all objects are to begin with, without a slash at its end; empty for nothing.
    public let prefix: String
    /// The parameters that were left to the caller.
    public let otherParameters: [String: String]
    let place: Place

    /// Reads a URL.
    ///
    /// - Parameters:
    ///   - text: The URL.
    ///   - others: The names of parameters that the caller knows, and finds in ``otherParameters``.
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public init(_ text: String, leaving others: Set<String> = []) throws(ObjectStoreError) {
        let schemes = ["file", "s3", "swift", "memory"]
        var parts = try StoreURLParts(text, schemes: schemes)
        otherParameters = parts.take(others)
        description = text
        switch parts.scheme {
        case "file":
            guard parts.authority.isEmpty || parts.authority == "localhost", parts.path.hasPrefix("/") else {
                throw parts.error("a folder is written with three slashes, as in file:///var/lib/muskrat")
            }
            (place, prefix) = (.file(parts.path), "")
        case "s3":
            (place, prefix) = (.s3(try S3Place(&parts)), try parts.pathAsPrefix())
        case "swift":
            (place, prefix) = (.swift(try SwiftPlace(&parts)), try parts.pathAsPrefix())
        case "memory":
            guard parts.authority.isEmpty else { throw parts.error("memory: has no host") }
            (place, prefix) = (.memory, try parts.pathAsPrefix())
        default:
            throw parts.error("'\(parts.scheme)' is none of \(schemes.joined(separator: ", "))")
        }
        try parts.checkNothingIsLeft()
    }
}

extension ObjectStoreURL {
    /// Opens the store; nothing is asked of it until there is something to do.
    ///
    /// - Parameters:
    ///   - credentials: Where S3's credentials come from; by default from the variables and files that Amazon's tools read,
    ///     in which the profile is the URL's.
    ///   - region: The region of a bucket whose URL names none; by default `AWS_REGION`, `AWS_DEFAULT_REGION`, or `us-east-1`.
    ///   - logger: Where the store tells of repeated attempts and of a wrong clock.
    /// - Returns: The store; keys in it are to begin with ``prefix``.
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public func open(
        credentials: S3CredentialSource? = nil, region: String? = nil,
        logger: Logger = Logger(label: "libra.object-storage")
    ) throws(ObjectStoreError) -> any ObjectStore {
        switch place {
        case .file(let path): return FileObjectStore(root: FilePath(path))
        case .memory: return InMemoryObjectStore()
        case .swift(let place):
            return try OpenStackSwiftObjectStore(
                place.configuration(environment: ProcessInfo.processInfo.environment))
        case .s3(let place):
            let environment = ProcessInfo.processInfo.environment
            let chosen = region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1"
            let configuration = place.configuration(
                region: chosen, credentials: credentials ?? .standard(profile: place.profile))
            return try S3ObjectStore(configuration, logger: logger)
        }
    }
}

/// What an `s3://` URL says.
struct S3Place: Sendable, Hashable {
    let bucket: String
    let region: String?
    let endpoint: String?
    let usesPathStyle: Bool
    let profile: String?
    let authorityFile: String?

    init(_ parts: inout StoreURLParts) throws(ObjectStoreError) {
        guard !parts.authority.contains("@") else {
            throw parts.error(
                "a key and its secret do not belong into a URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                    + "or use ~/.aws/credentials")
        }
        bucket = parts.authority
        region = parts.take("region")
        endpoint = parts.take("endpoint")
        profile = parts.take("profile")
        authorityFile = parts.take("cacertfile")
        switch parts.take("path-style") {
        case nil, "false": usesPathStyle = false
        case "true": usesPathStyle = true
        default: throw parts.error("'path-style' is either true or false")
        }
        _ = try S3Address(configuration(region: region ?? "us-east-1", credentials: .standard(profile: nil)))
    }

    func configuration(region: String, credentials: S3CredentialSource) -> S3Configuration {
        S3Configuration(
            bucket: bucket, region: self.region ?? region, endpoint: endpoint, usesPathStyle: usesPathStyle,
            credentials: credentials, authorityFile: authorityFile)
    }
}

/// What a `swift://` URL says.
struct SwiftPlace: Sendable, Hashable {
    let container: String
    let endpoint: String?
    let authorityFile: String?

    init(_ parts: inout StoreURLParts) throws(ObjectStoreError) {
        guard !parts.authority.contains("@") else {
            throw parts.error("a user and a secret do not belong into a URL; set OS_AUTH_TOKEN")
        }
        container = parts.authority
        endpoint = parts.take("endpoint")
        authorityFile = parts.take("cacertfile")
        guard !container.isEmpty else { throw parts.error("it needs a container, as in swift://logs") }
    }

    /// Adds what the variables of OpenStack's own client say.
    func configuration(environment: [String: String]) throws(ObjectStoreError) -> OpenStackSwiftConfiguration {
        guard let endpoint = endpoint ?? environment["OS_STORAGE_URL"] else {
            throw ObjectStoreError(
                .invalidArgument,
                "swift://\(container) needs the account's storage URL: as the parameter endpoint, or in OS_STORAGE_URL")
        }
        guard let token = environment["OS_AUTH_TOKEN"] else {
            throw ObjectStoreError(.denied, "there is no token for swift://\(container): set OS_AUTH_TOKEN")
        }
        return OpenStackSwiftConfiguration(
            storageURL: endpoint, container: container, token: token, authorityFile: authorityFile)
    }
}

/// The pieces of a store's URL, decoded.
struct StoreURLParts {
    let scheme: String
    let authority: String
    let path: String
    private let text: String
    private var parameters: [String: String] = [:]

    init(_ text: String, schemes: [String]) throws(ObjectStoreError) {
        self.text = text
        func fault(_ reason: String) -> ObjectStoreError { Self.error(text, reason) }
        guard let colon = text.firstIndex(of: ":") else {
            throw fault("it needs to begin with one of \(schemes.map { $0 + ":" }.joined(separator: ", "))")
        }
        scheme = text[..<colon].lowercased()
        var rest = text[text.index(after: colon)...]
        guard !rest.contains("#") else { throw fault("a '#' has to be written as %23") }
        let hasAuthority = rest.hasPrefix("//")
        if hasAuthority { rest = rest.dropFirst(2) }
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = halves[0]
        let slash = hasAuthority ? place.firstIndex(of: "/") ?? place.endIndex : place.startIndex
        authority = String(place[..<slash])
        guard let path = percentDecoded(place[slash...]) else { throw fault("its path is not percent-encoded UTF-8") }
        // Where a path is handed to the system, it would end there.
        guard !path.utf8.contains(0) else { throw fault("its path has a character NUL") }
        self.path = path
        guard halves.count == 2 else { return }
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = percentDecoded(parts[0]), let value = percentDecoded(parts[1]),
                !value.isEmpty
            else { throw fault("its parameter '\(parts[0])' has no value, or is not percent-encoded UTF-8") }
            guard parameters.updateValue(value, forKey: name) == nil else {
                throw fault("its parameter '\(name)' is there twice")
            }
        }
    }

    /// Takes a parameter out.
    mutating func take(_ name: String) -> String? { parameters.removeValue(forKey: name) }

    mutating func take(_ names: Set<String>) -> [String: String] {
        let taken = parameters.filter { names.contains($0.key) }
        parameters = parameters.filter { !names.contains($0.key) }
        return taken
    }

    /// The path as what keys begin with.
    func pathAsPrefix() throws(ObjectStoreError) -> String {
        var prefix = path[...]
        if prefix.first == "/" { prefix.removeFirst() }
        if prefix.last == "/" { prefix.removeLast() }
        return prefix.isEmpty ? "" : try ObjectKey(String(prefix)).description
    }

    /// Refuses parameters that nobody took.
    func checkNothingIsLeft() throws(ObjectStoreError) {
        guard let name = parameters.keys.min() else { return }
        throw error("\(scheme):// has no parameter '\(name.visible)'")
    }

    func error(_ reason: String) -> ObjectStoreError { Self.error(text, reason) }

    private static func error(_ text: String, _ reason: String) -> ObjectStoreError {
        // What stands before an '@' may be a secret.
        let shown = text.lastIndex(of: "@").map { "…" + text[$0...] } ?? text
        return ObjectStoreError(.invalidArgument, "'\(shown.visible)' is no place for objects: \(reason)")
    }
}
