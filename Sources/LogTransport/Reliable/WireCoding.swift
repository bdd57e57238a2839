/// The bytes of a ``WireMessage``; docs/wire.md.
extension WireMessage {
    /// The longest message; the frame with the lines does not count.
    static let maximumSize = 56

    private static let magic: UInt32 = 0x0a4c_4252
    private static let version: UInt8 = 1
    private static let headerSize = 16
    private static let redeliveredFlag: UInt8 = 1

    private enum Kind: UInt8 {
        case offer = 1, hello, batch, ping, acknowledgement, bye

        var size: Int {
            switch self {
            case .offer, .ping, .bye: 16
            case .hello: 24
            case .batch: 56
            case .acknowledgement: 40
            }
        }
    }

    /// Reads a frame, of any length and content; nil when it is no message of this protocol.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerSize, bytes.integer(at: 0) == Self.magic, let kind = Kind(rawValue: bytes[5])
        else { return nil }
        // The messages that begin a session are how later versions find out about each other.
        let mayBeLater = kind == .offer || kind == .hello
        guard
            mayBeLater
                ? bytes[4] >= Self.version && bytes.count >= kind.size
                : bytes[4] == Self.version && bytes.count == kind.size
        else { return nil }
        let session: Session = bytes.integer(at: 8)
        guard session != 0 || kind == .offer else { return nil }
        switch kind {
        case .offer: self = .offer(session)
        case .hello: self = .hello(session, bytes.window(at: 16))
        case .batch:
            let header = BatchHeader(
                sequence: bytes.integer(at: 16),
                sender: SenderID(high: bytes.integer(at: 24), low: bytes.integer(at: 32)),
                first: bytes.integer(at: 40), skip: bytes.integer(at: 48),
                isRedelivered: bytes[6] & Self.redeliveredFlag != 0)
            guard header.sequence > 0 else { return nil }
            self = .batch(session, header)
        case .ping: self = .ping(session)
        case .acknowledgement:
            let progress = Progress(sequence: bytes.integer(at: 16), lines: bytes.integer(at: 24))
            self = .acknowledgement(session, progress, bytes.window(at: 28))
        case .bye: self = .bye(session)
        }
    }

    /// The message's bytes.
    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.maximumSize) { buffer, count in
            count = encode(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private func encode(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let kind: Kind
        let session: Session
        switch self {
        case .offer(let number): (kind, session) = (.offer, number)
        case .hello(let number, let window):
            (kind, session) = (.hello, number)
            bytes.put(window, at: 16)
        case .batch(let number, let header):
            (kind, session) = (.batch, number)
            bytes[6] = header.isRedelivered ? Self.redeliveredFlag : 0
            bytes.put(header.sequence, at: 16)
            bytes.put(header.sender.high, at: 24)
            bytes.put(header.sender.low, at: 32)
            bytes.put(header.first, at: 40)
            bytes.put(header.skip, at: 48)
        case .ping(let number): (kind, session) = (.ping, number)
        case .acknowledgement(let number, let progress, let window):
            (kind, session) = (.acknowledgement, number)
            bytes.put(progress.sequence, at: 16)
            bytes.put(progress.lines, at: 24)
            bytes.put(window, at: 28)
        case .bye(let number): (kind, session) = (.bye, number)
        }
        bytes.put(Self.magic, at: 0)
        bytes[4] = Self.version
        bytes[5] = kind.rawValue
        bytes.put(session, at: 8)
        return kind.size
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func integer<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    fileprivate func window(at offset: Int) -> WireMessage.Window {
        WireMessage.Window(bytes: integer(at: offset), lines: integer(at: offset + 4))
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func put<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }

    fileprivate func put(_ window: WireMessage.Window, at offset: Int) {
        put(window.bytes, at: offset)
        put(window.lines, at: offset + 4)
    }
}
