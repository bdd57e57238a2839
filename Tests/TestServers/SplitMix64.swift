import Glibc

/// A random number generator whose numbers follow from its seed.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates a generator.
    public init(state: UInt64) { self.state = state }

    /// A generator for one run of a test; its seed is printed, and `LIBRA_TEST_SEED` in the environment repeats that run.
    public static func forThisRun(of test: String = #function) -> SplitMix64 {
        let wanted = getenv("LIBRA_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = wanted ?? .random(in: .min ... .max)
        print("\(test): LIBRA_TEST_SEED=\(seed)")
        return SplitMix64(state: seed)
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
