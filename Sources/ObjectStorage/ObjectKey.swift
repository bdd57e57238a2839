/// The name of an object: parts with `/` between them, as in `FRONTEND/SIGNUP/log/00000000000000000001`.
///
/// No part is empty, `.` or `..`, or has a control character, so that a key never leads out of the prefix or folder that
/// it is put under. It has at most 1024 bytes in UTF-8 (S3's limit), a part at most 255 (a file name's).
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The key as text.
    public let description: String

    /// Checks a key.
    ///
    /// - Parameter text: The key.
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public init(_ text: String) throws(ObjectStoreError) {
        guard let fault = Self.fault(in: text) else {
            description = text
            return
        }
        throw ObjectStoreError(.invalidArgument, "'\(text.visible)' is no object key: \(fault)")
    }

    /// The key of an object in a folder that this key names.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    public func appending(_ part: String) throws(ObjectStoreError) -> ObjectKey {
        try ObjectKey("\(description)/\(part)")
    }

    /// Whether two keys have the same bytes in UTF-8.
    ///
    /// Swift holds texts for equal that Unicode calls canonically equivalent; stores hold such names apart.
    public static func == (left: ObjectKey, right: ObjectKey) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    /// Feeds the bytes of the key's UTF-8 to a hasher.
    public func hash(into hasher: inout Hasher) {
        var text = description
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Whether one key comes before another in a listing: by the bytes of their UTF-8.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }

    private static func fault(in text: String) -> String? {
        if text.utf8.count > 1024 { return "it has more than 1024 bytes" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "it has a control character"
        }
        for part in text.split(separator: "/", omittingEmptySubsequences: false) {
            if part.isEmpty { return "a part of it is empty" }
            if part == "." || part == ".." { return "a part of it is '\(part)'" }
            if part.utf8.count > 255 { return "a part of it has more than 255 bytes" }
        }
        return nil
    }
}

extension String {
    /// The text with control characters escaped, for messages.
    var visible: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}
