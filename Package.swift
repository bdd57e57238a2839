// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "libra",
    targets: [
        .target(name: "DedicatedThread"),
        .testTarget(name: "DedicatedThreadTests", dependencies: ["DedicatedThread"]),
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
