import Glibc
import Synchronization
import SystemPackage

/// An open segment; its descriptor is closed with the last reference.
final class SegmentFile: Sendable {
    let name: String
    let descriptor: Int32
    /// Whether a loss of power could still take the file's name.
    private let isNew: Atomic<Bool>

    init(name: String, descriptor: Int32, isNew: Bool) {
        self.name = name
        self.descriptor = descriptor
        self.isNew = Atomic(isNew)
    }

    deinit {
        close(descriptor)
    }

    /// Makes what was written safe from a loss of power; nil when that worked.
    func synchronize(in directory: SpoolDirectory) -> Errno? {
        guard retrying({ Int(fdatasync(descriptor)) }) == 0 else { return lastError }
        if isNew.exchange(false, ordering: .relaxed), let error = directory.synchronize() {
            isNew.store(true, ordering: .relaxed)
            return error
        }
        return nil
    }

    /// The name of the segment whose first record has that sequence number: so names sort as the records do.
    static func name(_ firstSequence: UInt64) -> String {
        let digits = String(firstSequence)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits + suffix
    }

    /// The sequence number in a segment's name; nil for any other name.
    static func firstSequence(_ name: String) -> UInt64? {
        guard name.utf8.count == 20 + suffix.utf8.count, name.hasSuffix(suffix),
            let number = UInt64(name.dropLast(suffix.utf8.count)), 1..<1 << 63 ~= number, Self.name(number) == name
        else { return nil }
        return number
    }

    private static let suffix = ".segment"
}
