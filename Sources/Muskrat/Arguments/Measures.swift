internal import ArgumentParser
internal import CommandKit
internal import MessageLog

extension TimeSpan: ExpressibleByArgument {
    /// Reads `30s`, `12h`, `7d` and the like.
    public init?(argument: String) { self.init(argument) }
}

extension ByteSize: ExpressibleByArgument {
    /// Reads `64MiB`, `10GB` and the like.
    public init?(argument: String) { self.init(argument) }
}

/// A layout on the command line.
struct LayoutName: ExpressibleByArgument {
    let layout: BrokerLayout

    init?(argument: String) {
        guard let layout = BrokerLayout(rawValue: argument.lowercased()) else { return nil }
        self.layout = layout
    }

    static var allValueStrings: [String] { BrokerLayout.allCases.map(\.rawValue) }
}
