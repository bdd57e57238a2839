/// Where a container of OpenStack Swift is, who asks for it, and how patiently.
///
/// The token is left out when the configuration is printed.
public struct OpenStackSwiftConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// The account's storage URL as authentication gives it, as in `https://swift.example/v1/AUTH_libra`.
    public var storageURL: String
    /// The container's name; it has to be there.
    public var container: String
    /// The token (`X-Auth-Token`), a secret; it ends at some time, and the store has to be made anew with another one then.
    public var token: String
    /// A PEM file with the certificate authorities to trust; `nil` for the system's.
    public var authorityFile: String?
    /// When requests are tried again, and when given up.
    public var retry = RetryPolicy()
    /// How long a connection may take.
    public var connectTimeout: Duration = .seconds(5)
    /// How long a server may be silent before a request counts as lost.
    public var silence: Duration = .seconds(20)
    /// How many bytes an answer may have: an object that is larger can be read by ranges.
    public var maximumAnswer = 1 << 30

    /// Describes a container.
    public init(storageURL: String, container: String, token: String, authorityFile: String? = nil) {
        self.storageURL = storageURL
        self.container = container
        self.token = token
        self.authorityFile = authorityFile
    }

    /// The container and where it is.
    public var description: String { "container '\(container.visible)' at \(storageURL.visible)" }

    /// What a dump shows.
    public var customMirror: Mirror { Mirror(self, children: ["storageURL": storageURL, "container": container]) }
}
