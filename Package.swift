// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "libra",
    targets: [
        .target(name: "DedicatedThread"),
        .target(name: "TestServers", dependencies: ["DedicatedThread"], path: "Tests/TestServers"),
        .testTarget(name: "DedicatedThreadTests", dependencies: ["DedicatedThread"]),
        .testTarget(name: "IntegrationTests", dependencies: ["TestServers"]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
