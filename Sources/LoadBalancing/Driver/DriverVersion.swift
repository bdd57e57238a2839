/// Which version of the balancing software is installed.
public struct DriverVersion: Sendable, Hashable {
    /// Major and minor number: `2.6`.
    public let version: String

    /// The full version: `2.6.12-1+deb12u4`.
    public let release: String

    /// Creates a version.
    public init(version: String, release: String) {
        self.version = version
        self.release = release
    }
}
