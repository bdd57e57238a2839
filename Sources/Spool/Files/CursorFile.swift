import Glibc
import SystemPackage

/// The file `cursor`: two slots, written in turn, so that one is intact whatever happens to the other one.
struct CursorFile: ~Copyable {
    private let descriptor: Int32
    private(set) var slot: CursorSlot

    private static let name = "cursor"
    /// The slots lie in blocks of their own, so that no torn write can touch both.
    private static let distance = 4096

    private init(descriptor: Int32, slot: CursorSlot) {
        self.descriptor = descriptor
        self.slot = slot
    }

    deinit {
        close(descriptor)
    }

    /// Opens the cursor of a directory.
    ///
    /// - Returns: nil when there is none that can be read.
    static func open(in directory: SpoolDirectory) throws(SpoolError) -> CursorFile? {
        guard let file = try directory.openFile(name, writing: true) else { return nil }
        var slots: [CursorSlot] = []
        var unknown: UInt32?
        for index in 0..<2 {
            var bytes = [UInt8](repeating: 0, count: CursorSlot.count)
            let reading = bytes.withUnsafeMutableBytes { target in
                _ = try? readAll(file, into: target, at: index * distance)
                return CursorSlot.read(UnsafeRawBufferPointer(target))
            }
            switch reading {
            case .slot(let slot): slots.append(slot)
            case .unknownVersion(let version): unknown = version
            case .damaged: break
            }
        }
        if let unknown {
            close(file)
            throw .unknownVersion(unknown, directory.path.appending(name))
        }
        guard let slot = slots.max(by: { $0.generation < $1.generation }) else {
            close(file)
            return nil
        }
        return CursorFile(descriptor: file, slot: slot)
    }

    /// Makes the cursor anew, whatever stood there.
    static func create(_ slot: CursorSlot, in directory: SpoolDirectory) throws(SpoolError) -> CursorFile {
        directory.remove(name)
        let file: Int32
        do throws(Errno) {
            file = try directory.create(name)
        } catch {
            throw SpoolError(
                error.isNoRoom ? .full : .unreadable, "cannot make \(directory.path.appending(name))", cause: error)
        }
        // All of the room is taken now, so that a disk that is full later cannot keep the cursor from moving.
        let empty = [UInt8](repeating: 0, count: 2 * distance)
        if let error = empty.withUnsafeBytes({ writeAll(file, $0, at: 0) }) {
            close(file)
            directory.remove(name)
            throw SpoolError(
                error.isNoRoom ? .full : .systemError, "cannot write \(directory.path.appending(name))", cause: error)
        }
        return CursorFile(descriptor: file, slot: slot)
    }

    /// Writes a slot with the next generation; nil when that worked.
    mutating func write(_ new: CursorSlot) -> Errno? {
        var next = new
        next.generation = slot.generation + 1
        let place = Int(next.generation % 2) * Self.distance
        if let error = next.bytes.withUnsafeBytes({ writeAll(descriptor, $0, at: place) }) { return error }
        slot = next
        return nil
    }

    /// Makes what was written safe from a loss of power; nil when that worked.
    func synchronize() -> Errno? { retrying { Int(fdatasync(descriptor)) } == 0 ? nil : lastError }
}
