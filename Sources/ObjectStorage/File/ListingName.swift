import Glibc

/// What is in a folder, by the name that orders it in a listing: that of a folder ends with `/`.
///
/// So `a-b` comes before all that is in the folder `a`, and `a0` behind it, as their keys do.
struct ListingName: Comparable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Takes a name from the file system.
    init(_ name: UnsafeRawBufferPointer, isFolder: Bool) {
        bytes = [UInt8](unsafeUninitializedCapacity: name.count + 1) { buffer, count in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: name)
            count = name.count
            if isFolder {
                buffer[count] = Self.slash
                count += 1
            }
        }
    }

    static let slash = UInt8(ascii: "/")

    var isFolder: Bool { bytes.last == Self.slash }

    /// The name in the file system; `nil` when it is no part of a key.
    var fileName: String? {
        let name = isFolder ? bytes.dropLast() : bytes[...]
        guard let text = String(validating: name, as: UTF8.self), (try? ObjectKey(text)) != nil else { return nil }
        return text
    }

    static func < (left: ListingName, right: ListingName) -> Bool {
        left.bytes.withUnsafeBytes { left in
            right.bytes.withUnsafeBytes { right in order(left, isFolder: false, right) < 0 }
        }
    }

    /// Compares a name that is not copied yet with another one.
    ///
    /// - Parameters:
    ///   - name: The name as the file system has it.
    ///   - isFolder: Whether a slash belongs behind it.
    ///   - other: The other one, with its slash if it has one.
    /// - Returns: Less than 0 when it comes before the other, 0 when it is the same, else more.
    static func order(_ name: UnsafeRawBufferPointer, isFolder: Bool, _ other: UnsafeRawBufferPointer) -> Int {
        let common = min(name.count, other.count)
        if let left = name.baseAddress, let right = other.baseAddress {
            let order = memcmp(left, right, common)
            if order != 0 { return Int(order) }
        }
        if name.count > common { return 1 }
        guard isFolder else { return common - other.count }
        // What is left is the slash, and the rest of the other name.
        guard common < other.count else { return 1 }
        let order = Int(slash) - Int(other[common])
        return order != 0 ? order : common + 1 - other.count
    }
}
