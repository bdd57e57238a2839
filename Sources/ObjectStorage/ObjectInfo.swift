public import CivilTime

/// What a store tells of an object.
public struct ObjectInfo: Sendable, Hashable {
    /// Its name.
    public let key: ObjectKey
    /// How many bytes it has.
    public let size: Int
    /// The tag of its content.
    public let tag: EntityTag
    /// When it was written, by the store's clock; most stores tell whole seconds.
    public let modified: UTCTime

    /// Describes an object.
    public init(key: ObjectKey, size: Int, tag: EntityTag, modified: UTCTime) {
        self.key = key
        self.size = size
        self.tag = tag
        self.modified = modified
    }
}

/// Bytes of an object.
public struct StoredObject: Sendable {
    /// What is known of the object; its size is that of the whole object.
    public let info: ObjectInfo
    /// The bytes that were asked for.
    public let bytes: [UInt8]

    /// Puts together what was read.
    public init(info: ObjectInfo, bytes: [UInt8]) {
        self.info = info
        self.bytes = bytes
    }
}

/// What to list.
public struct ListQuery: Sendable, Hashable {
    /// What the keys begin with, such as `logs/`; empty for all.
    public var prefix: String
    /// The key or folder behind which the page begins; it need not exist.
    ///
    /// Only what comes after it in the order of the bytes is listed: behind `a/5` there is `a/6`, but no folder `a/`.
    public var startAfter: String?
    /// Whether keys that go on behind the next `/` are told as one folder, and only the others as objects.
    public var groupsByFolder: Bool
    /// How many objects and folders a page has at most, 1 to 1000.
    public var limit: Int

    /// Describes a listing.
    public init(prefix: String = "", startAfter: String? = nil, groupsByFolder: Bool = false, limit: Int = 1000) {
        self.prefix = prefix
        self.startAfter = startAfter
        self.groupsByFolder = groupsByFolder
        self.limit = limit
    }
}

/// A part of a listing.
public struct ObjectPage: Sendable, Hashable {
    /// The objects, in the order of their keys.
    public let objects: [ObjectInfo]
    /// With ``ListQuery/groupsByFolder``, what keys have in common up to and including the next `/`, in order.
    public let folders: [String]
    /// Where the next page starts (``ListQuery/startAfter``); `nil` when this is the last one.
    public let next: String?

    /// Puts a page together.
    public init(objects: [ObjectInfo], folders: [String] = [], next: String?) {
        self.objects = objects
        self.folders = folders
        self.next = next
    }
}
