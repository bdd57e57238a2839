/// The members of a JSON object, in order, each key once.
///
/// Keys are compared byte by byte. A few members are searched one after the other, which is the fastest for the objects
/// of the messages; beyond ``indexThreshold`` an index is kept, so that no input makes a search of every key for every key.
public struct JSONObject: Sendable {
    /// One member.
    public struct Member: Sendable, Equatable {
        /// The name of the member.
        public let key: String

        /// Its value.
        public var value: JSONValue
    }

    static let indexThreshold = 16

    /// The members in order.
    public private(set) var members: [Member] = []
    private var index: [KeyBytes: Int]?

    /// Creates an object without members.
    public init() {}

    /// Takes over members.
    ///
    /// - Throws: ``DuplicateKey`` with the place of the first key that stands there for the second time.
    init(members: [Member]) throws(DuplicateKey) {
        self.members = members
        if members.count > Self.indexThreshold {
            let index = Index(members)
            if let place = index.duplicate { throw DuplicateKey(place: place) }
            self.index = index.places
        } else {
            for place in members.indices.dropFirst() {
                let key = members[place].key
                for earlier in 0..<place where members[earlier].key.hasSameBytes(as: key) {
                    throw DuplicateKey(place: place)
                }
            }
        }
    }

    /// The value at `key`; setting it replaces the value in its place or appends a member, nil removes the member.
    public subscript(key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    private func place(of key: String) -> Int? {
        if let index { return index[KeyBytes(key)] }
        return members.firstIndex { $0.key.hasSameBytes(as: key) }
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
        if index != nil {
            index?[KeyBytes(key)] = members.count - 1
        } else if members.count > Self.indexThreshold {
            index = Index(members).places
        }
    }

    private mutating func remove(at place: Int) {
        members.remove(at: place)
        if index != nil { index = Index(members).places }
    }
}

/// The place of a key that an object has already.
struct DuplicateKey: Error {
    let place: Int
}

/// Where the keys of a large object are.
private struct Index {
    var places: [KeyBytes: Int] = [:]
    var duplicate: Int?

    init(_ members: [JSONObject.Member]) {
        places.reserveCapacity(members.count)
        for (place, member) in members.enumerated() where places.updateValue(place, forKey: KeyBytes(member.key)) != nil
        {
            duplicate = duplicate ?? place
        }
    }
}

/// A key that equals only a key of the same bytes.
private struct KeyBytes: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same members, in whatever order.
    public static func == (left: Self, right: Self) -> Bool {
        left.members.count == right.members.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}
